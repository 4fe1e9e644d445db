"""The limits of a workspace with what is used of each: read in a constant number of queries, asked without any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.domain import provider_caps
from core.domain.account import Mailbox
from core.domain.enrollment import Reason
from core.domain.limits import (
    DAILY,
    DAY,
    LOOK_BACK,
    MINUTE,
    Ramp,
    Window,
    company_of,
    next_day_begins,
    sending_domain,
    used_today,
    utc_day,
)
from core.domain.provider_caps import label_of, parse_provider_limits, provider_key
from core.domain.reasons import reason
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import LearnedCap, TrafficKey, UnitOfWork

MAILS: Final = TrafficKey("workspace", "mail")
TEXTS: Final = TrafficKey("workspace", "sms")
_NEVER: Final[Mapping[datetime, int]] = {}


def mailbox_key(mailbox_id: str) -> TrafficKey:
    return TrafficKey("mailbox", mailbox_id)


def mailbox_days(mailbox_id: str) -> TrafficKey:
    """Counted by UTC day, for the ramp and the brake."""
    return TrafficKey("mailbox_day", mailbox_id)


def minute_key(mailbox_id: str) -> TrafficKey:
    return TrafficKey("minute", mailbox_id)


def domain_key(domain: str) -> TrafficKey:
    return TrafficKey("domain", domain)


def domain_days(domain: str) -> TrafficKey:
    """Counted by UTC day, for the ramp."""
    return TrafficKey("domain_day", domain)


def campaign_days(campaign_id: str) -> TrafficKey:
    """Counted by UTC day, for the brake."""
    return TrafficKey("campaign_day", campaign_id)


def company_key(domain: str) -> TrafficKey:
    return TrafficKey("company", domain)


def first_key(campaign_id: str) -> TrafficKey:
    return TrafficKey("first", campaign_id)


@dataclass(slots=True)
class Limit:
    """At most ``cap`` mails in a window. ``reason`` says which limit it is; ``changes_at`` when the cap itself may
    become another one."""

    key: TrafficKey
    window: Window
    cap: int
    reason: Reason
    spans: dict[datetime, int]
    used: int
    changes_at: datetime | None = None

    @property
    def full(self) -> bool:
        return self.used >= self.cap

    @property
    def left(self) -> int:
        return max(0, self.cap - self.used)

    def take(self, now: datetime) -> None:
        """One more goes."""
        span = self.window.span(now)
        self.spans[span] = self.spans.get(span, 0) + 1
        self.used += 1

    def free_at(self, now: datetime) -> datetime:
        """When the next place is free, if none is taken or given before."""
        free = self.window.next_free(self.spans, now, self.cap)
        return free if self.changes_at is None else min(free, self.changes_at)


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose limits are wanted."""

    mailboxes: tuple[Mailbox, ...]
    campaigns: frozenset[str] = frozenset()
    companies: frozenset[str] = frozenset()

    @property
    def domains(self) -> set[str]:
        return {domain for one in self.mailboxes if (domain := sending_domain(one.address))}


@dataclass(slots=True)
class Books:
    """What one transaction has read. ``senders`` counts the sending mailboxes of each domain."""

    settings: WorkspaceSettings
    now: datetime
    counts: Mapping[TrafficKey, Mapping[datetime, int]]
    caps: Mapping[str, LearnedCap]
    senders: Mapping[str, int]
    free_mail: frozenset[str] = frozenset()
    _daily: dict[str, int] = field(default_factory=dict)
    _minute: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def read(
        cls, uow: UnitOfWork, settings: WorkspaceSettings, now: datetime, asked: Asked, senders: Mapping[str, int]
    ) -> Books:
        """Three questions for counts at most, and one for lowered caps."""
        minute = {**provider_caps.PER_MINUTE, **_own(settings, "provider_per_minute")}
        in_force = [one.id for one in asked.mailboxes if provider_key(one.provider, one.address) in minute]
        today = [MAILS, TEXTS, *(mailbox_key(one.id) for one in asked.mailboxes), *map(domain_key, asked.domains)]
        today += [first_key(one) for one in asked.campaigns] if settings["first_mails_daily"] else []
        today += [company_key(one) for one in asked.companies] if settings["company_daily"] else []
        days = [*(mailbox_days(one.id) for one in asked.mailboxes), *map(domain_days, asked.domains)]
        # A day of 25 hours begins before the window of 24 hours does.
        counts = await uow.traffic.spans(today, DAILY.since(now - timedelta(hours=2)))
        counts |= await uow.traffic.spans(days, utc_day(now - LOOK_BACK))
        if in_force:
            counts |= await uow.traffic.spans([minute_key(one) for one in in_force], MINUTE.since(now))
        daily = {**provider_caps.DAILY, **_own(settings, "provider_caps")}
        free_mail = frozenset(str(name).lower() for name in settings["free_mail_domains"])
        return cls(settings, now, counts, await uow.holds.caps(now), senders, free_mail, daily, minute)

    def workspace(self) -> Limit:
        """The Daily Email Limit (R121..R125): from midnight to midnight, where the workspace is."""
        zone = ZoneInfo(self.settings["workspace_zone"])
        spans = dict(self.counts.get(MAILS, _NEVER))
        used, cap = used_today(spans, self.now, zone), int(self.settings["daily_email_limit"])
        return Limit(MAILS, DAILY, cap, reason("email_limit"), spans, used, next_day_begins(self.now, zone))

    def texts(self) -> Limit:
        return self._limit(TEXTS, int(self.settings["sms_daily"]), reason("sms_limit"))

    def mailbox(self, mailbox: Mailbox) -> Limit:
        """The least of what the workspace, the ramp, the provider and the provider's last refusal allow in 24 hours;
        of equal ones the one that lasts."""
        provider = provider_key(mailbox.provider, mailbox.address)
        ramp = self._ramp()
        found: list[tuple[int, Reason, datetime | None]] = [
            (ramp.target, reason("mailbox_limit", f"The workspace's limit is {ramp.target:,}."), None)
        ]
        if provider in self._daily:
            most = self._daily[provider]
            found.append((most, reason("mailbox_limit", f"{label_of(provider)} takes {most:,}."), None))
        today = ramp.cap(self.counts.get(mailbox_days(mailbox.id), _NEVER), self.now)
        grows = f"Its volume grows day by day: {today:,} for now."
        found.append((today, reason("mailbox_limit", grows), utc_day(self.now) + DAY))
        if mailbox.id in self.caps:
            learned = self.caps[mailbox.id]
            found.append((learned.cap, reason("provider_limit"), learned.until))
        cap, why, changes_at = min(found, key=lambda one: one[0])
        return self._limit(mailbox_key(mailbox.id), cap, why, changes_at=changes_at)

    def minute(self, mailbox: Mailbox) -> Limit | None:
        """What the host takes in a minute, where it says so."""
        most = self._minute.get(provider_key(mailbox.provider, mailbox.address))
        return self._limit(minute_key(mailbox.id), most, reason("minute_limit"), window=MINUTE) if most else None

    def domain(self, mailbox: Mailbox) -> Limit | None:
        """What all mailboxes of its domain may send together; free mail has no such limit."""
        domain = sending_domain(mailbox.address)
        if domain is None:
            return None
        ramp = self._ramp().times(max(1, self.senders.get(domain, 1)))
        cap = ramp.cap(self.counts.get(domain_days(domain), _NEVER), self.now)
        return self._limit(domain_key(domain), cap, reason("domain_limit"), changes_at=utc_day(self.now) + DAY)

    def company(self, recipient: str) -> Limit | None:
        cap = int(self.settings["company_daily"])
        company = company_of(recipient, self.free_mail) if cap else None
        return self._limit(company_key(company), cap, reason("company_limit")) if company else None

    def first_mails(self, campaign_id: str) -> Limit | None:
        cap = int(self.settings["first_mails_daily"])
        return self._limit(first_key(campaign_id), cap, reason("first_mails_limit")) if cap else None

    def _ramp(self) -> Ramp:
        keys = ("mailbox_first_daily", "mailbox_daily", "ramp_percent", "mailbox_first_days")
        return Ramp(*(int(self.settings[key]) for key in keys))

    def _limit(
        self,
        key: TrafficKey,
        cap: int,
        why: Reason,
        *,
        window: Window = DAILY,
        changes_at: datetime | None = None,
    ) -> Limit:
        spans = dict(self.counts.get(key, _NEVER))
        return Limit(key, window, cap, why, spans, window.used(spans, self.now), changes_at)


async def senders_by_domain(uow: UnitOfWork) -> dict[str, int]:
    """How many mailboxes of each domain may send."""
    found: dict[str, int] = {}
    for mailbox in await uow.mailboxes.list():
        domain = sending_domain(mailbox.address)
        if domain and mailbox.send and mailbox.status.value != "disconnected":
            found[domain] = found.get(domain, 0) + 1
    return found


def _own(settings: WorkspaceSettings, key: str) -> dict[str, int]:
    return parse_provider_limits(settings[key], key)


def companies_of(addresses: Iterable[str]) -> set[str]:
    """The domains of those that are not free mail everywhere."""
    return {company for address in addresses if (company := company_of(address))}
