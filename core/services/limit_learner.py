"""A host said that a mailbox sends too much: it sends less for a while, and says so (X12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox
from core.domain.cards import LimitCard
from core.domain.limits import DAILY, DAY
from core.domain.moment import iso
from core.domain.reasons import reason
from core.domain.smtp_reply import classify_reply
from core.ports.storage import LearnedCap, TrafficKey, UnitOfWork
from core.services.limit_books import MAILBOX
from core.services.limit_notices import tell
from core.services.tools import Tools

REST: Final = timedelta(hours=1)
"""After "too many today" nothing is tried for so long, however much room our own count sees: other programs may send
from the same account."""
SHORT_REST: Final = timedelta(minutes=10)
"""After "too many at once"."""

_AT_ONCE: Final = frozenset({"4.3.2"})
"""Codes that speak of the moment, and say nothing of how many a day may go."""
_MOST_WORDS: Final = 1_000


class LimitLearner:
    """Works in the caller's transaction, which has put the refused mail back into the queue and given back its
    place."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def told(self, uow: UnitOfWork, mailbox: Mailbox, answer: str) -> datetime:
        """Half of what went in 24 hours is the most for the next 24 (as the field does); the mailbox rests, and what is
        due from it is Pending. Returns until when it rests. ``answer`` is the host's refusal, code and text."""
        now = self._tools.clock.now()
        key = TrafficKey(MAILBOX, mailbox.id)
        spans = (await uow.traffic.spans([key], DAILY.since(now))).get(key, {})
        went = DAILY.used(spans, now)
        at_once = classify_reply(answer).status in _AT_ONCE
        cap = None if at_once else await self._lower(uow, mailbox, went, answer, now)
        rests_until = now + (SHORT_REST if cap is None else REST)
        if mailbox.next_send_at is not None:  # "too many at once" ends no longer rest
            rests_until = max(rests_until, mailbox.next_send_at)
        await uow.mailboxes.reserve_slot(mailbox.id, next_send_at=rests_until)
        waiting = await uow.bulk.count_due_of_mailbox(mailbox.id, at=now)
        await uow.bulk.wait_due_of_mailbox(mailbox.id, reason("provider_limit"), at=now)
        next_at = rests_until
        if cap is not None:
            next_at = min(cap.until, max(next_at, DAILY.next_free(spans, now, cap.cap)))
        await self._tell(uow, mailbox, answer, cap, went=went, next_at=next_at, waiting=waiting)
        return rests_until

    async def _lower(self, uow: UnitOfWork, mailbox: Mailbox, went: int, answer: str, now: datetime) -> LearnedCap:
        known = (await uow.holds.caps(now)).get(mailbox.id)
        most = went // 2 if known is None else min(known.cap, went // 2)
        topic = classify_reply(answer).topic
        cap = LearnedCap(mailbox.id, max(1, most), now, now + DAY, topic, answer[:_MOST_WORDS])
        await uow.holds.put_cap(cap)
        facts = {"cap": cap.cap, "went": went, "until": iso(cap.until)}
        await uow.audit.add(at=now, actor="rethread", action="mailbox.limit_learned", subject=mailbox.id, facts=facts)
        return cap

    async def _tell(
        self,
        uow: UnitOfWork,
        mailbox: Mailbox,
        answer: str,
        cap: LearnedCap | None,
        *,
        went: int,
        next_at: datetime,
        waiting: int,
    ) -> None:
        now = self._tools.clock.now()
        facts: LimitCard = {
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "provider": mailbox.provider,
            "raw": answer[:_MOST_WORDS],
            "went": went,
            "cap": cap.cap if cap else None,
            "until": str(iso(cap.until if cap else next_at)),
            "next_at": str(iso(next_at)),
            "waiting": waiting,
            "at": str(iso(now)),
        }
        await tell(uow, "limit", mailbox.id, facts, owner=mailbox.owner, now=now)
