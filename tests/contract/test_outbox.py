"""The outbox to Slack, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from core.ports.storage import OutboxItem, UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW

MINUTE = timedelta(minutes=1)


async def put(uow: UnitOfWork, key: str = "sync:mb1", at: datetime = NOW, **facts: object) -> None:
    await uow.outbox.put(key, destination="C0TEAM", kind="sync_broken", facts=facts, at=at)


async def claim_one(uow: UnitOfWork, *, token: str = "t1", now: datetime = NOW) -> OutboxItem:
    (item,) = await uow.outbox.claim(now, limit=10, token=token)
    return item


async def test_a_message_is_claimed_once_and_posted_with_its_facts(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, cause="auth_failed")
        item = await claim_one(uow)
        assert (item.facts, item.destination, item.version, item.posted_version, item.attempts) == (
            {"cause": "auth_failed"},
            "C0TEAM",
            1,
            0,
            1,
        )
        assert await uow.outbox.claim(NOW, limit=10, token="t2") == []
        assert not await uow.outbox.posted(replace(item, token="t2"), channel="C0TEAM", ts="1.1")
        assert await uow.outbox.posted(item, channel="C0TEAM", ts="1.1")
        assert not await uow.outbox.posted(item, channel="C0TEAM", ts="1.2")
        stored = await uow.outbox.by_key("sync:mb1")
        assert stored is not None
        assert (stored.state, stored.ts, stored.channel, stored.posted_version, stored.attempts) == (
            "posted",
            "1.1",
            "C0TEAM",
            1,
            0,
        )
        assert await uow.outbox.get(stored.id) == stored
        assert await uow.outbox.by_key("sync:mb2") is None


async def test_newer_facts_make_a_posted_message_due_for_an_update(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, state="broken")
        await uow.outbox.posted(await claim_one(uow), channel="C0TEAM", ts="1.1")
        await put(uow, state="recovered")
        item = await claim_one(uow)
        assert (item.facts, item.version, item.posted_version, item.ts) == ({"state": "recovered"}, 2, 1, "1.1")


async def test_facts_that_change_while_a_message_is_posted_are_not_lost(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, state="broken")
        item = await claim_one(uow)
        await put(uow, state="recovered")
        assert await uow.outbox.claim(NOW, limit=10, token="t2") == []
        assert await uow.outbox.posted(item, channel="C0TEAM", ts="1.1")
        again = await claim_one(uow, token="t2")
        assert (again.facts, again.version, again.posted_version) == ({"state": "recovered"}, 2, 1)


async def test_a_message_put_back_waits_and_counts_its_tries(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow)
        assert await uow.outbox.put_back(await claim_one(uow), not_before=NOW + MINUTE, error="ratelimited")
        assert await uow.outbox.claim(NOW, limit=10, token="t2") == []
        assert (await claim_one(uow, now=NOW + MINUTE)).attempts == 2


async def test_an_unknown_post_says_so_when_it_is_claimed_again(store: SqlStore) -> None:
    """Until somebody has looked, a message that may stand there stays unknown, whatever else happens to it."""
    async with store.write("T1") as uow:
        await put(uow)
        assert (await claim_one(uow)).state == "ready"
        item = await uow.outbox.by_key("sync:mb1")
        assert item is not None
        assert await uow.outbox.mark_unknown(item, not_before=NOW + MINUTE)
        assert await uow.outbox.claim(NOW, limit=10, token="t2") == []
        await put(uow, newer=True)
        again = await claim_one(uow, now=NOW + MINUTE)
        assert (again.state, again.facts) == ("unknown", {"newer": True})
        assert await uow.outbox.put_back(again, not_before=NOW + MINUTE, error="ratelimited")
        assert (await claim_one(uow, now=NOW + MINUTE)).state == "unknown"


async def test_a_failed_message_is_tried_again_only_with_newer_facts(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow)
        assert await uow.outbox.fail(await claim_one(uow), error="channel_not_found")
        assert await uow.outbox.claim(NOW + MINUTE, limit=10, token="t2") == []
        assert await uow.outbox.count_by_state() == {"failed": 1}
        await put(uow, newer=True)
        assert (await claim_one(uow)).attempts == 1


async def test_posts_of_a_dead_process_become_unknown_and_updates_ready(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, "first")
        await uow.outbox.posted(await claim_one(uow), channel="C0TEAM", ts="1.1")
        await put(uow, "first", newer=True)
        await put(uow, "second")
        assert len(await uow.outbox.claim(NOW, limit=10, token="t1")) == 2
        assert await uow.outbox.recover_posting(claimed_before=NOW) == 0
        assert await uow.outbox.recover_posting(claimed_before=NOW + MINUTE) == 2
        assert await uow.outbox.count_by_state() == {"ready": 1, "unknown": 1}


async def test_a_post_that_is_renewed_is_not_taken_for_a_dead_process(store: SqlStore) -> None:
    """Its claim stays good: the result is stored."""
    async with store.write("T1") as uow:
        await put(uow)
        item = await claim_one(uow)
        assert await uow.outbox.renew([item.id], NOW + MINUTE) == 1
        assert await uow.outbox.recover_posting(claimed_before=NOW + MINUTE) == 0
        assert await uow.outbox.posted(item, channel="C0TEAM", ts="1.1")
        assert await uow.outbox.renew([item.id], NOW + MINUTE) == 0


async def test_the_longest_waiting_goes_first(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, "b", NOW)
        await put(uow, "a", NOW + MINUTE)
        claims = [(await uow.outbox.claim(NOW + MINUTE, limit=1, token=str(n)))[0].key for n in (1, 2)]
        assert claims == ["b", "a"]


async def test_a_prefix_finds_its_keys_and_no_others(store: SqlStore) -> None:
    keys = ("alert:mb1:C0", "alert:mb1:user:U0", "alert:mb10:C0", "Alert:mb1:C0", "alert:mb1", "alert_mb1:C0")
    async with store.write("T1") as uow:
        for key in keys:
            await put(uow, key)
        found = await uow.outbox.keys_with_prefix("alert:mb1:")
        assert [item.key for item in found] == ["alert:mb1:C0", "alert:mb1:user:U0"]


async def test_workers_at_once_never_claim_the_same_message(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in range(40):
            await put(uow, f"reply:{number}")

    async def work(token: str) -> list[str]:
        mine: list[str] = []
        for _ in range(4):
            async with store.write("T1") as uow:
                mine += [item.key for item in await uow.outbox.claim(NOW, limit=5, token=token)]
        return mine

    found = await asyncio.gather(*(work(f"t{n}") for n in range(4)))
    claimed = [key for part in found for key in part]
    assert sorted(claimed) == sorted(f"reply:{n}" for n in range(40))


async def test_a_message_that_is_gone_is_posted_anew(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await put(uow, state="broken")
        await uow.outbox.posted(await claim_one(uow), channel="C0TEAM", ts="1.1")
        await put(uow, state="recovered")
        item = await claim_one(uow)
        assert not await uow.outbox.forget_message(replace(item, token="another's"))
        assert await uow.outbox.forget_message(item)
        again = await claim_one(uow, token="t2")
        assert (again.state, again.channel, again.ts, again.facts) == ("ready", None, None, {"state": "recovered"})
