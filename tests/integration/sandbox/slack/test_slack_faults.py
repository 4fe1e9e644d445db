"""What goes wrong on request: lost answers, limits, server errors, dead tokens, slow calls."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError


async def test_a_lost_answer_leaves_the_message_posted(slack, client):
    """The client sees a broken connection, the workspace has the message."""
    slack.fail_next("chat.postMessage", "lost")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0ALERTS", text="once")
    assert [m.text for m in slack.messages("C0ALERTS")] == ["once"]
    assert slack.journal.calls("chat.postMessage")[0].error == "lost"


async def test_a_lost_request_leaves_nothing(slack, client):
    """The same seen by the client, but the call did no work."""
    slack.fail_next("chat.postMessage", "lost", performed=False)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C0ALERTS", text="never")
    assert slack.messages("C0ALERTS") == []


async def test_a_rate_limit_tells_how_long_to_wait(slack, client):
    """429 with Retry-After, once; the next call goes through."""
    slack.fail_next("chat.postMessage", 429, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0ALERTS", text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert caught.value.response["error"] == "ratelimited"
    assert (await client.chat_postMessage(channel="C0ALERTS", text="x"))["ok"]


async def test_a_server_error_may_have_done_its_work(slack, client):
    """500 before the work, and 500 after it."""
    slack.fail_next("chat.postMessage", 500)
    slack.fail_next("chat.postMessage", 500, performed=True)
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel="C0ALERTS", text="x")
    assert len(slack.messages("C0ALERTS")) == 1


async def test_an_error_name_is_answered_as_asked_for(slack, client):
    """Any of Slack's names, as often as asked for."""
    slack.fail_next("chat.update", "edit_window_closed", times=2)
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="x"))["ts"]
    for _ in range(2):
        with pytest.raises(SlackApiError, match="edit_window_closed"):
            await client.chat_update(channel="C0ALERTS", ts=ts, text="y")
    assert (await client.chat_update(channel="C0ALERTS", ts=ts, text="y"))["ok"]


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
async def test_a_dead_token_fails_every_call(slack, client, error):
    """Until it is restored."""
    slack.revoke_token(error)
    with pytest.raises(SlackApiError, match=error):
        await client.auth_test()
    slack.restore_token()
    assert (await client.auth_test())["ok"]


async def test_a_slow_call_waits_until_it_is_let_go(slack, client):
    """A hold tells when the call is there and lets it on when told to."""
    hold = slack.hold("chat.postMessage")
    call = asyncio.create_task(client.chat_postMessage(channel="C0ALERTS", text="slow"))
    await asyncio.wait_for(hold.arrived.wait(), 30)
    assert slack.messages("C0ALERTS") == []
    hold.release()
    assert (await call)["ok"]


async def test_one_message_a_second_and_channel_when_limits_are_on(aging_slack, clock, make_client):
    """The second message in a channel waits, another channel does not."""
    client = make_client(aging_slack)
    aging_slack.rate_limits.enabled = True
    await client.chat_postMessage(channel="C0ALERTS", text="one")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0ALERTS", text="two")
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="C0REPLIES", text="elsewhere")
    clock.now += 1
    await client.chat_postMessage(channel="C0ALERTS", text="two")
    assert len(aging_slack.messages("C0ALERTS")) == 2
