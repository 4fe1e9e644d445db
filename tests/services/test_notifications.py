"""Cards reach Slack once and show the newest facts, whatever happens to an answer or a route on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from core.errors import SlackBusyError, SlackError, SlackRefusedError, SlackUnknownError
from core.ports.notifier import MessageRef
from core.ports.storage import OutboxItem
from core.services.notifications import NotificationService
from core.workers.notifications import NotificationWorker
from storage.sql_store import SqlStore
from tests.services.rig import Rig

FACTS = {"state": "failed", "owner": "U0RITA"}


@dataclass
class FakeSlack:
    """Implements ``Notifier``: messages by place. ``outcomes`` are raised by the next calls; a lost answer posts."""

    messages: dict[MessageRef, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    outcomes: list[Exception | None] = field(default_factory=list)
    may_look: bool = True
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def post(
        self, workspace: str, *, destination: str, kind: str, facts: Mapping[str, Any], key: str
    ) -> MessageRef:
        del workspace, kind
        error = self._outcome()
        if error is not None and not isinstance(error, SlackUnknownError):
            raise error
        ref = MessageRef(destination, f"{len(self.messages) + 1}.0")
        self.messages[ref] = key, facts
        if self.meanwhile is not None:
            await self.meanwhile()
        if error is not None:
            raise error
        return ref

    async def update(self, workspace: str, ref: MessageRef, *, kind: str, facts: Mapping[str, Any]) -> None:
        del workspace, kind
        error = self._outcome()
        if error is not None:
            raise error
        self.messages[ref] = self.messages[ref][0], facts

    async def find(self, workspace: str, *, destination: str, key: str, since: datetime) -> MessageRef | None:
        del workspace, since
        if not self.may_look:
            return None
        return next((ref for ref, (one, _) in self.messages.items() if one == key and ref.channel == destination), None)

    def _outcome(self) -> Exception | None:
        return self.outcomes.pop(0) if self.outcomes else None

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Channel and state of every message."""
        return [(ref.channel, str(facts["state"])) for ref, (_, facts) in self.messages.items()]


class Desk:
    """The service with a Slack in memory, and an outbox to fill."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.slack = FakeSlack()
        self.service = NotificationService(rig.tools, self.slack)

    async def put(self, state: str = "failed", *, kind: str = "stage_failed", **changes: Any) -> None:
        facts = {**FACTS, "state": state, **changes}
        async with self.rig.store.write("T1") as uow:
            await uow.outbox.put("k1", destination="C0REPLIES", kind=kind, facts=facts, at=self.rig.clock.now())

    async def post(self) -> int:
        items = await self.service.claim("T1", limit=10)
        for item in items:
            await self.service.publish(item)
        return len(items)

    async def item(self) -> OutboxItem:
        async with self.rig.store.read("T1") as uow:
            found = await uow.outbox.by_key("k1")
        assert found is not None
        return found


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


async def test_a_card_is_posted_once_and_updated_in_place(desk: Desk) -> None:
    """One message; the newest facts."""
    await desk.put()
    assert [await desk.post(), await desk.post()] == [1, 0]
    await desk.put("sent")
    assert await desk.post() == 1
    assert desk.slack.shown == [("C0REPLIES", "sent")]


@pytest.mark.parametrize(("may_look", "messages"), [(True, 1), (False, 2)])
async def test_a_lost_answer_is_looked_up_else_posted_again(desk: Desk, may_look: bool, messages: int) -> None:
    """Found by its key: updated. Where we may not look a rare double is better than a lost alert."""
    desk.slack.may_look = may_look
    desk.slack.outcomes = [SlackUnknownError("timeout")]
    await desk.put()
    await desk.post()
    assert (await desk.item()).state == "unknown"
    assert await desk.post() == 0
    desk.rig.clock.pass_time(seconds=10)
    assert await desk.post() == 1
    assert len(desk.slack.messages) == messages
    assert (await desk.item()).state == "posted"


async def test_a_post_of_a_process_that_died_is_found_again_days_later(desk: Desk) -> None:
    """The message stands there; the row does not know. It is found, not doubled."""
    await desk.put()
    (item,) = await desk.service.claim("T1", limit=1)
    await desk.slack.post("T1", destination=item.destination, kind=item.kind, facts=item.facts, key=item.key)
    desk.rig.clock.pass_time(days=2)
    assert await desk.service.recover("T1", claimed_before=desk.rig.clock.now()) == 1
    await desk.put("sent")
    await desk.post()
    assert desk.slack.shown == [("C0REPLIES", "sent")]


async def test_newer_facts_that_came_while_posting_follow(desk: Desk) -> None:
    """The first post shows the old, an update the new; no second message."""
    desk.slack.meanwhile = lambda: desk.put("sent")
    await desk.put()
    await desk.post()
    desk.slack.meanwhile = None
    assert desk.slack.shown == [("C0REPLIES", "failed")]
    assert await desk.post() == 1
    assert desk.slack.shown == [("C0REPLIES", "sent")]


async def test_a_refused_route_goes_to_the_owner(desk: Desk) -> None:
    """Archived, not in channel, gone: the person hears of it all the same, also of what follows."""
    desk.slack.outcomes = [SlackRefusedError("is_archived")]
    await desk.put()
    await desk.post()
    await desk.post()
    assert desk.slack.shown == [("user:U0RITA", "failed")]


@pytest.mark.parametrize("kind", ["sync", "sync_reminder", "recovery", "reply"])
async def test_what_reaches_the_owner_anyway_is_not_told_twice(desk: Desk, kind: str) -> None:
    """Cards of one mailbox and of replies have a copy for the owner already: a closed channel adds none."""
    desk.slack.outcomes = [SlackRefusedError("is_archived")]
    await desk.put(kind=kind)
    await desk.post()
    assert await desk.post() == 0


@pytest.mark.parametrize("owner", [None, "operator", ""])
async def test_a_refused_route_without_an_owner_ends(desk: Desk, owner: str | None) -> None:
    """Nobody to tell: failed, not tried for ever; newer facts try again."""
    desk.slack.outcomes = [SlackRefusedError("channel_not_found")]
    await desk.put(owner=owner)
    await desk.post()
    assert (await desk.item()).state == "failed"
    assert await desk.post() == 0
    await desk.put("sent", owner=owner)
    assert await desk.post() == 1


async def test_a_refused_direct_message_is_not_sent_round_in_circles(desk: Desk) -> None:
    """The owner's own DM refused: that was the last way."""
    desk.slack.outcomes = [SlackRefusedError("not_in_channel"), SlackRefusedError("user_disabled")]
    await desk.put()
    await desk.post()
    await desk.post()
    assert await desk.post() == 0
    assert (await desk.item()).state == "failed"


async def test_slacks_wait_is_kept(desk: Desk) -> None:
    """Retry-After as told, else growing pauses."""
    desk.slack.outcomes = [SlackBusyError("ratelimited", retry_after=30), SlackBusyError("service_unavailable")]
    await desk.put()
    await desk.post()
    desk.rig.clock.pass_time(seconds=29)
    assert await desk.post() == 0
    desk.rig.clock.pass_time(seconds=1)
    assert await desk.post() == 1
    assert desk.slack.messages == {}
    desk.rig.clock.pass_time(seconds=10)
    assert await desk.post() == 1
    assert len(desk.slack.messages) == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("a presenter's bug"), SlackError("never heard of")])
async def test_an_unexpected_failure_does_not_leave_a_card_being_posted_for_ever(desk: Desk, error: Exception) -> None:
    """It is tried again, less and less often, and shows as soon as it can."""
    desk.slack.outcomes = [error, error]
    await desk.put()
    for _ in range(2):
        with pytest.raises(type(error)):
            await desk.post()
        desk.rig.clock.pass_time(minutes=5)
    assert await desk.post() == 1
    assert desk.slack.shown == [("C0REPLIES", "failed")]


async def test_a_lost_answer_to_an_update_is_repeated(desk: Desk) -> None:
    """Showing the same twice shows the same."""
    await desk.put()
    await desk.post()
    await desk.put("sent")
    desk.slack.outcomes = [SlackUnknownError("timeout")]
    await desk.post()
    desk.rig.clock.pass_time(seconds=10)
    await desk.post()
    assert desk.slack.shown == [("C0REPLIES", "sent")]


async def test_the_worker_posts_what_comes_and_stops_when_told(sqlite_store: SqlStore) -> None:
    """Woken by the commit; a bad card delays no other."""
    desk = Desk(Rig.on(sqlite_store))
    desk.slack.outcomes = [ZeroDivisionError()]
    posted = asyncio.Event()

    async def tell() -> None:
        posted.set()

    desk.slack.meanwhile = tell
    worker = NotificationWorker(sqlite_store, desk.rig.clock, desk.service)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await desk.put()
    async with sqlite_store.write("T1") as uow:
        await uow.outbox.put("k2", destination="C0X", kind="reply", facts=FACTS, at=desk.rig.clock.now())
        uow.wake("notifications")
    async with asyncio.timeout(30):
        await posted.wait()
        stop.set()
        await running
    assert len(desk.slack.messages) == 1
