"""From the outbox into Slack and back: cards that outlive a deleted message and a token that is replaced."""

from __future__ import annotations

import itertools

import pytest

from bot.slack.notifier import SlackNotifier
from bot.slack.pacing import ChannelPace
from bot.slack.slack_app import web_client
from core.clock import SystemClock
from core.ports.storage import OutboxItem
from core.services.notifications import NotificationService
from core.services.tools import Tools
from sandbox.slack import SlackSandbox
from storage.sql_store import SqlStore
from tests.integration.slack.conftest import access
from tests.stores import SteadyClock
from tests.unit.bot.facts import AT, SYNC

RECOVERED = SYNC | {"state": "recovered", "recovered_at": AT, "down_minutes": 4, "caught_up": 3}


class Posting:
    """The posting side on one database and one workspace, moved step by step."""

    def __init__(self, store: SqlStore, slack: SlackSandbox) -> None:
        self.store, self.clock = store, SteadyClock()
        numbers = itertools.count(1)
        tools = Tools(store, self.clock, new_id=lambda: f"id{next(numbers)}", random=lambda: 0.5)
        self.client = web_client(access(slack), slack.bot_token)
        self._service = NotificationService(
            tools, SlackNotifier(lambda _: self.client, ChannelPace(SystemClock(), apart=0.0))
        )

    async def put(self, facts: dict[str, object]) -> None:
        async with self.store.write("T1") as uow:
            await uow.outbox.put("sync:1", destination="C0ALERTS", kind="sync", facts=facts, at=self.clock.now())

    async def publish(self) -> int:
        claimed = await self._service.claim("T1", limit=10)
        for item in claimed:
            await self._service.publish(item)
        return len(claimed)

    async def card(self) -> OutboxItem:
        async with self.store.read("T1") as uow:
            item = await uow.outbox.by_key("sync:1")
        assert item is not None
        return item


@pytest.fixture
def posting(sqlite_store: SqlStore, slack: SlackSandbox) -> Posting:
    return Posting(sqlite_store, slack)


async def test_a_card_that_somebody_deleted_is_posted_anew_when_it_has_news(
    posting: Posting, slack: SlackSandbox
) -> None:
    """An update of a message that is gone must not silence the card for ever."""
    await posting.put(SYNC)
    await posting.publish()
    first = await posting.card()
    await posting.client.chat_delete(channel=str(first.channel), ts=str(first.ts))
    await posting.put(RECOVERED)
    assert await posting.publish() == 1
    assert await posting.publish() == 1
    assert [message.text for message in slack.messages("C0ALERTS") if "Sync recovered" in message.text]
    assert (await posting.card()).state == "posted"
    assert await posting.publish() == 0


async def test_cards_wait_for_a_new_token(posting: Posting, slack: SlackSandbox) -> None:
    """A token that was revoked says nothing against the card: it is there when Slack lets us in again."""
    slack.revoke_token()
    await posting.put(SYNC)
    await posting.publish()
    assert (await posting.card()).state == "ready"
    assert await posting.publish() == 0
    slack.restore_token()
    posting.clock.pass_time(minutes=2)
    assert await posting.publish() == 1
    assert (await posting.card()).state == "posted"
    assert "Sync broken" in slack.messages("C0ALERTS")[-1].text
