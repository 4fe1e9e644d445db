"""Cards into Slack: once, in place, at Slack's pace, and with every refusal in our words."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.notifier import SlackNotifier
from bot.slack.pacing import ChannelPace
from bot.slack.slack_app import web_client
from core.clock import SystemClock
from core.errors import SlackBusyError, SlackRefusedError, SlackUnknownError
from core.ports.notifier import MessageRef
from sandbox.slack import SlackSandbox
from sandbox.slack.config import load_manifest
from tests.fakes.services import TEAM
from tests.integration.slack.conftest import MANIFEST, access
from tests.unit.bot.facts import AT, EXCERPT, SYNC


class Waits:
    """Sleeps that are noted and not slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def notifier(slack: SlackSandbox, waits: Waits) -> SlackNotifier:
    client = web_client(access(slack), slack.bot_token)
    return SlackNotifier(lambda _: client, ChannelPace(SystemClock(), sleep=waits))


async def post(notifier: SlackNotifier, destination: str = "C0ALERTS", key: str = "sync:1") -> MessageRef:
    return await notifier.post(TEAM, destination=destination, kind="sync", facts=SYNC, key=key)


async def test_a_card_carries_its_key_and_no_preview_of_links(slack: SlackSandbox, notifier: SlackNotifier) -> None:
    ref = await post(notifier)
    message = slack.messages("C0ALERTS")[-1]
    assert ref == MessageRef("C0ALERTS", message.ts)
    assert message.metadata == {"event_type": "rethread_card", "event_payload": {"key": "sync:1"}}
    call = slack.journal.calls("chat.postMessage")[-1].request
    assert str(call["unfurl_links"]).lower() == "false"
    assert len(str(call["client_msg_id"])) == 36


async def test_an_update_changes_the_same_message(slack: SlackSandbox, notifier: SlackNotifier) -> None:
    ref = await post(notifier)
    recovered = SYNC | {"state": "recovered", "recovered_at": AT, "down_minutes": 4, "caught_up": 3}
    await notifier.update(TEAM, ref, kind="sync", facts=recovered)
    cards = slack.messages("C0ALERTS")
    assert [message.ts for message in cards] == [ref.ts]
    assert "Sync recovered: rita@agency.test" in cards[0].text
    assert not any(block["type"] == "actions" for block in cards[0].all_blocks())
    assert cards[0].edited is None


async def test_a_direct_message_is_opened_once(slack: SlackSandbox, notifier: SlackNotifier) -> None:
    first = await notifier.post(TEAM, destination="user:U0RITA", kind="reply_excerpt", facts=EXCERPT, key="reply:1")
    await notifier.post(TEAM, destination="user:U0RITA", kind="reply_excerpt", facts=EXCERPT, key="reply:2")
    assert first.channel == slack.direct_message("U0RITA")
    assert first.channel.startswith("D")
    assert len(slack.journal.calls("conversations.open")) == 1


@pytest.mark.parametrize(
    ("failure", "error", "code"),
    [
        ("not_in_channel", SlackRefusedError, "not_in_channel"),
        ("is_archived", SlackRefusedError, "is_archived"),
        ("account_inactive", SlackBusyError, "account_inactive"),
        ("token_revoked", SlackBusyError, "token_revoked"),
        ("invalid_auth", SlackBusyError, "invalid_auth"),
        ("ratelimited", SlackBusyError, "ratelimited"),
        ("fatal_error", SlackUnknownError, "fatal_error"),
        ("internal_error", SlackUnknownError, "internal_error"),
        ("request_timeout", SlackUnknownError, "request_timeout"),
        ("service_unavailable", SlackUnknownError, "service_unavailable"),
        (500, SlackUnknownError, "http_500"),
        (503, SlackUnknownError, "http_503"),
        ("lost", SlackUnknownError, "no_answer"),
    ],
)
async def test_refusals_and_silences_are_told_apart(
    slack: SlackSandbox, notifier: SlackNotifier, failure: str | int, error: type[Exception], code: str
) -> None:
    slack.fail_next("chat.postMessage", failure)
    with pytest.raises(error, match=code):
        await post(notifier)
    assert len(slack.journal.calls("chat.postMessage")) == 1


async def test_a_rate_limit_says_how_long_to_wait(slack: SlackSandbox, notifier: SlackNotifier) -> None:
    slack.fail_next("chat.postMessage", 429, retry_after=7)
    with pytest.raises(SlackBusyError) as busy:
        await post(notifier)
    assert busy.value.retry_after == 7


async def test_a_slack_that_is_not_there_did_nothing(notifier: SlackNotifier, slack: SlackSandbox) -> None:
    async with SlackSandbox(manifest=MANIFEST) as gone:
        client = web_client(access(gone), gone.bot_token)
    elsewhere = SlackNotifier(lambda _: client, ChannelPace(SystemClock()))
    with pytest.raises(SlackBusyError, match="unreachable"):
        await post(elsewhere)


async def test_a_lost_answer_to_an_update_may_simply_be_tried_again(
    slack: SlackSandbox, notifier: SlackNotifier
) -> None:
    ref = await post(notifier)
    slack.fail_next("chat.update", "lost")
    with pytest.raises(SlackBusyError):
        await notifier.update(TEAM, ref, kind="sync", facts=SYNC)


async def test_a_layout_that_slack_refuses_goes_as_a_sentence(slack: SlackSandbox, notifier: SlackNotifier) -> None:
    slack.fail_next("chat.postMessage", "invalid_blocks")
    ref = await post(notifier)
    message = slack.messages("C0ALERTS")[-1]
    assert message.blocks == []
    assert "Sync broken: rita@agency.test" in message.text
    slack.fail_next("chat.update", "msg_blocks_too_long")
    await notifier.update(TEAM, ref, kind="sync", facts=SYNC | {"state": "resyncing", "actor": "U0RITA"})
    assert "Resyncing" in slack.messages("C0ALERTS")[-1].text


async def test_facts_that_make_no_card_are_refused_before_slack_hears_of_them(
    slack: SlackSandbox, notifier: SlackNotifier
) -> None:
    with pytest.raises(SlackRefusedError, match="unknown_card"):
        await notifier.post(TEAM, destination="C0ALERTS", kind="digest", facts={}, key="x")
    assert slack.journal.calls("chat.postMessage") == []


async def test_find_needs_a_scope_that_is_not_asked_for_and_says_nothing_without_it(
    slack: SlackSandbox, notifier: SlackNotifier
) -> None:
    await post(notifier)
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert await notifier.find(TEAM, destination="C0ALERTS", key="sync:1", since=since) is None


async def test_with_the_scope_a_lost_post_is_found_by_its_key(waits: Waits) -> None:
    manifest = load_manifest(MANIFEST)
    wider = type(manifest)(**{**vars(manifest), "scopes": manifest.scopes | {"channels:history", "im:history"}})
    async with SlackSandbox(manifest=wider) as slack:
        client = web_client(access(slack), slack.bot_token)
        notifier = SlackNotifier(lambda _: client, ChannelPace(SystemClock(), sleep=waits))
        since = datetime.now(UTC) - timedelta(seconds=1)
        slack.fail_next("chat.postMessage", "lost")
        with pytest.raises(SlackUnknownError):
            await post(notifier)
        found = await notifier.find(TEAM, destination="C0ALERTS", key="sync:1", since=since)
        assert found == MessageRef("C0ALERTS", slack.messages("C0ALERTS")[-1].ts)
        assert await notifier.find(TEAM, destination="C0ALERTS", key="sync:2", since=since) is None


async def test_one_channel_gets_one_message_a_second_and_others_do_not_wait(
    notifier: SlackNotifier, waits: Waits
) -> None:
    await asyncio.gather(*(post(notifier, key=f"sync:{number}") for number in range(4)))
    await post(notifier, "C0REPLIES", key="sync:9")
    assert [round(seconds) for seconds in sorted(waits.seconds)] == [1, 2, 3]


async def test_an_update_that_a_click_caused_does_not_wait(notifier: SlackNotifier, waits: Waits) -> None:
    ref = await post(notifier)
    await post(notifier, key="sync:2")
    waits.seconds.clear()
    clicked = SYNC | {"state": "resyncing", "actor": "U0RITA", "actor_at": AT}
    await notifier.update(TEAM, ref, kind="sync", facts=clicked)
    assert waits.seconds == []
    await notifier.update(TEAM, ref, kind="sync", facts=SYNC)
    assert round(waits.seconds[0]) == 3
