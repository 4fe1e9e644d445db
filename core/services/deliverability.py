"""Reads a domain's MX, SPF, DMARC and DKIM records itself and judges them (R55, R56, R57, R63, R191, R208)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from core.domain.dns_checks import DomainReport, Kind, Question, domain_name, judge, selector_name
from core.errors import InputError, MailError
from core.ports.mail import NameResolver

_MOST_SELECTORS: Final = 10
_MOST_LOOKUPS: Final = 120
_AT_ONCE: Final = 8


class DeliverabilityService:
    """Asks DNS only, about public records: nothing is stored, and nobody's mailbox is touched."""

    def __init__(self, resolver: NameResolver, *, seconds: float = 12.0) -> None:
        self._resolver = resolver
        self._seconds = seconds

    async def check_domain(
        self, domain: str, selectors: Sequence[str] = (), *, connected: str | None = None
    ) -> DomainReport:
        """A report within the seconds given; what DNS did not say by then is unknown.

        ``domain`` may be an address too; ``selectors`` are DKIM selectors, else the usual ones are tried;
        ``connected`` is the provider of a mailbox of this domain. Raises InputError.
        """
        name, keys = _name(domain), _selectors(selectors)
        facts: dict[Question, tuple[str, ...] | None] = {}
        report, wanted = judge(name, facts, selectors=keys, connected=connected)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while wanted and len(facts) < _MOST_LOOKUPS:
                    await self._ask(wanted[: _MOST_LOOKUPS - len(facts)], facts)
                    report, wanted = judge(name, facts, selectors=keys, connected=connected)
        return judge(name, facts, selectors=keys, connected=connected)[0] if wanted else report

    async def _ask(self, questions: Iterable[Question], facts: dict[Question, tuple[str, ...] | None]) -> None:
        """Adds each answer as it comes, so that a deadline loses only those under way."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def ask(question: Question) -> None:
            async with turns:
                facts[question] = await self._answer(question)

        async with asyncio.TaskGroup() as group:
            for question in questions:
                group.create_task(ask(question))

    async def _answer(self, question: Question) -> tuple[str, ...] | None:
        try:
            match question.kind:
                case Kind.MX:
                    return tuple(f"{preference} {host}" for preference, host in await self._resolver.mx(question.name))
                case Kind.TXT:
                    return tuple(await self._resolver.txt(question.name))
                case Kind.ADDRESS:
                    return tuple(await self._resolver.addresses(question.name))
        except MailError:
            return None  # unknown, which is never the same as missing


def _name(text: str) -> str:
    name = domain_name(text)
    if name is None:
        raise InputError(
            f"“{text.strip()[:80]}” is not a domain name", fix="Give a domain such as agency.example, or an address."
        )
    return name


def _selectors(given: Sequence[str]) -> list[str]:
    if len(given) > _MOST_SELECTORS:
        raise InputError(f"at most {_MOST_SELECTORS} DKIM selectors at once", fix="Check again with fewer.")
    names = [selector_name(one) for one in given]
    for text, name in zip(given, names, strict=True):
        if name is None:
            raise InputError(
                f"“{text[:80]}” is not a DKIM selector", fix="Take what stands behind s= in a DKIM-Signature."
            )
    return list(dict.fromkeys(filter(None, names)))
