"""Persistence, as the services need it. Implemented in storage/, on trial by one contract suite on both databases.

Rules that hold for every method: the workspace of the unit of work is in every statement; nothing talks to the
network inside a unit; state changes are compare-and-set on ``version`` (``save`` returns False when somebody was
faster, which is an ordinary answer); times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.domain.account import Mailbox
from core.domain.alert import Alert
from core.domain.campaign import Campaign, CampaignStatus
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import Enrollment, ProspectStatus
from core.domain.folder_sync import FolderState
from core.domain.people import KnownAddress, Person, PersonAddress
from core.ports.backfill import BackfillStore
from core.ports.mail import Credentials


class MailboxStore(Protocol):
    async def add(self, mailbox: Mailbox) -> None:
        """Raises RefusedError(reason="mailbox_exists") where the address is connected already."""
        ...

    async def get(self, mailbox_id: str) -> Mailbox | None: ...
    async def by_address(self, address: str) -> Mailbox | None: ...

    async def list(self, *, owner: str | None = None) -> list[Mailbox]:
        """In order of connection (first come first served, R214)."""
        ...

    async def save(self, mailbox: Mailbox) -> bool:
        """Compare-and-set on ``mailbox.version``; the stored version grows by one."""
        ...

    async def touch(self, mailbox_id: str, *, last_sync_at: datetime) -> None:
        """Proof of life; no version change, no conflict."""
        ...

    async def note_token(self, mailbox_id: str, *, expires_at: datetime | None) -> None:
        """When the access token in use ends; no version change, no conflict."""
        ...

    async def note_refresh(self, mailbox_id: str, *, refreshed_at: datetime) -> None:
        """All folders were looked through from scratch (R32); no version change, no conflict."""
        ...

    async def reserve_slot(self, mailbox_id: str, *, next_send_at: datetime) -> None: ...

    async def put_credentials(self, mailbox_id: str, credentials: Credentials) -> None:
        """Sealed before it is stored, bound to this row."""
        ...

    async def credentials(self, mailbox_id: str) -> Credentials:
        """Raises NotFoundError where none are stored, StorageError where the seal does not open."""
        ...

    async def forget_credentials(self, mailbox_id: str) -> None: ...

    async def lock_seats(self) -> None:
        """Until this unit ends, no other in this workspace passes here: who counts mailboxes against the limit counts
        alone (R214)."""
        ...


class FolderStore(Protocol):
    async def ensure(self, mailbox_id: str, name: str, role: str) -> FolderState: ...
    async def list(self, mailbox_id: str) -> list[FolderState]: ...

    async def by_mailbox(self, mailbox_ids: Collection[str]) -> Mapping[str, tuple[FolderState, ...]]:
        """Those of several mailboxes, by mailbox id; in a constant number of queries."""
        ...

    async def advance(
        self, folder_id: str, *, uidvalidity: int, uidnext: int, exists: int, highestmodseq: int | None = None
    ) -> None:
        """Moves the checkpoint, in the transaction that stores what was read."""
        ...

    async def set_history(self, folder_id: str, *, below: int | None, left: int) -> None:
        """Old mail below this UID is still to be read (None: none), in the transaction that stored what was."""
        ...

    async def mark_read_through(self, folder_ids: Collection[str], at: datetime) -> None: ...
    async def note_reset(self, folder_id: str) -> None: ...

    async def note_failure(self, folder_id: str, *, parked_until: datetime | None) -> None:
        """One more failure of this folder; parked until then where a moment is given."""
        ...

    async def note_success(self, folder_id: str) -> None:
        """The folder opens again: its count of failures begins anew, and it is not parked any more."""
        ...

    async def forget_checkpoints(self, mailbox_id: str) -> None:
        """All is read again from the start, as on the first day (R52); what is logged stays logged once."""
        ...


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """What is kept of every message, also of those that match nobody (ruling on R81): no content."""

    uid: int
    header_hash: bytes
    matched: bool = False


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message worth keeping. ``fingerprint`` identifies the same mail seen again (unique with the mailbox)."""

    id: str
    mailbox_id: str
    fingerprint: str
    message_id: str | None
    direction: str
    kind: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    thread_id: str | None
    text: str
    defects: tuple[str, ...] = ()
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewActivity:
    """A message on a person's stream. ``rule`` says which matching rule put it there (R209)."""

    person_id: str
    fingerprint: str
    message_row_id: str
    direction: str
    kind: str
    rule: str
    at: datetime
    campaign_id: str | None = None
    enrollment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a person's stream as shown."""

    at: datetime
    direction: str
    kind: str
    subject: str
    text: str
    message_id: str | None
    mailbox: str
    rule: str
    campaign: str | None


class MessageStore(Protocol):
    async def record_seen(self, folder_id: str, uidvalidity: int, seen: Sequence[SeenMessage], at: datetime) -> int:
        """Inserts what is new; returns how many were. What was seen before and is matched now counts as matched."""
        ...

    async def seen_counts(self, mailbox_ids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Mailbox id to how many of the messages of which traces are kept (30 days) were matched, and how many
        matched nobody (R81). Constant number of queries."""
        ...

    async def add(self, messages: Sequence[NewMessage]) -> set[str]:
        """Inserts what is new by (mailbox, fingerprint); returns the fingerprints that were."""
        ...

    async def add_activities(self, activities: Sequence[NewActivity]) -> set[tuple[str, str]]:
        """Inserts what is new by (person, fingerprint); returns those pairs."""
        ...

    async def stream(self, person_id: str, *, limit: int = 200) -> list[Activity]:
        """Newest first."""
        ...

    async def forget_seen_before(self, cutoff: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A profile as imported."""

    first_name: str
    last_name: str
    phone: str
    timezone: str
    addresses: tuple[PersonAddress, ...]
    fields: Mapping[str, str] = field(default_factory=dict)


class PeopleStore(Protocol):
    async def ids_by_keys(self, keys: Collection[str]) -> dict[str, str]:
        """Address keys to person ids, in a constant number of queries."""
        ...

    async def known(self, keys: Collection[str], *, variants: bool = False) -> dict[str, list[KnownAddress]]:
        """Addresses on profiles by match key, with ``variants`` by loose key; in a constant number of queries."""
        ...

    async def get(self, person_id: str) -> Person | None: ...
    async def get_many(self, person_ids: Collection[str]) -> dict[str, Person]: ...
    async def by_address(self, key: str) -> Person | None: ...
    async def add_many(self, people: Sequence[tuple[str, NewPerson]], at: datetime) -> None:
        """(id, person) pairs whose addresses belong to nobody yet."""
        ...

    async def update(self, person_id: str, changes: NewPerson, at: datetime) -> None:
        """Fills and replaces what the import names; addresses are added, never taken away."""
        ...

    async def add_address(self, person_id: str, address: PersonAddress) -> None:
        """Raises RefusedError(reason="address_taken") where another person has it."""
        ...

    async def remove_address(self, person_id: str, key: str) -> bool:
        """Where it was the primary one, the person's next address becomes that."""
        ...

    async def count(self) -> int: ...


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

    async def remove(self, enrollment: Enrollment) -> bool:
        """Deletes the row with its deliveries and events (R134)."""
        ...

    async def add_event(self, event: EnrollmentEvent) -> None: ...
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
    async def open_of(self, enrollment_id: str) -> Delivery | None:
        """The delivery that is queued, sending, unknown or held."""
        ...

    async def latest_of(self, enrollment_id: str, stage: int) -> Delivery | None: ...
    async def by_message_ids(self, message_ids: Collection[str]) -> dict[str, Delivery]:
        """By our own id or the one the recipient got; constant number of queries."""
        ...

    async def save(self, delivery: Delivery, *, raw: bytes | None = None) -> bool:
        """Compare-and-set on ``delivery.version``; ``raw`` is stored once and kept by later saves."""
        ...

    async def raw(self, delivery_id: str) -> bytes | None: ...

    async def claim_due(self, now: datetime, *, limit: int, busy: Collection[str] = ()) -> list[DueDelivery]:
        """Queued, due, waiting for nothing, campaign active, its mailbox's spacing over and the mailbox not in
        ``busy``: follow-ups before first touches, oldest first. Rows are locked until the unit ends; others skip
        them."""
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

    async def log(
        self, *, campaign_id: str | None = None, state: Collection[DeliveryState] = (), limit: int = 500
    ) -> list[EmailLogRow]:
        """Newest first."""
        ...


class AlertStore(Protocol):
    async def current(self, key: str) -> Alert | None:
        """The unresolved alert of a key."""
        ...

    async def get(self, alert_id: str) -> Alert | None: ...
    async def list_open(self) -> list[Alert]: ...
    async def add(self, alert: Alert) -> None: ...
    async def save(self, alert: Alert) -> bool: ...


@dataclass(frozen=True, slots=True)
class SyncLogEntry:
    """One line of a mailbox's running log (R39)."""

    mailbox_id: str
    at: datetime
    cause: str
    raw: str
    fix: str


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One Slack message that must exist and show the newest facts. ``key`` is unique in the workspace.

    ``destination`` is a channel id, or ``user:U…`` for a direct message. ``version`` grows with each change of the
    facts, ``posted_version`` is what Slack shows. ``channel`` and ``ts`` say where it stands.
    """

    id: str
    workspace: str
    key: str
    destination: str
    kind: str
    facts: Mapping[str, Any]
    version: int
    posted_version: int
    state: str
    attempts: int
    channel: str | None = None
    ts: str | None = None
    token: str | None = None
    not_before: datetime | None = None
    claimed_at: datetime | None = None


class OutboxStore(Protocol):
    async def put(self, key: str, *, destination: str, kind: str, facts: Mapping[str, Any], at: datetime) -> None:
        """Creates the message or, where the key is there, replaces its facts (an update in place later)."""
        ...

    async def by_key(self, key: str) -> OutboxItem | None: ...
    async def get(self, item_id: str) -> OutboxItem | None: ...
    async def keys_with_prefix(self, prefix: str) -> list[OutboxItem]: ...

    async def claim(self, now: datetime, *, limit: int, token: str) -> list[OutboxItem]:
        """Items whose facts are newer than what Slack shows and that are not being posted; marked ``posting``."""
        ...

    async def posted(self, item: OutboxItem, *, channel: str, ts: str) -> bool:
        """Where newer facts came meanwhile it is ready again."""
        ...

    async def put_back(self, item: OutboxItem, *, not_before: datetime, error: str) -> bool: ...
    async def forget_message(self, item: OutboxItem) -> bool:
        """The message is no longer in Slack: what the row says is posted anew."""
        ...

    async def mark_unknown(self, item: OutboxItem, *, not_before: datetime) -> bool: ...
    async def fail(self, item: OutboxItem, *, error: str) -> bool: ...
    async def renew(self, item_ids: Collection[str], at: datetime) -> int:
        """Those of these that are being posted count as claimed at this moment: their process lives."""
        ...

    async def recover_posting(self, *, claimed_before: datetime) -> int:
        """Posts that a dead process had begun become unknown (posted never) or ready (updates)."""
        ...

    async def count_by_state(self) -> dict[str, int]: ...


class SettingStore(Protocol):
    async def all(self) -> dict[str, Any]: ...
    async def set(self, key: str, value: Any, *, actor: str, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class ConnectTicket:
    """A one-time permission to connect a mailbox on the web page; bound to the Slack user who asked."""

    user: str
    expires_at: datetime
    mailbox_id: str | None = None
    spent_at: datetime | None = None


class TicketStore(Protocol):
    async def add(self, token_hash: bytes, ticket: ConnectTicket) -> None: ...
    async def get(self, token_hash: bytes) -> ConnectTicket | None: ...
    async def spend(self, token_hash: bytes, at: datetime) -> bool:
        """True once: unspent and not expired."""
        ...


@dataclass(frozen=True, slots=True)
class SignInState:
    """A sign-in under way at a provider; bound to the Slack user's ticket. ``address`` is the one the person typed."""

    ticket_hash: bytes
    provider: str
    address: str
    expires_at: datetime
    spent_at: datetime | None = None


class SignInStore(Protocol):
    async def add(self, state_hash: bytes, state: SignInState) -> None: ...

    async def spend(self, state_hash: bytes, at: datetime) -> SignInState | None:
        """The state, once: unspent and not expired; None otherwise."""
        ...


class LeaseStore(Protocol):
    """Which process keeps a mailbox: one holder at a time, until its time is over."""

    async def take(self, mailbox_ids: Collection[str], *, holder: str, now: datetime, until: datetime) -> set[str]:
        """Takes or renews; returns those that the holder has now. Constant number of statements."""
        ...

    async def give_back(self, mailbox_ids: Collection[str], *, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Canary:
    """A mail that one mailbox sent another to prove that both work (X6). ``seen_at`` None: no echo yet;
    ``settled_at`` is set when its echo came or its absence was told."""

    id: str
    from_mailbox: str
    to_mailbox: str
    message_id: str
    sent_at: datetime
    seen_at: datetime | None = None
    settled_at: datetime | None = None


class CanaryStore(Protocol):
    async def add(self, canary: Canary) -> None: ...
    async def latest(self, from_mailbox: str) -> Canary | None: ...

    async def seen(self, message_ids: Collection[str], to_mailbox: str, at: datetime) -> int:
        """Marks those of these that were sent to this mailbox; returns how many were."""
        ...

    async def overdue(self, sent_before: datetime) -> list[Canary]:
        """Without echo, unsettled, sent before this moment."""
        ...

    async def settle(self, canary_id: str, at: datetime) -> None: ...

    async def echoed_since(self, to_mailbox: str, at: datetime) -> bool:
        """Whether a check mail reached this mailbox after this moment."""
        ...

    async def forget_before(self, cutoff: datetime) -> int: ...


class SyncLogStore(Protocol):
    async def add(self, entry: SyncLogEntry) -> None: ...
    async def list(self, mailbox_id: str, *, limit: int = 50) -> list[SyncLogEntry]:
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


class ReportStore(Protocol):
    """Read-only questions for people's eyes."""

    async def prospects(
        self, campaign_id: str, *, status: ProspectStatus | None = None, limit: int = 100_000
    ) -> list[ProspectRow]: ...
    async def status_counts(self, campaign_ids: Collection[str]) -> dict[str, dict[ProspectStatus, int]]: ...
    async def stage_counts(self, campaign_id: str) -> list[StageCount]: ...
    async def delivery_counts(self) -> dict[DeliveryState, int]: ...


class AuditStore(Protocol):
    async def add(
        self, *, at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any] | None = None
    ) -> None: ...


class SeenStore(Protocol):
    async def first_time(self, key: str, at: datetime) -> bool:
        """True once per key: a repeated Slack delivery is answered, not done again."""
        ...

    async def forget_before(self, cutoff: datetime) -> int: ...


class UnitOfWork(Protocol):
    """One transaction in one workspace, with its stores. Leaving the block commits; an exception rolls back."""

    @property
    def workspace(self) -> str: ...
    @property
    def mailboxes(self) -> MailboxStore: ...
    @property
    def folders(self) -> FolderStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def enrollments(self) -> EnrollmentStore: ...
    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def alerts(self) -> AlertStore: ...
    @property
    def sync_log(self) -> SyncLogStore: ...
    @property
    def outbox(self) -> OutboxStore: ...
    @property
    def settings(self) -> SettingStore: ...
    @property
    def tickets(self) -> TicketStore: ...
    @property
    def sign_ins(self) -> SignInStore: ...
    @property
    def leases(self) -> LeaseStore: ...
    @property
    def canaries(self) -> CanaryStore: ...
    @property
    def backfills(self) -> BackfillStore: ...
    @property
    def reports(self) -> ReportStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def seen(self) -> SeenStore: ...

    def wake(self, topic: str) -> None:
        """Says, after the commit, that there is work: "sync", "outreach" or "notifications"."""
        ...


class Store(Protocol):
    """The database."""

    def read(self, workspace: str) -> AbstractAsyncContextManager[UnitOfWork]: ...
    def write(self, workspace: str) -> AbstractAsyncContextManager[UnitOfWork]: ...
    async def ensure_workspace(self, workspace: str, *, name: str, at: datetime) -> None: ...
    async def workspaces(self) -> list[str]: ...

    async def workspaces_with_work(self, topic: str, now: datetime) -> list[str]:
        """Workspaces in which "outreach" (a due delivery), "checks" (an unknown one to look up) or "notifications"
        (an unposted item) is due: one cheap indexed question."""
        ...

    async def wait(self, topic: str, timeout: float) -> bool:
        """Waits for a wake-up of this topic or the time-out (seconds); True where it was woken. A wake-up that came
        since the last wait is not lost."""
        ...

    async def ping(self) -> None:
        """A durable write and a read; raises StorageError."""
        ...

    async def close(self) -> None: ...
