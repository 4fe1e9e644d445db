"""A signature: what a reply must hold to mean a cause. Rows are read in order, the first that fits wins. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.domain.diagnosis.normalise import Reply


@dataclass(frozen=True, slots=True)
class Signature:
    """One row of a signature table.

    Every pattern of ``words`` must be found in the reply's text and ``unless`` must not; ``code`` is an IMAP response
    code, ``reply`` a pattern of the SMTP reply code ("" where the text has none), ``status`` a pattern of the enhanced
    status code. ``providers`` empty: any server. ``transient`` overrides what the cause says, where this wording says
    more than the cause.
    """

    cause: str
    words: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    providers: frozenset[str]
    code: str
    reply: re.Pattern[str] | None
    status: re.Pattern[str] | None
    transient: bool | None

    def fits(self, reply: Reply) -> bool:
        """Whether the reply says this; the provider has been looked at already."""
        if self.code and self.code not in reply.codes:
            return False
        if self.reply and not self.reply.fullmatch(str(reply.smtp_code or "")):
            return False
        if self.status and not any(self.status.fullmatch(status) for status in reply.statuses):
            return False
        if self.unless and self.unless.search(reply.text):
            return False
        return all(word.search(reply.text) for word in self.words)


def sig(
    cause: str,
    *words: str,
    unless: str = "",
    provider: str = "",
    code: str = "",
    reply: str = "",
    status: str = "",
    transient: bool | None = None,
) -> Signature:
    """A row; patterns are plain alternations without nested repetition, so that matching stays linear."""
    return Signature(
        cause=cause,
        words=tuple(re.compile(word) for word in words),
        unless=re.compile(unless) if unless else None,
        providers=frozenset(provider.split()),
        code=code,
        reply=re.compile(reply) if reply else None,
        status=re.compile(status) if status else None,
        transient=transient,
    )


def first_fit(rows: Iterable[Signature], reply: Reply, provider: str | None) -> Signature | None:
    """The provider's own rows first, whatever their place; then the rows for any server."""
    general: list[Signature] = []
    for row in rows:
        if not row.providers:
            general.append(row)
        elif provider in row.providers and row.fits(reply):
            return row
    return next((row for row in general if row.fits(reply)), None)
