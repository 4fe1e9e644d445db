"""A text message provider in memory: implements the port SmsTransport.

Held against the real adapter by tests/integration/sms/test_contract.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.sms_text import checked
from core.errors import MailError, OutcomeUnknownError, SmsRefusedError
from core.ports.sms import SmsReceipt

CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass
class FakeText:
    """One text that the provider took."""

    receipt: SmsReceipt
    to: str
    text: str
    key: str
    made: datetime


@dataclass
class FakeSms:
    """``outcomes`` says what becomes of the next sends: None accepts, an error is raised; with OutcomeUnknownError the
    text is taken where ``takes_lost`` is True. ``trouble`` is raised by everything. ``undelivered`` (a provider's
    number): what is taken comes back. ``began`` is set as a send begins, ``hang`` holds its answer back."""

    now: Callable[[], datetime]
    takes_lost: bool = True
    trouble: MailError | None = None
    undelivered: int = 0
    outcomes: list[MailError | None] = field(default_factory=list)
    taken: list[FakeText] = field(default_factory=list)
    looked_up: list[tuple[str, str]] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    hang: asyncio.Event | None = None

    def texts_to(self, number: str) -> list[str]:
        """What stands on one telephone, oldest first."""
        return [one.text for one in self.taken if one.to == number and not one.receipt.failed]

    async def send(self, *, to: str, text: str, key: str) -> SmsReceipt:
        checked(text)
        self.began.set()
        if self.trouble is not None:
            raise self.trouble
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None and not (isinstance(outcome, OutcomeUnknownError) and self.takes_lost):
            raise outcome
        receipt = self._take(to, text, key)
        if self.hang is not None:
            await self.hang.wait()
        if outcome is not None:
            raise outcome
        return receipt

    async def lookup(self, *, to: str, text: str, since: datetime) -> SmsReceipt | None:
        self.looked_up.append((to, text))
        if self.trouble is not None:
            raise self.trouble
        fitting = (
            one.receipt
            for one in reversed(self.taken)
            if one.to == to and _plain(one.text) == _plain(text) and one.made >= since - CLOCKS_DIFFER
        )
        return next(fitting, None)

    async def fetch(self, message_id: str) -> SmsReceipt:
        if self.trouble is not None:
            raise self.trouble
        for one in self.taken:
            if one.receipt.id == message_id:
                return one.receipt
        raise SmsRefusedError("20404: not found", provider_code=20404, status=404)

    def _take(self, to: str, text: str, key: str) -> SmsReceipt:
        """Queued in the answer; asked again, it has arrived or come back."""
        number = f"SM{len(self.taken):032x}"
        later = SmsReceipt(number, "undelivered", self.undelivered, "came back") if self.undelivered else None
        self.taken.append(FakeText(later or SmsReceipt(number, "delivered"), to, text, key, self.now()))
        return SmsReceipt(number, "queued")


def _plain(text: str) -> str:
    return " ".join(text.split())
