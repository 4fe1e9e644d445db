"""One workspace never sees or touches another, even where all ids are the same (threat T9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.domain.account import MailboxStatus
from core.domain.alert import Alert, AlertState
from core.domain.campaign import CampaignStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from core.errors import StorageError
from core.ports.filing import Filing, FilingHabit
from core.ports.mail import Credentials
from core.ports.storage import (
    CampaignFile,
    Canary,
    ConnectTicket,
    Engagement,
    EnrollmentEvent,
    Hold,
    LearnedCap,
    SeenMessage,
    SignInState,
    Suppression,
    SyncLogEntry,
    TrafficKey,
    UnitOfWork,
)
from storage.sql_store import SqlStore
from storage.tables import metadata
from tests.contract.conftest import unscoped
from tests.contract.test_messages import make_activity, make_message
from tests.stores import NOW, add_prospect, make_delivery, make_person

LATER = NOW + timedelta(days=1)
_MAILBOX = TrafficKey("mailbox", "mb1")


async def fill(uow: UnitOfWork) -> None:
    """The same ids in whatever workspace: one of everything."""
    await add_prospect(uow)
    await uow.deliveries.add_many([make_delivery(message_id="1@agency.test")])
    await uow.deliveries.save(make_delivery(message_id="1@agency.test"), raw=uow.workspace.encode())
    await uow.mailboxes.put_credentials("mb1", Credentials("rita", uow.workspace))
    folder = await uow.folders.ensure("mb1", "INBOX", "inbox")
    await uow.messages.record_seen(folder.id, 1, [SeenMessage(1, b"h")], NOW)
    await uow.messages.add([make_message()])
    await uow.messages.add_activities([make_activity()])
    await uow.enrollments.add_event(EnrollmentEvent("e1", NOW, "reply", ProspectStatus.REPLIED, 1, uow.workspace))
    await uow.alerts.add(Alert("a1", uow.workspace, "sync:mb1", AlertState.OPEN, 1, NOW))
    await uow.outbox.put("card", destination="C0", kind="reply", facts={"of": uow.workspace}, at=NOW)
    await uow.settings.set("name", uow.workspace, actor="U0ADA", at=NOW)
    await uow.tickets.add(b"hash", ConnectTicket(uow.workspace, LATER))
    await uow.sign_ins.add(b"state", SignInState(b"hash", "google", uow.workspace, LATER))
    await uow.leases.take(["mb1"], holder=uow.workspace, now=NOW, until=LATER)
    await uow.canaries.add(Canary("c1", "mb1", "mb1", "rethread-canary.1@agency.test", NOW))
    await uow.backfills.ask("key", uow.workspace, ["mb1"], NOW)
    await uow.filings.take(Filing("mb1", FilingHabit.OURS, NOW, uow.workspace, NOW), now=NOW, until=LATER)
    await uow.sync_log.add(SyncLogEntry("mb1", NOW, uow.workspace, "", ""))
    await uow.audit.add(at=NOW, actor=uow.workspace, action="fill", subject="all")
    await uow.seen.first_time("Ev1", NOW)
    await fill_limits(uow)
    await uow.engagements.note(Engagement("d1", "open", "", False, NOW, "e1", "c1", 1, uow.workspace))
    await uow.campaign_files.put(CampaignFile("c1", "jd.pdf", "application/pdf", 2, "00", NOW, uow.workspace.encode()))


async def fill_limits(uow: UnitOfWork) -> None:
    await uow.traffic.add({(_MAILBOX, NOW): 1})
    await uow.holds.put(Hold("mailbox", "mb1", "mailbox_brake", uow.workspace, NOW))
    await uow.holds.put_cap(LearnedCap("mb1", 100, NOW, LATER, "own_limit", uow.workspace))
    await uow.suppressions.put_many([Suppression("gone@candidates.example", "asked", uow.workspace, NOW)])
    await uow.domain_checks.put_many({"candidates.example": "mail"}, NOW)


async def change_everything(uow: UnitOfWork) -> None:
    """Every method that writes, once."""
    mailbox, enrollment = await uow.mailboxes.get("mb1"), await uow.enrollments.get("e1")
    assert mailbox is not None
    assert enrollment is not None
    await uow.mailboxes.save(replace(mailbox, status=MailboxStatus.PAUSED))
    await uow.mailboxes.touch("mb1", last_sync_at=LATER)
    await uow.mailboxes.reserve_slot("mb1", next_send_at=LATER)
    await uow.mailboxes.note_token("mb1", expires_at=LATER)
    await uow.mailboxes.note_refresh("mb1", refreshed_at=LATER)
    (folder,) = await uow.folders.list("mb1")
    await uow.folders.advance(folder.id, uidvalidity=2, uidnext=9, exists=9)
    await uow.folders.mark_read_through([folder.id], LATER)
    await uow.folders.note_reset(folder.id)
    await uow.folders.note_failure(folder.id, parked_until=LATER)
    await uow.folders.note_success(folder.id)
    await uow.folders.set_history(folder.id, below=7, left=6)
    await uow.sign_ins.spend(b"state", NOW)
    await uow.leases.take(["mb1"], holder="other", now=LATER, until=LATER + timedelta(days=1))
    await uow.canaries.seen(["rethread-canary.1@agency.test"], "mb1", LATER)
    await uow.messages.record_seen(folder.id, 1, [SeenMessage(1, b"h", matched=True)], NOW)
    await uow.messages.forget_seen_before(LATER)
    (backfill,) = await uow.backfills.due(LATER)
    await uow.backfills.save(replace(backfill, done_at=LATER))
    await uow.backfills.ask("key", "other", ["mb1"], LATER)
    await uow.filings.save(Filing("mb1", FilingHabit.HOST, LATER, "d1", LATER))
    await uow.people.update("p1", make_person("person1@candidates.example", first_name="Other"), LATER)
    await uow.people.add_address("p1", make_person("more@candidates.example").addresses[0])
    await uow.people.remove_address("p1", "person1@candidates.example")
    (campaign,) = await uow.campaigns.list()
    await uow.campaigns.set_status(campaign, CampaignStatus.PAUSED)
    await uow.campaigns.replace(replace(campaign, name="Other", version=campaign.version + 1))
    await uow.deliveries.hold_back("c1", waiting_for="campaign")
    await uow.deliveries.release("campaign", not_before=LATER)
    delivery = await uow.deliveries.get("d1")
    assert delivery is not None
    await uow.deliveries.save(replace(delivery, state=DeliveryState.SENDING), raw=b"other")
    (alert,) = await uow.alerts.list_open()
    await uow.alerts.save(replace(alert, state=AlertState.RESOLVED))
    await change_outbox(uow)
    await uow.settings.set("name", "Other", actor="U0ADA", at=LATER)
    await uow.tickets.spend(b"hash", NOW)
    await uow.seen.forget_before(LATER)
    await change_limits(uow)
    await uow.engagements.note(Engagement("d1", "click", "https://agency.test", True, LATER, "e1", "c1", 1))
    await uow.campaign_files.put(CampaignFile("c1", "jd.pdf", "text/plain", 1, "01", LATER, b"other"))
    await uow.campaign_files.remove("c1", "jd.pdf")
    await uow.mailboxes.forget_credentials("mb1")
    await uow.enrollments.save(replace(enrollment, status=ProspectStatus.PAUSED))
    await uow.enrollments.remove(replace(enrollment, version=enrollment.version + 1))


async def change_limits(uow: UnitOfWork) -> None:
    await uow.traffic.lock([_MAILBOX])
    await uow.traffic.add({(_MAILBOX, NOW): 2, (_MAILBOX, LATER): 1})
    await uow.traffic.forget_before(LATER)
    await uow.holds.put(Hold("mailbox", "mb1", "mailbox_brake", "other", LATER))
    await uow.holds.lift("mailbox", "mb1", "mailbox_brake")
    await uow.holds.put_cap(LearnedCap("mb1", 50, NOW, LATER, "own_limit", "other"))
    await uow.suppressions.put_many([Suppression("@initech.example", "asked", "other", LATER)])
    await uow.suppressions.remove("gone@candidates.example")
    await uow.domain_checks.put_many({"candidates.example": "none"}, LATER)
    await uow.domain_checks.forget_before(LATER + timedelta(days=1))


async def change_outbox(uow: UnitOfWork) -> None:
    await uow.outbox.put("card", destination="C1", kind="other", facts={}, at=NOW)
    for settle in ("put_back", "mark_unknown", "posted", "fail"):
        await uow.outbox.put("card", destination="C1", kind="other", facts={}, at=NOW)
        (item,) = await uow.outbox.claim(LATER, limit=9, token=settle)
        match settle:
            case "put_back":
                await uow.outbox.put_back(item, not_before=NOW, error="x")
            case "mark_unknown":
                await uow.outbox.mark_unknown(item, not_before=NOW)
            case "posted":
                await uow.outbox.posted(item, channel="C1", ts="9.9")
            case _:
                await uow.outbox.recover_posting(claimed_before=LATER + timedelta(days=1))


async def rows_of(store: SqlStore, workspace: str) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    async with store.database.reader.connect() as connection:
        for name, table in metadata.tables.items():
            rows = await connection.execute(select(table).where(table.c.workspace == workspace).order_by(*table.c))
            found[name] = [tuple(row) for row in rows]
    return found


async def test_whatever_one_workspace_does_the_other_stays_as_it_was(store: SqlStore) -> None:
    for workspace in ("T1", "T2"):
        async with store.write(workspace) as uow:
            await fill(uow)
    before = await rows_of(store, "T1")
    assert [name for name, rows in before.items() if not rows and name != "health"] == []
    async with store.write("T2") as uow:
        await change_everything(uow)
    assert await rows_of(store, "T1") == before
    after = await rows_of(store, "T2")
    unchanged = {name for name, rows in after.items() if rows == moved_to("T2", before[name])}
    assert unchanged <= {"workspaces", "health", "messages", "activities", "sync_log", "audit"}


def moved_to(workspace: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows as they would be in another workspace."""
    return [tuple(workspace if value == "T1" else value for value in row) for row in rows]


async def test_each_workspace_reads_its_own_facts_under_the_same_ids(store: SqlStore) -> None:
    for workspace in ("T1", "T2"):
        async with store.write(workspace) as uow:
            await fill(uow)
    for workspace in ("T1", "T2"):
        async with store.write(workspace) as uow:  # a claim locks, so a reading unit cannot make it
            assert (await uow.mailboxes.credentials("mb1")).password == workspace
            assert await uow.deliveries.raw("d1") == workspace.encode()
            assert [event.actor for event in await uow.enrollments.events("e1")] == [workspace]
            assert [entry.cause for entry in await uow.sync_log.list("mb1")] == [workspace]
            assert await uow.settings.all() == {"name": workspace}
            (item,) = await uow.outbox.keys_with_prefix("")
            assert (item.facts, item.workspace) == ({"of": workspace}, workspace)
            ticket = await uow.tickets.get(b"hash")
            assert ticket is not None
            assert ticket.user == workspace
            owned = (
                await uow.mailboxes.get("mb1"),
                await uow.enrollments.get("e1"),
                await uow.deliveries.get("d1"),
                await uow.people.get("p1"),
                await uow.campaigns.get("c1"),
                await uow.alerts.get("a1"),
            )
            assert [one and one.workspace for one in owned] == [workspace] * 6
            assert [one.person.workspace for one in await uow.deliveries.claim_due(NOW, limit=9)] == [workspace]
            for count in (len(await uow.messages.stream("p1")), await uow.people.count()):
                assert count == 1


async def test_workspaces_with_work_are_found(store: SqlStore) -> None:
    async with store.write("T2") as uow:
        await add_prospect(uow, 1)
        await add_prospect(uow, 2)
        unknown = make_delivery("d2", enrollment_id="e2", state=DeliveryState.UNKNOWN, next_check_at=LATER)
        await uow.deliveries.add_many([make_delivery(), unknown])
        await uow.outbox.put("card", destination="C0", kind="reply", facts={}, at=NOW)
        (item,) = await uow.outbox.claim(NOW, limit=1, token="t")
        assert await uow.outbox.put_back(item, not_before=LATER, error="ratelimited")
    just_before = NOW - timedelta(seconds=1)
    assert await store.workspaces() == ["T1", "T2"]
    assert await store.workspaces_with_work("outreach", NOW) == ["T2"]
    assert await store.workspaces_with_work("outreach", just_before) == []
    for topic in ("checks", "notifications"):
        assert await store.workspaces_with_work(topic, LATER) == ["T2"]
        assert await store.workspaces_with_work(topic, NOW) == []
    with pytest.raises(StorageError):
        await store.workspaces_with_work("sync", NOW)


async def test_a_workspace_is_registered_once_and_may_be_renamed(store: SqlStore) -> None:
    await store.ensure_workspace("T1", name="Renamed", at=LATER)
    assert await store.workspaces() == ["T1", "T2"]


def test_the_reader_of_statements_sees_a_missing_workspace() -> None:
    """The check on every statement can fail."""
    assert unscoped("SELECT deliveries.id \nFROM deliveries \nWHERE deliveries.id = ?") != []
    assert unscoped("UPDATE deliveries SET state=? WHERE deliveries.id = ?") != []
    assert unscoped("INSERT INTO deliveries (id, state) VALUES (?, ?)") != []
    half = "SELECT 1 FROM deliveries JOIN people ON people.id = ? WHERE deliveries.workspace = ?"
    assert unscoped(half) != []
    assert unscoped("DELETE FROM deliveries WHERE deliveries.workspace = ? AND deliveries.id = ?") == []
