"""A workspace of many mailboxes that break and mend, with the alert loop moved step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.alert import Alert
from core.errors import LoginRefusedError, MailError, UnreachableError
from core.ports.storage import OutboxItem
from core.services.alert_desk import AlertDesk
from core.services.diagnose import diagnose_error
from core.services.expiry import ExpiryService
from core.services.reminders import ReminderService
from core.services.storms import StormService
from core.services.tools import persistently
from core.workers.alerts import AlertWorker
from tests.services.rig import Rig
from tests.stores import make_mailbox

CHANNEL = "C0ALERTS"
WRONG = LoginRefusedError("[AUTHENTICATIONFAILED] Invalid credentials", layer="imap", host="mail.agency.test")
SECRET = LoginRefusedError(
    '{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}',
    layer="oauth",
    host="login.microsoftonline.com",
)
AWAY = UnreachableError("TimeoutError: connection timed out", layer="socket", host="mail.agency.test")
SHUT = LoginRefusedError("User is authenticated but not connected.", layer="imap", host="outlook.office365.com")
VERSIONS = {"rethread": "0.1.0", "python": "3.11"}


@dataclass
class AlertRig:
    """``rig`` with the services of alerts. Mailboxes are rows: nothing is connected."""

    rig: Rig
    storms: StormService
    reminders: ReminderService
    expiry: ExpiryService
    desk: AlertDesk
    worker: AlertWorker

    @classmethod
    def on(cls, rig: Rig) -> AlertRig:
        tools = rig.tools
        storms, reminders, expiry = StormService(tools), ReminderService(tools), ExpiryService(tools)
        return cls(
            rig,
            storms,
            reminders,
            expiry,
            AlertDesk(tools, rig.mailboxes, rig.prospects, VERSIONS),
            AlertWorker(tools.store, tools.clock, storms, reminders, expiry),
        )

    async def open(self, **settings: Any) -> None:
        await self.rig.settings.seed("T1", {"alert_channel": CHANNEL, **settings})

    async def add(self, name: str, **changes: Any) -> str:
        """A green mailbox ``<name>@agency.test`` at Google; its id is its name, and its owner is Rita."""
        values: dict[str, Any] = {"address": f"{name}@agency.test", "provider": "google", "username": name, **changes}
        async with self.rig.store.write("T1") as uow:
            await uow.mailboxes.add(make_mailbox(name, **values))
        return name

    async def add_many(self, *names: str, **changes: Any) -> list[str]:
        return [await self.add(name, **changes) for name in names]

    async def break_(self, name: str, error: MailError = WRONG, **changes: Any) -> None:
        """What the sync does once patience is over."""

        async def unit() -> None:
            async with self.rig.store.write("T1") as uow:
                mailbox = await self._row(uow, name)
                diagnosis = diagnose_error(error, provider=mailbox.provider)
                now = self.rig.clock.now()
                changed = replace(
                    mailbox,
                    status=changes.get("status", MailboxStatus.ERROR),
                    fault=SyncFault(diagnosis.cause, diagnosis.raw, diagnosis.fix, now),
                    streak=mailbox.streak + 1,
                    failing_since=mailbox.failing_since or now,
                    resync_requested_at=None,
                )
                await uow.mailboxes.save(changed)
                await self.rig.alerts.broke(uow, changed, diagnosis, side=changes.get("side", "reading"))

        await persistently(unit)

    async def mend(self, name: str, *, caught_up: int = 0, failed: int = 0) -> None:
        """What the sync does when every folder is read again."""
        await persistently(partial(self._mend, name, caught_up, failed))

    async def _mend(self, name: str, caught_up: int, failed: int) -> None:
        async with self.rig.store.write("T1") as uow:
            mailbox = await self._row(uow, name)
            changed = replace(
                mailbox,
                status=MailboxStatus.ACTIVE,
                fault=None,
                streak=0,
                failing_since=None,
                resync_requested_at=None,
            )
            await uow.mailboxes.save(changed)
            await self.rig.alerts.recovered(uow, changed, caught_up=caught_up, failed_meanwhile=failed)

    @staticmethod
    async def _row(uow: Any, name: str) -> Mailbox:
        mailbox = await uow.mailboxes.get(name)
        assert isinstance(mailbox, Mailbox)
        return mailbox

    async def look(self) -> None:
        """One round of the alert loop, reminders and warnings among it."""
        await self.storms.settle("T1")
        await self.reminders.tell_again("T1")
        await self.expiry.count_down("T1")

    async def pass_days(self, days: float) -> None:
        self.rig.clock.at += timedelta(days=days)
        await self.look()

    async def alert(self, name: str) -> Alert:
        """The open alert of a mailbox."""
        async with self.rig.store.read("T1") as uow:
            found = await uow.alerts.current(f"sync:{name}")
        assert found is not None
        return found

    async def open_alerts(self, kind: str = "") -> list[Alert]:
        async with self.rig.store.read("T1") as uow:
            return [one for one in await uow.alerts.list_open() if one.key.startswith(kind)]

    async def storm(self) -> Alert:
        (found,) = await self.open_alerts("storm:")
        return found

    async def in_channel(self, *kinds: str) -> list[OutboxItem]:
        """The cards of the alert channel, of these kinds, or all; oldest first."""
        cards = [one for one in await self.rig.cards() if one.destination == CHANNEL]
        return [one for one in cards if one.kind in kinds or not kinds]

    async def direct(self, *kinds: str, user: str = "U0RITA") -> list[OutboxItem]:
        """The cards in somebody's direct messages."""
        cards = [one for one in await self.rig.cards() if one.destination == f"user:{user}"]
        return [one for one in cards if one.kind in kinds or not kinds]
