"""Who may send now: asked by the claim for each mail, atomic across processes (R77, R112, R121..R125, R131, R184).

The claim's transaction holds the workspace's lock on counts from ``open`` to its end, so that two processes can never
both take the last place. A mail is counted when it is claimed; what certainly did not go out is given back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox
from core.domain.campaign import Campaign
from core.domain.delivery import Delivery
from core.domain.enrollment import Reason
from core.domain.limits import DAILY, company_of, sending_domain, utc_day
from core.domain.preflight import HoldBack, Refuse, Throttle
from core.domain.reasons import reason
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import DueDelivery, Hold, TrafficKey, UnitOfWork
from core.services.limit_books import (
    MAILS,
    TEXTS,
    Asked,
    Books,
    Limit,
    campaign_days,
    companies_of,
    company_key,
    domain_days,
    domain_key,
    first_key,
    mailbox_days,
    mailbox_key,
    senders_by_domain,
)

KEEPS_ITS_PLACE: Final = frozenset({"mailbox_limit", "minute_limit", "domain_limit", "provider_limit"})
"""Codes of limits for which the whole mailbox rests: a mail that meets one need not move behind those that follow it
in the queue (its ``due_at`` may stay as it is)."""

LONGEST_REST: Final = timedelta(hours=1)
"""A mailbox without room is looked at again after that time at the latest: somebody may have raised a limit."""

_SENDERS_KNOWN_FOR: Final = timedelta(minutes=1)
_CARRIED: Final = ("email", "sms")

Verdict = HoldBack | Throttle | Refuse | None


class LimitKeeper:
    """Made once in a process."""

    def __init__(self) -> None:
        self._senders: dict[str, tuple[datetime, Mapping[str, int]]] = {}

    async def open(
        self,
        uow: UnitOfWork,
        settings: WorkspaceSettings,
        now: datetime,
        due: Sequence[DueDelivery],
        campaigns: Mapping[str, Campaign],
    ) -> Allowance:
        """Reads what is used of every limit that ``due`` may meet, and keeps others from counting until the unit ends.
        Those in ``due`` have their mailboxes already; call it before the claim writes anything."""
        mailboxes = {one.mailbox.id: one.mailbox for one in due if one.mailbox is not None}
        written = (
            address for one in due for address in (*(a.address for a in one.person.addresses), one.delivery.recipient)
        )
        companies = companies_of(address for address in written if address) if settings["company_daily"] else set()
        asked = Asked(tuple(mailboxes.values()), frozenset(campaigns), frozenset(companies))
        if due:
            await uow.traffic.lock([MAILS])
        books = await Books.read(uow, settings, now, asked, await self._senders_of(uow, now))
        return Allowance(books, await uow.holds.all(), now, frozenset(mailboxes))

    async def _senders_of(self, uow: UnitOfWork, now: datetime) -> Mapping[str, int]:
        """How many mailboxes a domain has changes seldom: read once in a minute."""
        known = self._senders.get(uow.workspace)
        if known is None or not timedelta() <= now - known[0] < _SENDERS_KNOWN_FOR:
            known = (now, await senders_by_domain(uow))
            self._senders[uow.workspace] = known
        return known[1]


class Allowance:
    """What one claim may take. ``rests``: mailboxes that met a limit of their own, until when, and which."""

    def __init__(self, books: Books, holds: Sequence[Hold], now: datetime, counted: Collection[str]) -> None:
        self._books = books
        self._now = now
        self._counted = counted
        self._holds = {(hold.kind, hold.key): hold.code for hold in holds if hold.until is None or hold.until > now}
        self._workspace = books.workspace()
        self._texts = books.texts()
        self._of_mailbox: dict[str, tuple[Limit, ...]] = {}
        self._of_domain: dict[str, Limit | None] = {}
        self._of_company: dict[str, Limit | None] = {}
        self._of_campaign: dict[str, Limit | None] = {}
        self._taken: Counter[tuple[TrafficKey, datetime]] = Counter()
        self.rests: dict[str, tuple[datetime, Reason]] = {}

    def ask(self, due: DueDelivery, campaign: Campaign, kind: str, recipient: str | None) -> Verdict:
        """None: it may go. ``recipient`` None: not known yet, its company is not asked for."""
        if kind not in _CARRIED:
            return None
        code = self._held(due, campaign, kind)
        if code is not None:
            return HoldBack(reason(code))
        if kind == "sms":
            return self._throttle(self._texts) if self._texts.full else None
        if due.mailbox is not None:
            if (
                due.mailbox.id not in self._counted
            ):  # it got this sender after the counts were read: the next claim asks
                return Throttle(reason("mailbox_limit"), self._now)
            for limit in self._mailbox(due.mailbox):
                if limit.full:
                    return self._rest(due.mailbox, limit)
        for narrow in (self._company(recipient), self._first(due, campaign)):
            if narrow is not None and narrow.full:
                return self._throttle(narrow)
        return Refuse(self._workspace.reason) if self._workspace.full else None

    def take(self, due: DueDelivery, campaign: Campaign, kind: str, recipient: str) -> None:
        """This one goes."""
        if kind == "sms":
            self._texts.take(self._now)
            self._taken[TEXTS, DAILY.span(self._now)] += 1
        if kind != "email" or due.mailbox is None:
            return
        narrow = (self._workspace, self._company(recipient), self._first(due, campaign))
        for limit in (*self._mailbox(due.mailbox), *narrow):
            if limit is not None:
                limit.take(self._now)
                if limit.key.scope == "minute":
                    self._taken[limit.key, limit.window.span(self._now)] += 1
        for place in _places(due.mailbox, campaign.id, due.delivery.stage, recipient, self._now):
            self._taken[place] += 1

    async def close(self, uow: UnitOfWork) -> None:
        """Stores what was taken, in one statement. Mailboxes without room rest, and what is due from them shows which
        limit it waits for: to be called after the claim has set their spacing."""
        await uow.traffic.add(self._taken)
        for mailbox_id, (until, why) in self.rests.items():
            await uow.mailboxes.reserve_slot(mailbox_id, next_send_at=until)
            if why.code != "minute_limit":  # over in a moment: not worth a change of the whole queue
                await uow.bulk.wait_due_of_mailbox(mailbox_id, why, at=self._now)

    def _held(self, due: DueDelivery, campaign: Campaign, kind: str) -> str | None:
        holds = self._holds
        if not holds:
            return None
        mailbox = due.mailbox
        owner = mailbox.owner if mailbox is not None else campaign.owner
        asked = [("workspace", ""), ("campaign", campaign.id)]
        if mailbox is not None and kind == "email":
            asked.append(("mailbox", mailbox.id))
        if owner and due.delivery.stage > 1:
            asked.append(("owner", owner))
        return next((holds[one] for one in asked if one in holds), None)

    def _rest(self, mailbox: Mailbox, limit: Limit) -> Throttle:
        verdict = self._throttle(limit)
        self.rests[mailbox.id] = (min(verdict.until, self._now + LONGEST_REST), limit.reason)
        return verdict

    def _throttle(self, limit: Limit) -> Throttle:
        return Throttle(limit.reason, limit.free_at(self._now))

    def _mailbox(self, mailbox: Mailbox) -> tuple[Limit, ...]:
        found = self._of_mailbox.get(mailbox.id)
        if found is None:
            domain = sending_domain(mailbox.address) or ""
            if domain not in self._of_domain:
                self._of_domain[domain] = self._books.domain(mailbox)
            limits = (self._books.mailbox(mailbox), self._of_domain[domain], self._books.minute(mailbox))
            found = self._of_mailbox[mailbox.id] = tuple(limit for limit in limits if limit is not None)
        return found

    def _company(self, recipient: str | None) -> Limit | None:
        if recipient is None:
            return None
        domain = recipient.rpartition("@")[2]
        if domain not in self._of_company:
            self._of_company[domain] = self._books.company(recipient)
        return self._of_company[domain]

    def _first(self, due: DueDelivery, campaign: Campaign) -> Limit | None:
        if due.delivery.stage != 1:
            return None
        if campaign.id not in self._of_campaign:
            self._of_campaign[campaign.id] = self._books.first_mails(campaign.id)
        return self._of_campaign[campaign.id]


async def give_back(uow: UnitOfWork, claimed: Iterable[tuple[Delivery, Mailbox | None]]) -> None:
    """The places of mails and texts that certainly did not go out. Each delivery as it was claimed: its ``claimed_at``
    is the moment at which it was counted."""
    places: Counter[tuple[TrafficKey, datetime]] = Counter()
    for delivery, mailbox in claimed:
        at = delivery.claimed_at
        if at is None:
            continue
        if delivery.kind == "sms":
            places[TEXTS, DAILY.span(at)] -= 1
        elif mailbox is not None:
            for place in _places(mailbox, delivery.campaign_id, delivery.stage, delivery.recipient or "", at):
                places[place] -= 1
    await uow.traffic.add(places)


def _places(
    mailbox: Mailbox, campaign_id: str, stage: int, recipient: str, at: datetime
) -> list[tuple[TrafficKey, datetime]]:
    """Where a mail is counted. Everywhere, whether or not there is a limit now, so that one that is set later knows of
    the day before; by the minute only where there is one (it is not given back either: a minute is soon over)."""
    span, day = DAILY.span(at), utc_day(at)
    places = [
        (MAILS, span),
        (mailbox_key(mailbox.id), span),
        (mailbox_days(mailbox.id), day),
        (campaign_days(campaign_id), day),
    ]
    if domain := sending_domain(mailbox.address):
        places += [(domain_key(domain), span), (domain_days(domain), day)]
    if company := company_of(recipient):
        places.append((company_key(company), span))
    if stage == 1:
        places.append((first_key(campaign_id), span))
    return places
