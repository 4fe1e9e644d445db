"""Mailboxes, folders and sealed credentials, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.account import MailboxStatus, SyncFault
from core.errors import NotFoundError, RefusedError
from core.ports.mail import Credentials
from storage.sql_store import SqlStore
from tests.stores import NOW, make_mailbox

SECRET = Credentials("rita", "s3cret-pass", "s3cret-token", "s3cret-refresh", NOW.replace(microsecond=0))


async def test_a_mailbox_comes_back_as_it_was_added(store: SqlStore) -> None:
    """Every field survives, the fault included."""
    fault = SyncFault("auth_failed", "NO [AUTHENTICATIONFAILED]", "Reconnect", NOW)
    mailbox = make_mailbox(
        fault=fault,
        send_fault=replace(fault, raw="535"),
        streak=3,
        sign_in="google",
        signed_in_at=NOW,
        token_expires_at=NOW,
        refreshed_at=NOW,
    )
    async with store.write("T1") as uow:
        await uow.mailboxes.add(mailbox)
    async with store.read("T1") as uow:
        assert await uow.mailboxes.get("mb1") == mailbox
        assert await uow.mailboxes.by_address("RITA@agency.test") == mailbox
        assert await uow.mailboxes.get("mb2") is None


async def test_a_sender_is_found_by_its_own_address_or_by_an_alias(store: SqlStore) -> None:
    """However it is written; its own address first, and a connected mailbox before one that is not."""
    async with store.write("T1") as uow:
        gone = MailboxStatus.DISCONNECTED
        await uow.mailboxes.add(
            make_mailbox("mb0", address="old@agency.test", aliases=("jobs@agency.test",), status=gone)
        )
        await uow.mailboxes.add(make_mailbox(aliases=("talent@agency.test", "Jobs@Agency.test", "omar@agency.test")))
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test"))
    async with store.read("T1") as uow:
        wanted = ("RITA@agency.test", "jobs@agency.test", "omar@agency.test", "nobody@agency.test")
        found = [await uow.mailboxes.by_sender(address) for address in wanted]
        assert [one and one.id for one in found] == ["mb1", "mb1", "mb2", None]
        assert await uow.mailboxes.by_address("jobs@agency.test") is None
    async with store.read("T2") as uow:
        assert await uow.mailboxes.by_sender("jobs@agency.test") is None


async def test_an_address_is_connected_once(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        with pytest.raises(RefusedError) as refused:
            await uow.mailboxes.add(make_mailbox("mb2", address="Rita@Agency.test"))
        assert refused.value.reason == "mailbox_exists"
        assert [one.id for one in await uow.mailboxes.list()] == ["mb1"]
        assert await uow.mailboxes.count() == 1
        assert await uow.mailboxes.address_keys() == {"rita@agency.test"}


async def test_mailboxes_are_listed_in_order_of_connection(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        later = NOW + timedelta(minutes=1)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test", owner="U0OMAR", created_at=later))
        await uow.mailboxes.add(make_mailbox())
    async with store.read("T1") as uow:
        assert [one.id for one in await uow.mailboxes.list()] == ["mb1", "mb2"]
        assert [one.id for one in await uow.mailboxes.list(owner="U0OMAR")] == ["mb2"]


async def test_only_the_first_of_two_saves_from_one_version_wins(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        assert await uow.mailboxes.save(make_mailbox(status=MailboxStatus.PAUSED))
        assert not await uow.mailboxes.save(make_mailbox(status=MailboxStatus.ERROR))
    async with store.read("T1") as uow:
        assert await uow.mailboxes.get("mb1") == make_mailbox(status=MailboxStatus.PAUSED, version=2)


async def test_a_save_of_older_facts_does_not_take_back_proof_of_life_or_a_send_slot(store: SqlStore) -> None:
    soon = NOW + timedelta(minutes=2)
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        await uow.mailboxes.touch("mb1", last_sync_at=soon)
        await uow.mailboxes.reserve_slot("mb1", next_send_at=soon)
        assert await uow.mailboxes.save(make_mailbox(last_sync_at=NOW, display_name="Rita"))
        stored = await uow.mailboxes.get("mb1")
        assert stored == make_mailbox(last_sync_at=soon, next_send_at=soon, display_name="Rita", version=2)
        assert stored is not None
        assert await uow.mailboxes.save(replace(stored, last_sync_at=soon + timedelta(seconds=1)))
        stored = await uow.mailboxes.get("mb1")
        assert stored is not None
        assert stored.last_sync_at == soon + timedelta(seconds=1)


async def test_a_shorter_rest_does_not_end_a_longer_one(store: SqlStore) -> None:
    """Spacing and what a host asks for are set by different units: the later moment counts."""
    soon, later = NOW + timedelta(minutes=10), NOW + timedelta(hours=1)
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        for moment, counts in ((soon, soon), (later, later), (soon, later)):
            await uow.mailboxes.reserve_slot("mb1", next_send_at=moment)
            assert await uow.mailboxes.get("mb1") == make_mailbox(next_send_at=counts)


async def test_credentials_come_back_and_can_be_replaced_and_forgotten(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        with pytest.raises(NotFoundError):
            await uow.mailboxes.credentials("mb1")
        await uow.mailboxes.put_credentials("mb1", Credentials("rita", password="an earlier one"))
        await uow.mailboxes.put_credentials("mb1", SECRET)
    async with store.write("T1") as uow:
        assert await uow.mailboxes.credentials("mb1") == SECRET
        await uow.mailboxes.forget_credentials("mb1")
        with pytest.raises(NotFoundError):
            await uow.mailboxes.credentials("mb1")


async def test_a_folder_is_made_once_and_keeps_its_checkpoint(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        inbox = await uow.folders.ensure("mb1", "INBOX", "inbox")
        sent = await uow.folders.ensure("mb1", "Gesendet", "archive")
        await uow.folders.advance(inbox.id, uidvalidity=2**32 - 1, uidnext=2**32 - 1, exists=7, highestmodseq=2**62)
        await uow.folders.note_reset(inbox.id)
        await uow.folders.mark_read_through([inbox.id, sent.id], NOW)
    async with store.write("T1") as uow:
        again = await uow.folders.ensure("mb1", "INBOX", "inbox")
        assert again == replace(
            inbox,
            uidvalidity=2**32 - 1,
            uidnext=2**32 - 1,
            exists=7,
            highestmodseq=2**62,
            resets=1,
            read_through_at=NOW,
        )
        assert (await uow.folders.ensure("mb1", "Gesendet", "sent")).role == "sent"
        assert [(one.name, one.role) for one in await uow.folders.list("mb1")] == [
            ("Gesendet", "sent"),
            ("INBOX", "inbox"),
        ]


async def test_history_and_failures_of_a_folder_are_kept_and_forgotten(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        fresh = await uow.folders.ensure("mb1", "INBOX", "inbox")
        await uow.folders.advance(fresh.id, uidvalidity=7, uidnext=501, exists=500, highestmodseq=9)
        await uow.folders.set_history(fresh.id, below=301, left=300)
        await uow.folders.note_failure(fresh.id, parked_until=None)
        await uow.folders.note_failure(fresh.id, parked_until=NOW)
        (folder,) = await uow.folders.list("mb1")
        assert (folder.history_below, folder.history_left, folder.error_count, folder.parked_until) == (
            301,
            300,
            2,
            NOW,
        )
        await uow.folders.note_success(fresh.id)
        (folder,) = await uow.folders.list("mb1")
        assert (folder.error_count, folder.parked_until, folder.history_below) == (0, None, 301)
        await uow.folders.forget_checkpoints("mb1")
        assert await uow.folders.list("mb1") == [fresh]


async def test_folders_of_several_mailboxes_come_at_once(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in (1, 2, 3):
            await uow.mailboxes.add(make_mailbox(f"mb{number}", address=f"r{number}@agency.test"))
        inbox = await uow.folders.ensure("mb1", "INBOX", "inbox")
        sent = await uow.folders.ensure("mb2", "Sent", "sent")
        assert await uow.folders.by_mailbox(["mb1", "mb2", "mb3"]) == {"mb1": (inbox,), "mb2": (sent,)}


async def test_who_counts_seats_counts_alone(store: SqlStore) -> None:
    """A second unit waits until the first has added its mailbox, and finds it."""

    async def count() -> int:
        async with store.write("T1") as uow:
            await uow.mailboxes.lock_seats()
            return len(await uow.mailboxes.list())

    async with store.write("T1") as uow:
        await uow.mailboxes.lock_seats()
        second = asyncio.create_task(count())
        done, _ = await asyncio.wait({second}, timeout=0.5)
        assert not done
        await uow.mailboxes.add(make_mailbox())
    async with asyncio.timeout(30):
        assert await second == 1


@pytest.mark.postgres
async def test_counting_seats_keeps_nobody_else_from_working(store_on_postgres: SqlStore) -> None:
    """Rows are added meanwhile, in this workspace and in others."""
    async with store_on_postgres.write("T1") as counting:
        await counting.mailboxes.lock_seats()
        async with asyncio.timeout(30):
            async with store_on_postgres.write("T2") as other:
                await other.mailboxes.lock_seats()
            async with store_on_postgres.write("T1") as uow:
                await uow.mailboxes.add(make_mailbox())
