"""Alerts, settings, tickets, logs and seen keys, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.domain.alert import Alert, AlertState
from core.errors import RefusedError
from core.ports.storage import Canary, ConnectTicket, SignInState, SyncLogEntry
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


async def test_an_alert_may_turn_out_to_be_about_more(store: SqlStore) -> None:
    """Under its new key it is found, and the old one is free again."""
    async with store.write("T1") as uow:
        await uow.alerts.add(make_alert(key="storm:google:connect_timeout"))
        wider = make_alert(key="storm:network:connect_timeout")
        assert await uow.alerts.save(wider)
        assert await uow.alerts.current(wider.key) == replace(wider, version=2)
        await uow.alerts.add(make_alert("a2", key="storm:google:connect_timeout"))


async def test_the_newest_alerts_of_a_cause_are_found_by_kind(store: SqlStore) -> None:
    """Not those that are over, nor those whose server only says the words of that cause."""
    words = {"cause": "dns", "raw": '"cause":"auth_failed"'}
    async with store.write("T1") as uow:
        await uow.alerts.add(make_alert("a1"))
        await uow.alerts.add(make_alert("a2", key="sync:mb2", opened_at=NOW + MINUTE))
        await uow.alerts.add(make_alert("a3", key="sync:mb3", facts=words))
        await uow.alerts.add(make_alert("a4", key="storm:google:auth_failed"))
        await uow.alerts.add(make_alert("a5", key="sync:mb5", facts={"cause": "AUTHxFAILED"}))
        over = make_alert("a6", key="sync:mb6", opened_at=NOW + 2 * MINUTE)
        await uow.alerts.add(over)
        await uow.alerts.save(replace(over, state=AlertState.RESOLVED, resolved_at=NOW))
        found = uow.alerts.newest_open
        assert [one.id for one in await found("sync", "auth_failed", limit=9)] == ["a2", "a1"]
        assert [one.id for one in await found("sync", "auth_failed", limit=1)] == ["a2"]
        assert [one.id for one in await found("storm", "auth_failed", limit=9)] == ["a4"]
    async with store.read("T2") as uow:
        assert await uow.alerts.newest_open("sync", "auth_failed", limit=9) == []


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


async def test_links_and_sign_ins_that_are_over_are_forgotten(store: SqlStore) -> None:
    """Spent or not: what has expired is good for nothing. Another workspace's stay."""
    async with store.write("T2") as uow:
        await uow.tickets.add(b"theirs", ConnectTicket("U0RITA", NOW, None))
    async with store.write("T1") as uow:
        for name, at in ((b"old", NOW), (b"spent", NOW), (b"new", NOW + MINUTE)):
            await uow.tickets.add(name, ConnectTicket("U0RITA", at, None))
            await uow.sign_ins.add(name, SignInState(b"ticket", "google", "rita@agency.test", at))
        await uow.tickets.spend(b"spent", NOW - MINUTE)
        assert await uow.tickets.forget_before(NOW) == 0
        assert await uow.tickets.forget_before(NOW + MINUTE) == 2
        assert await uow.sign_ins.forget_before(NOW + MINUTE) == 2
        assert await uow.tickets.get(b"new") is not None
        assert await uow.tickets.get(b"old") is None
        assert await uow.sign_ins.spend(b"new", NOW) is not None
    async with store.read("T2") as uow:
        assert await uow.tickets.get(b"theirs") is not None


async def test_searches_that_are_done_are_forgotten_and_those_that_wait_are_not(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        for key in ("done", "late", "waits"):
            await uow.backfills.ask(key, f"{key}@candidates.example", ["mb1"], NOW - 9 * MINUTE)
        done, late, waits = [one for key in ("done", "late", "waits") for one in await uow.backfills.of([key])]
        await uow.backfills.save(replace(done, done_at=NOW))
        await uow.backfills.save(replace(late, done_at=NOW + MINUTE))
        assert await uow.backfills.forget_before(NOW + MINUTE) == 1
        assert [one.key for one in await uow.backfills.of(["done", "late", "waits"])] == ["late", waits.key]


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


async def test_a_sign_in_is_spent_once_and_only_in_time(store: SqlStore) -> None:
    state = SignInState(b"ticket", "google", "rita@agency.test", NOW + MINUTE)
    async with store.write("T1") as uow:
        await uow.sign_ins.add(b"state", state)
        assert await uow.sign_ins.spend(b"other", NOW) is None
        assert await uow.sign_ins.spend(b"state", NOW + MINUTE) is None
        assert await uow.sign_ins.spend(b"state", NOW) == replace(state, spent_at=NOW)
        assert await uow.sign_ins.spend(b"state", NOW) is None


async def test_a_mailbox_has_one_keeper_until_its_time_is_over(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in ("mb1", "mb2"):
            await uow.mailboxes.add(make_mailbox(number, address=f"{number}@agency.test"))
        both = ["mb1", "mb2"]
        assert await uow.leases.take(["mb1"], holder="one", now=NOW, until=NOW + MINUTE) == {"mb1"}
        assert await uow.leases.take(both, holder="two", now=NOW, until=NOW + MINUTE) == {"mb2"}
        assert await uow.leases.take(both, holder="one", now=NOW, until=NOW + 2 * MINUTE) == {"mb1"}
        assert await uow.leases.take(both, holder="two", now=NOW + MINUTE, until=NOW + 2 * MINUTE) == {"mb2"}
        await uow.leases.give_back(both, holder="one")
        assert await uow.leases.take(both, holder="two", now=NOW + MINUTE, until=NOW + 3 * MINUTE) == {"mb1", "mb2"}
        assert await uow.leases.take(both, holder="one", now=NOW + 3 * MINUTE, until=NOW + 4 * MINUTE) == {"mb1", "mb2"}


async def test_a_check_mail_without_echo_is_overdue_until_it_is_settled(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in ("mb1", "mb2"):
            await uow.mailboxes.add(make_mailbox(number, address=f"{number}@agency.test"))
        first = Canary("c1", "mb1", "mb2", "1@agency.test", NOW)
        second = Canary("c2", "mb1", "mb2", "2@agency.test", NOW + MINUTE)
        await uow.canaries.add(first)
        await uow.canaries.add(second)
        assert await uow.canaries.latest("mb1") == second
        assert await uow.canaries.latest("mb2") is None
        assert await uow.canaries.last_sent() == {"mb1": second.sent_at}
        assert await uow.canaries.overdue(NOW + 2 * MINUTE) == [first, second]
        assert await uow.canaries.seen(["1@agency.test"], "mb1", NOW + MINUTE) == 0
        assert await uow.canaries.seen(["1@agency.test", "x@agency.test"], "mb2", NOW + MINUTE) == 1
        assert await uow.canaries.echoed_since("mb2", NOW)
        assert not await uow.canaries.echoed_since("mb2", NOW + MINUTE)
        assert not await uow.canaries.echoed_since("mb1", NOW)
        await uow.canaries.settle("c2", NOW + MINUTE)
        assert await uow.canaries.overdue(NOW + 2 * MINUTE) == []
        assert await uow.canaries.forget_before(NOW + MINUTE) == 1
