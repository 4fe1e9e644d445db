"""Persistence, as the services need it. Implemented in storage/, on trial by one contract suite on both databases.

Rules that hold for every method: the workspace of the unit of work is in every statement; nothing talks to the
network inside a unit; state changes are compare-and-set on ``version`` (``save`` returns False when somebody was
faster, which is an ordinary answer); times are aware UTC.
"""

from __future__ import annotations

from core.ports.storage.engagement import (
    CampaignFile,
    CampaignFileStore,
    Engagement,
    EngagementCount,
    EngagementStore,
)
from core.ports.storage.limits import (
    DomainCheckStore,
    Hold,
    HoldStore,
    LearnedCap,
    Suppression,
    SuppressionStore,
    TrafficKey,
    TrafficStore,
)
from core.ports.storage.lists import ListStore, LogLine, LogPage, ProspectPage
from core.ports.storage.mailboxes import (
    Canary,
    CanaryStore,
    ConnectTicket,
    FolderStore,
    LeaseStore,
    MailboxStore,
    SignInState,
    SignInStore,
    SyncLogEntry,
    SyncLogStore,
    TicketStore,
)
from core.ports.storage.messages import Activity, MessageStore, NewActivity, NewMessage, SeenMessage
from core.ports.storage.notices import AlertStore, AuditStore, OutboxItem, OutboxStore, SeenStore, SettingStore
from core.ports.storage.outreach import (
    BulkStore,
    CampaignStore,
    DeliveryStore,
    DueDelivery,
    EmailLogRow,
    EnrollmentEvent,
    EnrollmentStore,
    MinuteCount,
    PeopleCount,
    ProspectRow,
    ReportStore,
    StageCount,
)
from core.ports.storage.profiles import NewPerson, PeopleStore
from core.ports.storage.stages import StageStore
from core.ports.storage.units import Store, UnitOfWork

__all__ = [
    "Activity",
    "AlertStore",
    "AuditStore",
    "BulkStore",
    "CampaignFile",
    "CampaignFileStore",
    "CampaignStore",
    "Canary",
    "CanaryStore",
    "ConnectTicket",
    "DeliveryStore",
    "DomainCheckStore",
    "DueDelivery",
    "EmailLogRow",
    "Engagement",
    "EngagementCount",
    "EngagementStore",
    "EnrollmentEvent",
    "EnrollmentStore",
    "FolderStore",
    "Hold",
    "HoldStore",
    "LearnedCap",
    "LeaseStore",
    "ListStore",
    "LogLine",
    "LogPage",
    "MailboxStore",
    "MessageStore",
    "MinuteCount",
    "NewActivity",
    "NewMessage",
    "NewPerson",
    "OutboxItem",
    "OutboxStore",
    "PeopleCount",
    "PeopleStore",
    "ProspectPage",
    "ProspectRow",
    "ReportStore",
    "SeenMessage",
    "SeenStore",
    "SettingStore",
    "SignInState",
    "SignInStore",
    "StageCount",
    "StageStore",
    "Store",
    "Suppression",
    "SuppressionStore",
    "SyncLogEntry",
    "SyncLogStore",
    "TicketStore",
    "TrafficKey",
    "TrafficStore",
    "UnitOfWork",
]
