"""Stages that fail before anything is said to a server. A few have a card each; where many of one campaign fail for one
reason (the Email Limit of the day, R123), they are written together and told on one card (X10: one root cause, one
message)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from core.domain.campaign import Campaign
from core.domain.delivery import DeliveryEvent, transition
from core.domain.enrollment import ProspectEvent, Reason
from core.domain.limits import utc_day
from core.ports.storage import DueDelivery, UnitOfWork
from core.services.ledger import Ledger
from core.services.progress import Progress

CARDS_A_DAY: Final = 10
"""So many stages of one campaign that fail for one reason on one day have a card each; the next make a heap."""

Refused = tuple[DueDelivery, Campaign, Reason]


class Refusals:
    """Made once in a process: it remembers how many failed today."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._day: datetime | None = None
        self._failed: Counter[tuple[str, str]] = Counter()

    async def write(self, uow: UnitOfWork, ledger: Ledger, refused: Sequence[Refused], now: datetime) -> None:
        """Those of one batch. The ledger is written by the caller, in the same transaction. Raises LostRaceError."""
        if self._day != utc_day(now):
            self._day = utc_day(now)
            self._failed.clear()
        for _, alike in groupby(sorted(refused, key=_cause), key=_cause):
            await self._write_alike(uow, ledger, list(alike))

    async def _write_alike(self, uow: UnitOfWork, ledger: Ledger, alike: Sequence[Refused]) -> None:
        _, campaign, why = alike[0]
        self._failed[campaign.id, why.code] += len(alike)
        cards = self._progress.cards
        many = self._failed[campaign.id, why.code] > CARDS_A_DAY
        if many or await cards.heap_of_today(uow, campaign, why) is not None:
            for due, _, each in alike:
                self._fail_quietly(ledger, due, each)
            await cards.heap(uow, campaign, why, len(alike))
            return
        for due, _, each in alike:
            state = transition(due.delivery.state, DeliveryEvent.REFUSED)
            failed = await self._progress.save(uow, replace(due.delivery, state=state, reason=each.code))
            await self._progress.failed(uow, failed, ProspectEvent.NOT_DELIVERED, each, evidence=each.code)

    def _fail_quietly(self, ledger: Ledger, due: DueDelivery, why: Reason) -> None:
        """What is due is all that a running prospect has open: nothing else is to be cancelled."""
        state = transition(due.delivery.state, DeliveryEvent.REFUSED)
        ledger.save(due.delivery, replace(due.delivery, state=state, reason=why.code))
        ledger.move(
            due.enrollment, ProspectEvent.NOT_DELIVERED, reason=why, evidence=why.code, stage=due.delivery.stage
        )


def _cause(refused: Refused) -> tuple[str, str]:
    return refused[1].id, refused[2].code
