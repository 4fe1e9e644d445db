"""Somebody asked not to be written to: by the link, by one click, by mail, or by a complaint (R196, RFC 8058)."""

from __future__ import annotations

from core.domain.address import is_valid, match_key
from core.domain.enrollment import Enrollment, ProspectEvent, ProspectStatus
from core.domain.people import Person
from core.domain.reasons import reason
from core.domain.tracking_token import Token
from core.ports.storage import Suppression, UnitOfWork
from core.services.progress import Progress
from core.services.tools import Tools, persistently

RECIPIENT = "recipient"
"""Who did it, in the ledger: neither a user nor the engine."""


class OptOutService:
    """Final, and the same however often it is asked for."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def unsubscribe(self, token: Token, *, evidence: str) -> None:
        """In a transaction of its own. A prospect who is gone is no error: the address is blocked all the same."""

        async def unit() -> None:
            async with self._tools.store.write(token.workspace) as uow:
                await self.honour(uow, token.delivery_id, token.target, evidence=evidence)

        await persistently(unit)

    async def honour(
        self, uow: UnitOfWork, delivery_id: str, address: str, *, evidence: str, code: str = "unsubscribed"
    ) -> None:
        """Blocks the person's addresses and ends every campaign for them. ``code`` as in ``Suppression``."""
        delivery = await uow.deliveries.get(delivery_id)
        enrollment = await uow.enrollments.get(delivery.enrollment_id) if delivery else None
        recipient = (delivery.recipient if delivery else None) or address
        person = await self._person(uow, enrollment, recipient)
        addresses = {recipient, *(one.address for one in person.addresses)} if person else {recipient}
        await self._block(uow, addresses, code, evidence)
        for one in await uow.enrollments.of_person(person.id) if person else ():
            if one.status is not ProspectStatus.COMPLETE or (enrollment is not None and one.id == enrollment.id):
                await self._end(uow, one, evidence)

    async def _person(self, uow: UnitOfWork, enrollment: Enrollment | None, address: str) -> Person | None:
        if enrollment is not None:
            return await uow.people.get(enrollment.person_id)
        return await uow.people.by_address(match_key(address)) if is_valid(address) else None

    async def _block(self, uow: UnitOfWork, addresses: set[str], code: str, evidence: str) -> None:
        now = self._tools.clock.now()
        keys = sorted({match_key(address) for address in addresses if is_valid(address)})
        await uow.suppressions.put_many([Suppression(key, code, RECIPIENT, now, evidence[:200]) for key in keys])

    async def _end(self, uow: UnitOfWork, enrollment: Enrollment, evidence: str) -> None:
        why = reason("unsubscribed")
        if enrollment.reason == why:
            return
        await self._progress.cancel_open(uow, enrollment, reason="unsubscribed")
        await self._progress.move(
            uow, enrollment, ProspectEvent.OPTED_OUT, actor=RECIPIENT, reason=why, evidence=evidence
        )
