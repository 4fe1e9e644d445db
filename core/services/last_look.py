"""Directly before a mail goes on the wire: may it still, and what logs its mailbox in.

A reply, a pause or a removal may have come since the claim. What this process itself has stopped it knows at once
(``StopSet``); of other processes the database tells, at most a quarter of a second late: all mails that are about to
go and were looked at longer ago share one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.domain.account import Mailbox
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment
from core.errors import MailError
from core.ports.mail import Credentials
from core.services.submission import Submission
from core.services.together import Together
from core.services.tools import Tools

FRESH_S: Final = 0.25
"""Seconds for which a look into the database counts."""
LOGIN_FRESH_S: Final = 1.0
"""Seconds for which credentials that were read count."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is ``sending``: committed, frozen, ready for the wire. ``enrollment`` is its prospect as the claim
    left it, ``timezone`` the person's; ``looked_at`` when the claim began, by the clock that only goes forward."""

    delivery: Delivery
    mailbox: Mailbox
    recipient: str
    raw: bytes
    enrollment: Enrollment
    timezone: str
    looked_at: float


@dataclass(frozen=True, slots=True)
class OutgoingText:
    """A text that is ``sending``: committed, frozen, ready for the provider. ``recipient`` is in E.164."""

    delivery: Delivery
    recipient: str
    text: str
    enrollment: Enrollment
    looked_at: float


Departing = Outgoing | OutgoingText
"""What a claim takes out of the queue."""


class LastLook:
    """Questions that many mails ask at the same moment are asked once."""

    def __init__(self, tools: Tools, submission: Submission) -> None:
        self._tools = tools
        self._submission = submission
        self._running = Together(self._ask_running)
        self._logins = Together(self._ask_logins)
        self._known: dict[str, tuple[Credentials, float]] = {}

    async def may_go(self, outgoing: Departing) -> bool:
        """False where the prospect does not run any more, or may be stopping in this very moment. Raises
        StorageError."""
        enrollment, looked_at = outgoing.enrollment, outgoing.looked_at
        old = self._tools.clock.monotonic() - looked_at > FRESH_S
        if old and not await self._running.ask(outgoing.delivery.workspace, enrollment.id):
            return False
        return not self._tools.stops.concerns(enrollment.id, enrollment.version, looked_at)

    async def credentials(self, mailbox: Mailbox) -> Credentials:
        """Those of a moment ago count. Raises MailError kinds, all of them certain: nothing was said to
        the mail server."""
        known, asked_at = self._known.get(mailbox.id, (None, 0.0))
        if known is not None and self._tools.clock.monotonic() - asked_at < LOGIN_FRESH_S:
            return known
        found = await self._logins.ask(mailbox.id, mailbox)
        if isinstance(found, MailError):
            raise found
        return found

    async def _ask_running(self, workspace: str, enrollment_ids: Sequence[str]) -> Sequence[bool]:
        async with self._tools.store.read(workspace) as uow:
            running = await uow.enrollments.running(enrollment_ids)
        return [one in running for one in enrollment_ids]

    async def _ask_logins(self, _mailbox_id: str, asking: Sequence[Mailbox]) -> Sequence[Credentials | MailError]:
        asked_at = self._tools.clock.monotonic()
        try:
            found = await self._submission.credentials(asking[0])
        except MailError as error:
            self._known.pop(asking[0].id, None)
            return [error] * len(asking)
        self._known[asking[0].id] = found, asked_at
        return [found] * len(asking)
