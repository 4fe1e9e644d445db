"""One transaction in one workspace, with its stores."""

from __future__ import annotations

from functools import cached_property

from storage.alert_store import SqlAlertStore
from storage.audit import SqlAuditStore
from storage.backfill_store import SqlBackfillStore
from storage.bulk_store import SqlBulkStore
from storage.campaign_store import SqlCampaignStore
from storage.canary_store import SqlCanaryStore
from storage.delivery_store import SqlDeliveryStore
from storage.engagement_stores import SqlCampaignFileStore, SqlEngagementStore
from storage.enrollment_store import SqlEnrollmentStore
from storage.filing_store import SqlFilingStore
from storage.folder_store import SqlFolderStore
from storage.leases import SqlLeaseStore
from storage.limit_stores import SqlDomainCheckStore, SqlHoldStore, SqlSuppressionStore, SqlTrafficStore
from storage.mailbox_store import SqlMailboxStore
from storage.message_store import SqlMessageStore
from storage.outbox import SqlOutboxStore
from storage.people_store import SqlPeopleStore
from storage.prospect_queries import SqlListStore
from storage.scope import Scope
from storage.seen_store import SqlSeenStore
from storage.setting_store import SqlSettingStore
from storage.sign_in_store import SqlSignInStore
from storage.stage_queries import SqlStageStore
from storage.status_queries import SqlReportStore
from storage.sync_log_store import SqlSyncLogStore
from storage.ticket_store import SqlTicketStore
from storage.vault import Vault


class SqlUnitOfWork:
    """Implements ``ports.UnitOfWork``. Stores come into being when they are first asked for."""

    def __init__(self, scope: Scope, vault: Vault) -> None:
        self._scope = scope
        self._vault = vault
        self.topics: set[str] = set()

    @property
    def workspace(self) -> str:
        return self._scope.workspace

    def wake(self, topic: str) -> None:
        self.topics.add(topic)

    @cached_property
    def mailboxes(self) -> SqlMailboxStore:
        return SqlMailboxStore(self._scope, self._vault)

    @cached_property
    def folders(self) -> SqlFolderStore:
        return SqlFolderStore(self._scope)

    @cached_property
    def messages(self) -> SqlMessageStore:
        return SqlMessageStore(self._scope)

    @cached_property
    def people(self) -> SqlPeopleStore:
        return SqlPeopleStore(self._scope)

    @cached_property
    def campaigns(self) -> SqlCampaignStore:
        return SqlCampaignStore(self._scope)

    @cached_property
    def enrollments(self) -> SqlEnrollmentStore:
        return SqlEnrollmentStore(self._scope)

    @cached_property
    def deliveries(self) -> SqlDeliveryStore:
        return SqlDeliveryStore(self._scope)

    @cached_property
    def alerts(self) -> SqlAlertStore:
        return SqlAlertStore(self._scope)

    @cached_property
    def sync_log(self) -> SqlSyncLogStore:
        return SqlSyncLogStore(self._scope)

    @cached_property
    def outbox(self) -> SqlOutboxStore:
        return SqlOutboxStore(self._scope)

    @cached_property
    def settings(self) -> SqlSettingStore:
        return SqlSettingStore(self._scope)

    @cached_property
    def tickets(self) -> SqlTicketStore:
        return SqlTicketStore(self._scope)

    @cached_property
    def sign_ins(self) -> SqlSignInStore:
        return SqlSignInStore(self._scope)

    @cached_property
    def leases(self) -> SqlLeaseStore:
        return SqlLeaseStore(self._scope)

    @cached_property
    def canaries(self) -> SqlCanaryStore:
        return SqlCanaryStore(self._scope)

    @cached_property
    def backfills(self) -> SqlBackfillStore:
        return SqlBackfillStore(self._scope)

    @cached_property
    def filings(self) -> SqlFilingStore:
        return SqlFilingStore(self._scope)

    @cached_property
    def reports(self) -> SqlReportStore:
        return SqlReportStore(self._scope)

    @cached_property
    def stages(self) -> SqlStageStore:
        return SqlStageStore(self._scope)

    @cached_property
    def lists(self) -> SqlListStore:
        return SqlListStore(self._scope)

    @cached_property
    def bulk(self) -> SqlBulkStore:
        return SqlBulkStore(self._scope)

    @cached_property
    def traffic(self) -> SqlTrafficStore:
        return SqlTrafficStore(self._scope)

    @cached_property
    def holds(self) -> SqlHoldStore:
        return SqlHoldStore(self._scope)

    @cached_property
    def suppressions(self) -> SqlSuppressionStore:
        return SqlSuppressionStore(self._scope)

    @cached_property
    def domain_checks(self) -> SqlDomainCheckStore:
        return SqlDomainCheckStore(self._scope)

    @cached_property
    def engagements(self) -> SqlEngagementStore:
        return SqlEngagementStore(self._scope)

    @cached_property
    def campaign_files(self) -> SqlCampaignFileStore:
        return SqlCampaignFileStore(self._scope)

    @cached_property
    def audit(self) -> SqlAuditStore:
        return SqlAuditStore(self._scope)

    @cached_property
    def seen(self) -> SqlSeenStore:
        return SqlSeenStore(self._scope)
