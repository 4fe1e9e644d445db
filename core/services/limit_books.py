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

# What is counted by spans of DAILY, and by UTC days (for the ramp and the brakes); MINUTE by its own spans.
MAILBOX: Final = "mailbox"
DOMAIN: Final = "domain"
COMPANY: Final = "company"
FIRST: Final = "first"
PER_MINUTE: Final = "minute"
MAILBOX_DAY: Final = "mailbox_day"
DOMAIN_DAY: Final = "domain_day"
CAMPAIGN_DAY: Final = "campaign_day"

_NEVER: Final[Mapping[datetime, int]] = {}


@dataclass(slots=True)
class Limit:
    """At most ``cap`` mails in a window. ``reason`` says which limit it is; ``changes_at`` when the cap itself may
    become another one."""

    key: TrafficKey
    window: Window
    cap: int
    reason: Reason
    spans: Mapping[datetime, int]
    used: int
    changes_at: datetime | None = None
    taken: int = 0

    @property
    def full(self) -> bool:
        return self.used >= self.cap

    @property
    def left(self) -> int:
        return max(0, self.cap - self.used)

    def take(self) -> None:
        """One more goes now."""
        self.used += 1
        self.taken += 1

    def free_at(self, now: datetime) -> datetime:
        """When the next place is free, if none is taken or given before."""
        span = self.window.span(now)
        spans = {**self.spans, span: self.spans.get(span, 0) + self.taken}
        free = self.window.next_free(spans, now, self.cap)
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
        today = [
            MAILS,
            TEXTS,
            *(TrafficKey(MAILBOX, one.id) for one in asked.mailboxes),
            *(TrafficKey(DOMAIN, one) for one in asked.domains),
        ]
        today += [TrafficKey(FIRST, one) for one in asked.campaigns] if settings["first_mails_daily"] else []
        today += [TrafficKey(COMPANY, one) for one in asked.companies] if settings["company_daily"] else []
        days = [
            *(TrafficKey(MAILBOX_DAY, one.id) for one in asked.mailboxes),
            *(TrafficKey(DOMAIN_DAY, one) for one in asked.domains),
        ]
        # A day of 25 hours begins before the window of 24 hours does.
        counts = await uow.traffic.spans(today, DAILY.since(now - timedelta(hours=2)))
        counts |= await uow.traffic.spans(days, utc_day(now - LOOK_BACK))
        if in_force:
            counts |= await uow.traffic.spans([TrafficKey(PER_MINUTE, one) for one in in_force], MINUTE.since(now))
        daily = {**provider_caps.DAILY, **_own(settings, "provider_caps")}
        free_mail = frozenset(str(name).lower() for name in settings["free_mail_domains"])
        return cls(settings, now, counts, await uow.holds.caps(now), senders, free_mail, daily, minute)

    @property
    def any_narrow(self) -> bool:
        """Whether there are limits of companies or of first mails at all."""
        return bool(self.settings["company_daily"] or self.settings["first_mails_daily"])

    def workspace(self) -> Limit:
        """The Daily Email Limit (R121..R125): from midnight to midnight, where the workspace is."""
        zone = ZoneInfo(self.settings["workspace_zone"])
        spans = self.counts.get(MAILS, _NEVER)
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
        today = ramp.cap(self.counts.get(TrafficKey(MAILBOX_DAY, mailbox.id), _NEVER), self.now)
        grows = f"Its volume grows day by day: {today:,} for now."
        found.append((today, reason("mailbox_limit", grows), utc_day(self.now) + DAY))
        if mailbox.id in self.caps:
            learned = self.caps[mailbox.id]
            found.append((learned.cap, reason("provider_limit"), learned.until))
        cap, why, changes_at = min(found, key=lambda one: one[0])
        return self._limit(TrafficKey(MAILBOX, mailbox.id), cap, why, changes_at=changes_at)

    def caps_ahead(self, mailbox: Mailbox, days: int) -> tuple[int, ...]:
        """Mails in 24 hours for so many days from today, if each day sends all it may: today what is left."""
        ramp, provider = self._ramp(), provider_key(mailbox.provider, mailbox.address)
        volumes = dict(self.counts.get(TrafficKey(MAILBOX_DAY, mailbox.id), _NEVER))
        learned = self.caps.get(mailbox.id)
        caps = [self.mailbox(mailbox).left]
        volumes[utc_day(self.now)] = max(volumes.get(utc_day(self.now), 0), self.mailbox(mailbox).cap)
        for ahead in range(1, days):
            moment = self.now + ahead * DAY
            most = min(ramp.cap(volumes, moment), self._daily.get(provider, ramp.target))
            if learned is not None and learned.until > moment:
                most = min(most, learned.cap)
            caps.append(most)
            volumes[utc_day(moment)] = most
        return tuple(caps)

    def minute(self, mailbox: Mailbox) -> Limit | None:
        """What the host takes in a minute, where it says so."""
        most = self._minute.get(provider_key(mailbox.provider, mailbox.address))
        return (
            self._limit(TrafficKey(PER_MINUTE, mailbox.id), most, reason("minute_limit"), window=MINUTE)
            if most
            else None
        )

    def domain(self, mailbox: Mailbox) -> Limit | None:
        """What all mailboxes of its domain may send together; free mail has no such limit."""
        domain = sending_domain(mailbox.address)
        if domain is None:
            return None
        ramp = self._ramp().times(max(1, self.senders.get(domain, 1)))
        cap = ramp.cap(self.counts.get(TrafficKey(DOMAIN_DAY, domain), _NEVER), self.now)
        return self._limit(TrafficKey(DOMAIN, domain), cap, reason("domain_limit"), changes_at=utc_day(self.now) + DAY)

    def company(self, recipient: str) -> Limit | None:
        cap = int(self.settings["company_daily"])
        company = company_of(recipient, self.free_mail) if cap else None
        return self._limit(TrafficKey(COMPANY, company), cap, reason("company_limit")) if company else None

    def first_mails(self, campaign_id: str) -> Limit | None:
        cap = int(self.settings["first_mails_daily"])
        return self._limit(TrafficKey(FIRST, campaign_id), cap, reason("first_mails_limit")) if cap else None

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
        spans = self.counts.get(key, _NEVER)
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


async def forget_old(uow: UnitOfWork, now: datetime) -> int:
    """Counts that no window, ramp or brake looks at any more; returns how many spans."""
    forgotten = await uow.traffic.forget_before(now - LOOK_BACK - DAY)
    forgotten += await uow.traffic.forget_before(now - DAY * 3, scopes=(MAILS.scope, MAILBOX, DOMAIN, COMPANY, FIRST))
    return forgotten + await uow.traffic.forget_before(now - timedelta(hours=1), scopes=(PER_MINUTE,))
