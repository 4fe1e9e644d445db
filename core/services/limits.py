"""Who may send now: asked by the claim for each mail, atomic across processes (R77, R112, R121..R125, R131, R184).

The claim's transaction holds the workspace's lock on counts from ``open`` to its end, so that two processes can never
both take the last place. A mail is counted when it is claimed; what certainly did not go out is given back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox
from core.domain.campaign import Campaign
from core.domain.delivery import Delivery
from core.domain.enrollment import Reason
from core.domain.limits import DAILY, FREE_MAIL, sending_domain, utc_day
from core.domain.preflight import HoldBack, Refuse, Throttle
from core.domain.reasons import reason
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import DueDelivery, Hold, TrafficKey, UnitOfWork
from core.services.limit_books import (
    CAMPAIGN_DAY,
    COMPANY,
    DOMAIN,
    DOMAIN_DAY,
    FIRST,
    MAILBOX,
    MAILBOX_DAY,
    MAILS,
    TEXTS,
    Asked,
    Books,
    Limit,
    companies_of,
    senders_by_domain,
)

KEEPS_ITS_PLACE: Final = frozenset({"mailbox_limit", "minute_limit", "domain_limit", "provider_limit"})
"""Codes of limits for which the whole mailbox rests: a mail that meets one need not move behind those that follow it
in the queue (its ``due_at`` may stay as it is)."""

LONGEST_REST: Final = timedelta(hours=1)
"""A mailbox without room is looked at again after that time at the latest: somebody may have raised a limit."""

_SENDERS_KNOWN_FOR: Final = timedelta(minutes=1)
_CARRIED: Final = ("email", "sms")

_Place = tuple[str, str, datetime]
"""Scope, whose, and the beginning of the span: cheap to count by."""

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
        self._span, self._day = DAILY.span(now), utc_day(now)
        self._counted = counted
        self._holds = {(hold.kind, hold.key): hold.code for hold in holds if hold.until is None or hold.until > now}
        self._workspace = books.workspace()
        self._texts = books.texts()
        self._known: dict[object, Limit | None] = {}
        self._of_mailbox: dict[str, tuple[Limit, ...]] = {}
        self._minutes: list[Limit] = []
        self._taken: Counter[_Place] = Counter()
        self.rests: dict[str, tuple[datetime, Reason]] = {}

    def ask(self, due: DueDelivery, campaign: Campaign, kind: str, recipient: str | None) -> Verdict:
        """None: it may go. ``recipient`` None: not known yet, its company is not asked for."""
        if kind not in _CARRIED:
            return None
        if self._holds:
            code = self._held(due, campaign, kind)
            if code is not None:
                return HoldBack(reason(code))
        if kind == "sms":
            return self._throttle(self._texts) if self._texts.full else None
        mailbox = due.mailbox
        if mailbox is not None:
            if mailbox.id not in self._counted:  # it got this sender after the counts were read: the next claim asks
                return Throttle(reason("mailbox_limit"), self._now)
            for limit in self._mailbox(mailbox):
                if limit.full:
                    return self._rest(mailbox, limit)
        for narrow in self._narrow(due, campaign, recipient):
            if narrow.full:
                return self._throttle(narrow)
        return Refuse(self._workspace.reason) if self._workspace.full else None

    def take(self, due: DueDelivery, campaign: Campaign, kind: str, recipient: str) -> None:
        """This one goes."""
        mailbox = due.mailbox
        if kind == "sms":
            self._texts.take()
            self._taken[TEXTS.scope, TEXTS.key, self._span] += 1
        elif kind == "email" and mailbox is not None:
            for limit in (self._workspace, *self._mailbox(mailbox), *self._narrow(due, campaign, recipient)):
                limit.take()
            company = recipient.rpartition("@")[2]
            self._taken.update(_places(mailbox, campaign.id, due.delivery.stage, company, self._span, self._day))

    async def close(self, uow: UnitOfWork) -> None:
        """Stores what was taken, in one statement. Mailboxes without room rest, and what is due from them shows which
        limit it waits for: to be called after the claim has set their spacing."""
        minutes = {(limit.key, limit.window.span(self._now)): limit.taken for limit in self._minutes}
        await uow.traffic.add(_counts(self._taken) | minutes)
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
        """Its own limits and its domain's, which it shares with its colleagues."""
        found = self._of_mailbox.get(mailbox.id)
        if found is None:
            domain, minute = sending_domain(mailbox.address), self._books.minute(mailbox)
            shared = self._once(("domain", domain), lambda: self._books.domain(mailbox))
            self._minutes += [minute] if minute else []
            own = (self._books.mailbox(mailbox), shared, minute)
            found = self._of_mailbox[mailbox.id] = tuple(limit for limit in own if limit is not None)
        return found

    def _narrow(self, due: DueDelivery, campaign: Campaign, recipient: str | None) -> list[Limit]:
        """Limits that hold back this mail and not the mailbox: of the company, of the campaign's first mails."""
        if not self._books.any_narrow:
            return []
        found: list[Limit | None] = []
        if recipient is not None:
            company = recipient.rpartition("@")[2]
            found.append(self._once(("company", company), lambda: self._books.company(recipient)))
        if due.delivery.stage == 1:
            found.append(self._once(("first", campaign.id), lambda: self._books.first_mails(campaign.id)))
        return [limit for limit in found if limit is not None]

    def _once(self, name: object, make: Callable[[], Limit | None]) -> Limit | None:
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


async def give_back(uow: UnitOfWork, claimed: Iterable[tuple[Delivery, Mailbox | None]]) -> None:
    """The places of mails and texts that certainly did not go out. Each delivery as it was claimed: its ``claimed_at``
    is the moment at which it was counted."""
    places: Counter[_Place] = Counter()
    for delivery, mailbox in claimed:
        at = delivery.claimed_at
        if at is None:
            continue
        if delivery.kind == "sms":
            places[TEXTS.scope, TEXTS.key, DAILY.span(at)] -= 1
        elif mailbox is not None:
            company = (delivery.recipient or "").rpartition("@")[2]
            places.subtract(
                _places(mailbox, delivery.campaign_id, delivery.stage, company, DAILY.span(at), utc_day(at))
            )
    await uow.traffic.add(_counts(places))


def _places(
    mailbox: Mailbox, campaign_id: str, stage: int, company: str, span: datetime, day: datetime
) -> list[_Place]:
    """Where a mail is counted. Everywhere, whether or not there is a limit now, so that one that is set later knows of
    the day before; by the minute only where there is one (it is not given back either: a minute is soon over)."""
    domain = sending_domain(mailbox.address)
    places = [
        (MAILS.scope, MAILS.key, span),
        (MAILBOX, mailbox.id, span),
        (MAILBOX_DAY, mailbox.id, day),
        (CAMPAIGN_DAY, campaign_id, day),
    ]
    if domain is not None:
        places += [(DOMAIN, domain, span), (DOMAIN_DAY, domain, day)]
    if company not in FREE_MAIL:
        places.append((COMPANY, company, span))
    if stage == 1:
        places.append((FIRST, campaign_id, span))
    return places


def _counts(places: Mapping[_Place, int]) -> dict[tuple[TrafficKey, datetime], int]:
    return {(TrafficKey(scope, key), begin): count for (scope, key, begin), count in places.items()}
