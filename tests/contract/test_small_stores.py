"""Alerts, settings, tickets, logs and seen keys, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.domain.alert import Alert, AlertState
from core.errors import RefusedError
from core.ports.storage import ConnectTicket, SyncLogEntry
from storage.sql_store import SqlStore
from tests.stores import NOW, make_mailbox

MINUTE = timedelta(minutes=1)


def make_alert(alert_id: str = "a1", **changes: object) -> Alert:
    alert = Alert(alert_id, "T1", "sync:mb1", AlertState.OPEN, 1, NOW, {"cause": "auth_failed", "tries": 3})
    return replace(alert, **changes)  # type: ignore[arg-type]


async def test_a_cause_has_at_most_one_unresolved_alert(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.alerts.add(make_alert())
        with pytest.raises(RefusedError):
            await uow.alerts.add(make_alert("a2"))
        assert await uow.alerts.current("sync:mb1") == make_alert()
        resolved = make_alert(state=AlertState.RESOLVED, resolved_at=NOW + MINUTE)
        assert await uow.alerts.save(resolved)
        assert not await uow.alerts.save(make_alert(state=AlertState.RESYNCING))
        assert await uow.alerts.current("sync:mb1") is None
        assert await uow.alerts.get("a1") == replace(resolved, version=2)
        await uow.alerts.add(make_alert("a2"))
        await uow.alerts.add(make_alert("a3", key="storm", opened_at=NOW - MINUTE))
        assert [one.id for one in await uow.alerts.list_open()] == ["a3", "a2"]


async def test_settings_are_set_and_set_again(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for key, value in (("spacing", [60, 120]), ("channel", "C0"), ("spacing", {"min": 5}), ("limit", None)):
            await uow.settings.set(key, value, actor="U0ADA", at=NOW)
        assert await uow.settings.all() == {"spacing": {"min": 5}, "channel": "C0", "limit": None}


async def test_a_ticket_is_spent_once_and_only_in_time(store: SqlStore) -> None:
    ticket = ConnectTicket("U0RITA", NOW + MINUTE, mailbox_id="mb1")
    async with store.write("T1") as uow:
        await uow.tickets.add(b"hash", ticket)
        assert await uow.tickets.get(b"hash") == ticket
        assert await uow.tickets.get(b"other") is None
        assert not await uow.tickets.spend(b"hash", NOW + MINUTE)
        assert await uow.tickets.spend(b"hash", NOW)
        assert not await uow.tickets.spend(b"hash", NOW)
        assert await uow.tickets.get(b"hash") == replace(ticket, spent_at=NOW)


async def test_a_mailbox_log_shows_the_newest_first(store: SqlStore) -> None:
    entries = [SyncLogEntry("mb1", NOW + n * MINUTE, f"cause {n}", "raw", "fix") for n in range(3)]
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        for entry in entries:
            await uow.sync_log.add(entry)
        assert await uow.sync_log.list("mb1", limit=2) == [entries[2], entries[1]]
        assert await uow.sync_log.list("mb2") == []


async def test_a_key_is_seen_for_the_first_time_once(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        assert await uow.seen.first_time("Ev1", NOW)
        assert not await uow.seen.first_time("Ev1", NOW)
        assert await uow.seen.first_time("Ev2", NOW + MINUTE)
        assert await uow.seen.forget_before(NOW + MINUTE) == 1
        assert await uow.seen.first_time("Ev1", NOW)


async def test_the_audit_keeps_every_line(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.audit.add(at=NOW, actor="U0ADA", action="mailbox.pause", subject="mb1", facts={"why": "holiday"})
        await uow.audit.add(at=NOW, actor="U0ADA", action="mailbox.resume", subject="mb1")
    async with store.database.reader.connect() as connection:
        rows = (await connection.execute(text("SELECT action, facts FROM audit WHERE audit.workspace = 'T1'"))).all()
    assert [tuple(row) for row in rows] == [("mailbox.pause", '{"why":"holiday"}'), ("mailbox.resume", "{}")]
