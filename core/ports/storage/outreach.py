"""Campaigns, prospects, deliveries, and what people look up about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.account import Mailbox
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import Enrollment, ProspectStatus, Reason
from core.domain.folder_sync import FolderState
from core.domain.people import Person
from core.ports.storage.engagement import EngagementCount


class CampaignStore(Protocol):
    async def add(self, campaign: Campaign) -> None:
        """Raises RefusedError(reason="campaign_exists") where the name is taken."""
        ...

    async def get(self, campaign_id: str) -> Campaign | None: ...
    async def get_many(self, campaign_ids: Collection[str]) -> dict[str, Campaign]: ...
    async def by_name(self, name: str) -> Campaign | None:
        """Exact name, else the same without regard to case."""
        ...

    async def list(self) -> list[Campaign]: ...
    async def set_status(self, campaign: Campaign, status: CampaignStatus) -> bool: ...
    async def replace(self, campaign: Campaign) -> bool:
        """A draft imported again: stages and definition, compare-and-set on version."""
        ...


class EnrollmentStore(Protocol):
    async def add_many(self, enrollments: Sequence[Enrollment]) -> set[str]:
        """Inserts those whose (campaign, person) is new; returns the ids that were."""
        ...

    async def get(self, enrollment_id: str) -> Enrollment | None: ...
    async def get_many(self, enrollment_ids: Collection[str]) -> dict[str, Enrollment]: ...
    async def find(self, campaign_id: str, person_id: str) -> Enrollment | None: ...
    async def of_person(self, person_id: str) -> list[Enrollment]: ...
    async def save(self, enrollment: Enrollment) -> bool:
        """Compare-and-set on ``enrollment.version``."""
        ...

    async def lock(self, enrollment_ids: Collection[str]) -> dict[str, int]:
        """Ids to versions of those that are there; nobody else changes them until the unit ends."""
        ...

    async def save_many(self, changes: Sequence[tuple[Enrollment, Enrollment]]) -> None:
        """Each as it was read and as it shall be, in a few statements. Raises LostRaceError where one was changed
        meanwhile: the unit must be undone. What is locked first cannot have been."""
        ...

    async def running(self, enrollment_ids: Collection[str]) -> set[str]:
        """Those of these that are Active or Pending."""
        ...

    async def remove(self, enrollment: Enrollment) -> bool:
        """Deletes the row with its deliveries and events (R134)."""
        ...

    async def add_event(self, event: EnrollmentEvent) -> None: ...
    async def add_events(self, events: Sequence[EnrollmentEvent]) -> None: ...
    async def events(self, enrollment_id: str) -> list[EnrollmentEvent]: ...


@dataclass(frozen=True, slots=True)
class EnrollmentEvent:
    """One line of a prospect's ledger (X9): what changed it, on what evidence, by whom."""

    enrollment_id: str
    at: datetime
    event: str
    status: ProspectStatus
    stage: int
    actor: str
    reason: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A claimable delivery with the facts that its gates ask for. ``previous_message_ids`` is the thread so far,
    oldest first, each the id the recipient got; ``thread_subject`` the first mail's subject."""

    delivery: Delivery
    enrollment: Enrollment
    person: Person
    mailbox: Mailbox | None
    previous_message_ids: tuple[str, ...]
    thread_subject: str | None
    folders: tuple[FolderState, ...]


@dataclass(frozen=True, slots=True)
class EmailLogRow:
    """One line of the Email Log (R163)."""

    id: str
    campaign: str
    email: str
    person: str
    stage: int
    state: DeliveryState
    reason: str | None
    server_text: str | None
    at: datetime
    message_id: str | None
    subject: str | None


class DeliveryStore(Protocol):
    async def add_many(self, deliveries: Sequence[Delivery]) -> None:
        """Raises RefusedError(reason="delivery_exists") where (enrollment, stage, series) is there already."""
        ...

    async def get(self, delivery_id: str) -> Delivery | None: ...
    async def lock(self, delivery_ids: Collection[str]) -> dict[str, int]:
        """Ids to versions of those that are there; nobody else changes them until the unit ends."""
        ...

    async def open_of(self, enrollment_id: str) -> Delivery | None:
        """The delivery that is queued, sending, unknown or held."""
        ...

    async def latest_of(self, enrollment_id: str, stage: int) -> Delivery | None: ...
    async def furthest_stages(self, enrollment_ids: Collection[str]) -> dict[str, int]:
        """Enrollment ids to the highest stage that has a delivery."""
        ...

    async def bounced_recipients(self, enrollment_ids: Collection[str]) -> dict[str, set[str]]:
        """Enrollment ids to the addresses at which one of their mails was refused or came back for good."""
        ...

    async def by_message_ids(self, message_ids: Collection[str]) -> dict[str, Delivery]:
        """By our own id or the one the recipient got; constant number of queries."""
        ...

    async def save(self, delivery: Delivery, *, raw: bytes | None = None) -> bool:
        """Compare-and-set on ``delivery.version``; ``raw`` is stored once and kept by later saves."""
        ...

    async def save_many(
        self, changes: Sequence[tuple[Delivery, Delivery]], *, raws: Mapping[str, bytes] | None = None
    ) -> None:
        """Each as it was read and as it shall be, in a few statements; ``raws`` as ``save``'s, by id. Raises
        LostRaceError where one was changed meanwhile: the unit must be undone. What is locked first cannot have
        been."""
        ...

    async def raw(self, delivery_id: str) -> bytes | None: ...
    async def raws(self, delivery_ids: Collection[str]) -> dict[str, bytes]: ...

    async def claim_due(
        self, now: datetime, *, limit: int, busy: Collection[str] = (), each: int | None = None
    ) -> list[DueDelivery]:
        """Queued, due, waiting for nothing, campaign active, its mailbox's spacing over and the mailbox not in
        ``busy``: follow-ups before first touches, oldest first; of these the first ``each`` of every mailbox. Rows
        are locked until the unit ends; others skip them."""
        ...

    async def hold_back(self, campaign_id: str, *, waiting_for: str) -> int:
        """Queued deliveries of a campaign that wait for nothing wait for this."""
        ...

    async def release(
        self, waiting_for: str, *, not_before: datetime, campaign_id: str | None = None, mailbox_id: str | None = None
    ) -> int:
        """Queued deliveries waiting for this become due again (never earlier than ``not_before``), and their
        prospects Active. Returns how many."""
        ...

    async def waiting_addresses(self, waiting_for: str, *, limit: int) -> list[str]:
        """Addresses of the people whose queued deliveries wait for this."""
        ...

    async def sending(self, *, claimed_before: datetime | None = None) -> list[Delivery]:
        """Those in ``sending``: all, or those claimed (or renewed) before a moment."""
        ...

    async def renew(self, delivery_ids: Collection[str], at: datetime) -> int:
        """Those of these that are ``sending`` count as claimed at this moment: their process lives. No new version."""
        ...

    async def checks_due(self, now: datetime, *, limit: int = 100) -> list[Delivery]:
        """Unknown deliveries whose next look into Sent is due."""
        ...

    async def latest_accepted(self, mailbox_id: str, *, limit: int = 3) -> list[Delivery]:
        """Newest deliveries of a mailbox that the server itself acknowledged: the control when Sent is searched."""
        ...

    async def failed_of(self, campaign_id: str, *, reason: str | None = None) -> list[Delivery]:
        """The latest delivery of each prospect whose status is a failure (Retry all)."""
        ...

    async def failed_of_mailbox(
        self, mailbox_id: str, *, reason: str, since: datetime
    ) -> list[tuple[Delivery, datetime]]:
        """Such deliveries of one mailbox in all campaigns that failed since that moment, each with when it did; the
        oldest first."""
        ...

    async def count_failed_of_mailbox(self, mailbox_id: str, *, reason: str, since: datetime) -> int:
        """How many ``failed_of_mailbox`` would name."""
        ...

    async def log(
        self, *, campaign_id: str | None = None, state: Collection[DeliveryState] = (), limit: int = 500
    ) -> list[EmailLogRow]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class ProspectRow:
    """One line of a campaign's Prospects view."""

    enrollment_id: str
    person: str
    email: str
    status: ProspectStatus
    reason_code: str | None
    reason_text: str | None
    reason_fix: str | None
    stage: int
    next_at: datetime | None
    delivery_id: str | None
    delivery_state: DeliveryState | None
    delivery_version: int | None


@dataclass(frozen=True, slots=True)
class StageCount:
    """Distinct prospects per stage."""

    stage: int
    sent: int
    replied: int


@dataclass(frozen=True, slots=True)
class PeopleCount:
    """Distinct people in some campaigns: all, those who got at least one mail or text, and those who answered."""

    people: int
    recipients: int
    replied: int


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """How often something (sent, replied, failed) happened in the minute that begins at ``at``."""

    at: datetime
    what: str
    count: int


class ReportStore(Protocol):
    """Read-only questions for people's eyes."""

    async def prospects(
        self, campaign_id: str, *, status: ProspectStatus | None = None, limit: int = 100_000, offset: int = 0
    ) -> list[ProspectRow]: ...
    async def people_counts(self, campaign_ids: Collection[str]) -> PeopleCount: ...

    async def engaged_people(self, campaign_ids: Collection[str]) -> list[EngagementCount]:
        """Distinct people over any stage of any of these campaigns."""
        ...

    async def minutes(self, campaign_ids: Collection[str], since: datetime) -> list[MinuteCount]:
        """What happened since a moment: mails sent, people's first replies, sends that failed (when they were
        tried)."""
        ...

    async def status_counts(self, campaign_ids: Collection[str]) -> dict[str, dict[ProspectStatus, int]]: ...
    async def stage_counts(self, campaign_id: str) -> list[StageCount]: ...
    async def delivery_counts(self) -> dict[DeliveryState, int]: ...


class BulkStore(Protocol):
    """Changes of very many prospects in a few statements, each with its line in the ledger."""

    async def wait_due_of_mailbox(self, mailbox_id: str, reason: Reason, *, at: datetime, most: int = 500) -> int:
        """Of the first so many that are due by now from this mailbox, Active prospects of running campaigns become
        Pending with the reason. Their deliveries stay claimable: the first free place takes one. Returns how many."""
        ...

    async def count_due_of_mailbox(self, mailbox_id: str, *, at: datetime) -> int:
        """How many stages are due from this mailbox and wait for nothing but their turn."""
        ...

    async def due_of_mailbox(self, mailbox_id: str, *, at: datetime, most: int) -> list[str]:
        """At most so many of the Active prospects of running campaigns whose next stage is due from this mailbox."""
        ...

    async def wait_of_mailbox(
        self, mailbox_id: str, enrollment_ids: Collection[str], reason: Reason, *, at: datetime
    ) -> int:
        """Those of these that are due from this mailbox still, and Active, become Pending. Returns how many."""
        ...

    async def wait_for_campaign(
        self, campaign_id: str, reason: Reason, *, actor: str, at: datetime, most: int = 5_000
    ) -> int:
        """Queued deliveries that wait for nothing wait for ``reason.code``; their Active prospects become Pending.
        At most so many at a time, so that others can write in between; returns how many deliveries changed."""
        ...

    async def cancel_campaign(
        self, campaign_id: str, reason: Reason, *, actor: str, at: datetime, most: int = 5_000
    ) -> int:
        """Queued deliveries are cancelled; their running prospects become Not Delivered with the reason. At most so
        many at a time; returns how many deliveries changed."""
        ...

    async def release_campaign(
        self, campaign_id: str, waiting_for: str, *, actor: str, at: datetime, most: int = 5_000
    ) -> int:
        """The other way round: what waits for this is due again (never earlier than ``at``), its Pending prospects
        Active. At most so many at a time; returns how many deliveries changed."""
        ...

    async def out_of_step(self) -> dict[str, CampaignStatus]:
        """Ids of running campaigns for which stages still wait, and of closed ones with stages still queued."""
        ...

    async def send_from(self, campaign_id: str, stage: int, mailbox_id: str | None, *, own: bool) -> int:
        """Queued deliveries of a stage go from this mailbox; where the stage has none of its ``own``, each from its
        prospect's. Returns how many."""
        ...
