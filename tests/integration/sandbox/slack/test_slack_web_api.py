"""The stand-in's Web API as the real SDK meets it."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError


async def refusal(call) -> str:
    """The error name of a call that is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "Mailbox *rita@agency.test* is fine"}}
METADATA = {"event_type": "alert", "event_payload": {"key": "mailbox-1"}}


async def test_auth_test_tells_who_the_bot_is(client):
    """auth.test names team, user and bot ids."""
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0AGENCY", "U0RETHREAD", "B0RETHREAD")


async def test_every_call_shape_of_the_sdk_is_read(slack, client):
    """JSON bodies, POSTs with a query string, GETs and forms reach the same methods."""
    posted = await client.chat_postMessage(channel="C0ALERTS", text="by JSON")
    opened = await client.conversations_open(users="U0RITA")
    listed = await client.conversations_list(types="public_channel", limit=2)
    async with aiohttp.ClientSession() as http:
        form = {"token": slack.bot_token, "channel": "C0ALERTS", "text": "by form", "blocks": "[]"}
        async with http.post(slack.api_url + "chat.postMessage", data=form) as response:
            by_form = await response.json()
    assert posted["ok"]
    assert opened["channel"]["id"].startswith("D")
    assert len(listed["channels"]) == 2
    assert by_form["message"]["text"] == "by form"


async def test_an_unknown_method_is_named_so(client):
    """A method Slack does not have answers unknown_method."""
    assert await refusal(client.api_call("chat.shout")) == "unknown_method"


async def test_tokens_are_checked_before_anything_else(slack, make_client):
    """No token, a wrong token and a token of the wrong kind each have their error."""
    async with aiohttp.ClientSession() as http, http.post(slack.api_url + "auth.test") as response:
        assert await response.json() == {"ok": False, "error": "not_authed"}
    assert await refusal(make_client(slack, "xoxb-nobody").auth_test()) == "invalid_auth"
    with_app_token = make_client(slack, slack.app_token)
    assert await refusal(with_app_token.chat_postMessage(channel="C0ALERTS", text="x")) == "not_allowed_token_type"
    bot = make_client(slack)
    assert await refusal(bot.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"


async def test_a_missing_scope_names_what_is_needed_and_what_is_there(slack, client):
    """missing_scope carries needed and provided."""
    slack.tokens.scopes = {"commands", "users:read"}
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0ALERTS", text="x")
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "commands,users:read",
    )


async def test_listing_private_channels_needs_their_own_scope(slack, client):
    """Each type of conversations.list asks for its scope."""
    slack.tokens.scopes.discard("groups:read")
    assert await refusal(client.conversations_list(types="public_channel,private_channel")) == "missing_scope"


async def test_a_message_comes_back_as_slack_stores_it(slack, client):
    """ts with six decimals, ids of bot and app, a filled block_id, metadata."""
    answer = await client.chat_postMessage(channel="#mailbox-alerts", text="x", blocks=[SECTION], metadata=METADATA)
    message = answer["message"]
    seconds, _, fraction = answer["ts"].partition(".")
    assert seconds.isdecimal()
    assert len(fraction) == 6
    assert answer["channel"] == "C0ALERTS"
    assert message["bot_id"] == "B0RETHREAD"
    assert message["app_id"] == "A0RETHREAD"
    assert message["blocks"][0]["block_id"]
    assert message["metadata"] == METADATA
    assert slack.messages("C0ALERTS")[-1].ts == answer["ts"]


async def test_timestamps_never_repeat(client):
    """Two messages at once have different, rising timestamps."""
    stamps = [(await client.chat_postMessage(channel="C0ALERTS", text=str(n)))["ts"] for n in range(20)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0GENERAL", "not_in_channel"), ("G0LEADS", "channel_not_found"), ("C0NOWHERE", "channel_not_found")],
)
async def test_posting_where_the_bot_is_not(client, channel, error):
    """A public channel says not_in_channel, a private one hides itself."""
    assert await refusal(client.chat_postMessage(channel=channel, text="x")) == error


async def test_posting_to_an_archived_channel(slack, client):
    """is_archived for posts, is_inactive for edits."""
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="x"))["ts"]
    slack.archive("C0ALERTS")
    assert await refusal(client.chat_postMessage(channel="C0ALERTS", text="x")) == "is_archived"
    assert await refusal(client.chat_update(channel="C0ALERTS", ts=ts, text="y")) == "is_inactive"


async def test_posting_to_a_user_opens_the_direct_message(slack, client):
    """A user's id as channel answers with the D… id, the one conversations.open gives."""
    answer = await client.chat_postMessage(channel="U0RITA", text="hello")
    opened = await client.conversations_open(users="U0RITA")
    assert answer["channel"] == opened["channel"]["id"] == slack.direct_message("U0RITA")
    assert opened["already_open"] is True


async def test_a_message_without_anything_is_refused(client):
    """no_text."""
    assert await refusal(client.chat_postMessage(channel="C0ALERTS", text="")) == "no_text"


async def test_text_over_forty_thousand_characters_is_cut_with_a_warning(slack, client):
    """Slack truncates and says message_truncated."""
    answer = await client.chat_postMessage(channel="C0ALERTS", text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(slack.messages("C0ALERTS")[-1].text) == 40_000


async def test_a_message_can_be_postable_and_not_updatable(client):
    """chat.update takes 4,000 characters of text where chat.postMessage took more."""
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="x" * 4_001))["ts"]
    assert await refusal(client.chat_update(channel="C0ALERTS", ts=ts, text="x" * 4_001)) == "msg_too_long"
    assert (await client.chat_update(channel="C0ALERTS", ts=ts, text="x" * 4_000))["ok"]


async def test_updating_with_blocks_leaves_no_edited_mark(slack, client):
    """Blocks replace silently and keep the metadata; text alone takes the blocks away and is marked."""
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="a", blocks=[SECTION], metadata=METADATA))["ts"]
    await client.chat_update(channel="C0ALERTS", ts=ts, text="b", blocks=[SECTION])
    (message,) = slack.messages("C0ALERTS")
    assert message.edited is None
    assert message.metadata == METADATA
    await client.chat_update(channel="C0ALERTS", ts=ts, text="c")
    assert message.edited is not None
    assert (message.text, message.blocks) == ("c", [])


async def test_update_refuses_what_is_not_the_bots(slack, client):
    """message_not_found, cant_update_message, and a user's id is no channel."""
    theirs = slack.say("U0RITA", "C0ALERTS", "mine")
    assert await refusal(client.chat_update(channel="C0ALERTS", ts="1.000001", text="x")) == "message_not_found"
    assert await refusal(client.chat_update(channel="C0ALERTS", ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel="C0ALERTS", ts=theirs.ts)) == "cant_delete_message"
    assert await refusal(client.chat_update(channel="U0RITA", ts=theirs.ts, text="x")) == "channel_not_found"


async def test_a_deleted_message_is_gone(slack, client):
    """chat.delete removes it, a second time finds nothing."""
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="x"))["ts"]
    await client.chat_delete(channel="C0ALERTS", ts=ts)
    assert slack.messages("C0ALERTS") == []
    assert await refusal(client.chat_delete(channel="C0ALERTS", ts=ts)) == "message_not_found"


async def test_an_ephemeral_is_seen_by_one_person_and_not_updatable(slack, client):
    """It is not in the channel's history, and only people of the channel can get one."""
    answer = await client.chat_postEphemeral(channel="C0ALERTS", user="U0RITA", text="only you")
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["only you"]
    assert slack.ephemerals("U0OMAR") == []
    assert slack.messages("C0ALERTS") == []
    gone = client.chat_update(channel="C0ALERTS", ts=answer["message_ts"], text="x")
    assert await refusal(gone) == "message_not_found"
    slack.leave("U0OMAR", "C0ALERTS")
    late = client.chat_postEphemeral(channel="C0ALERTS", user="U0OMAR", text="x")
    assert await refusal(late) == "user_not_in_channel"


async def test_a_thread_counts_its_replies(slack, client):
    """Replies stay out of the channel's history and are counted on the parent."""
    slack.tokens.scopes |= {"channels:history"}
    parent = (await client.chat_postMessage(channel="C0ALERTS", text="parent"))["ts"]
    await client.chat_postMessage(channel="C0ALERTS", text="one", thread_ts=parent)
    await client.chat_postMessage(channel="C0ALERTS", text="two", thread_ts=parent)
    history = await client.conversations_history(channel="C0ALERTS")
    replies = await client.conversations_replies(channel="C0ALERTS", ts=parent)
    assert [m["text"] for m in history["messages"]] == ["parent"]
    assert history["messages"][0]["reply_count"] == 2
    assert [m["text"] for m in replies["messages"]] == ["parent", "one", "two"]
    nowhere = client.chat_postMessage(channel="C0ALERTS", text="x", thread_ts="1.000001")
    assert await refusal(nowhere) == "cannot_reply_to_message"


async def test_history_gives_metadata_only_when_asked(slack, client):
    """include_all_metadata is what lets an app find its own lost post again."""
    slack.tokens.scopes |= {"channels:history"}
    await client.chat_postMessage(channel="C0ALERTS", text="x", metadata=METADATA)
    plain = await client.conversations_history(channel="C0ALERTS")
    full = await client.conversations_history(channel="C0ALERTS", include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == METADATA


async def test_history_needs_its_scope_and_membership(slack, client):
    """missing_scope first, then not_in_channel."""
    assert await refusal(client.conversations_history(channel="C0ALERTS")) == "missing_scope"
    slack.tokens.scopes |= {"channels:history"}
    assert await refusal(client.conversations_history(channel="C0GENERAL")) == "not_in_channel"


async def test_lists_come_in_pages(client):
    """limit and cursor walk through users.list; the last page has no cursor."""
    names, cursor = [], None
    while cursor != "":
        page = await client.users_list(limit=3, cursor=cursor)
        names += [user["name"] for user in page["members"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert names == ["rita", "omar", "ada", "rethread"]
    assert await refusal(client.users_list(cursor="nonsense")) == "invalid_cursor"


async def test_addresses_are_shown_only_with_their_scope(slack, client):
    """users.info keeps the e-mail back without users:read.email."""
    assert (await client.users_info(user="U0RITA"))["user"]["profile"]["email"] == "rita@agency.test"
    assert (await client.users_lookupByEmail(email="OMAR@agency.test"))["user"]["id"] == "U0OMAR"
    assert await refusal(client.users_lookupByEmail(email="nobody@agency.test")) == "users_not_found"
    slack.tokens.scopes.discard("users:read.email")
    assert "email" not in (await client.users_info(user="U0RITA"))["user"]["profile"]


async def test_private_channels_the_bot_is_not_in_are_not_listed(slack, client):
    """#leads appears once the bot is in it."""
    before = await client.conversations_list(types="private_channel")
    slack.join("U0RETHREAD", "G0LEADS")
    after = await client.conversations_list(types="private_channel")
    assert before["channels"] == []
    assert [c["id"] for c in after["channels"]] == ["G0LEADS"]


async def test_joining_a_public_channel(slack, client):
    """conversations.join needs channels:join, and posting works afterwards."""
    assert await refusal(client.conversations_join(channel="C0GENERAL")) == "missing_scope"
    slack.tokens.scopes |= {"channels:join"}
    await client.conversations_join(channel="C0GENERAL")
    assert (await client.chat_postMessage(channel="C0GENERAL", text="hi"))["ok"]
    members = await client.conversations_members(channel="C0GENERAL")
    assert "U0RETHREAD" in members["members"]


async def test_a_block_too_long_is_refused_with_its_pointer(slack, client):
    """errors[] and response_metadata.messages[] name the place, and nothing is posted."""
    too_long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0ALERTS", text="x", blocks=[SECTION, too_long])
    answer = caught.value.response
    words = "must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [words]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {words}"]
    assert slack.messages("C0ALERTS") == []


async def test_blocks_too_long_together_are_refused(client):
    """msg_blocks_too_long although each block keeps its limit."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}} for _ in range(5)]
    sent = client.chat_postMessage(channel="C0ALERTS", text="x", blocks=blocks)
    assert await refusal(sent) == "msg_blocks_too_long"


async def test_blocks_that_are_not_json_are_refused(client):
    """invalid_blocks_format, and metadata without its fields invalid_metadata_format."""
    assert await refusal(client.chat_postMessage(channel="C0ALERTS", blocks="[{")) == "invalid_blocks_format"
    bad = client.chat_postMessage(channel="C0ALERTS", text="x", metadata={"event_type": "a"})
    assert await refusal(bad) == "invalid_metadata_format"


async def test_a_permalink_leads_to_the_page(slack, client):
    """The address redirects to the page with channel and timestamp."""
    ts = (await client.chat_postMessage(channel="C0ALERTS", text="x"))["ts"]
    link = (await client.chat_getPermalink(channel="C0ALERTS", message_ts=ts))["permalink"]
    async with aiohttp.ClientSession() as http, http.get(link, allow_redirects=False) as response:
        assert response.headers["Location"] == f"/?channel=C0ALERTS&ts={ts}"


async def test_an_oauth_code_buys_the_token_once(slack, make_client):
    """oauth.v2.access with Basic authentication; a code is spent by its first use."""
    code = slack.tokens.new_code("http://127.0.0.1:3000/slack/oauth_redirect")
    anonymous = make_client(slack, "")
    grant = {"client_id": slack.tokens.client_id, "client_secret": slack.tokens.client_secret, "code": code}
    answer = await anonymous.oauth_v2_access(**grant)
    assert answer["access_token"] == slack.bot_token
    assert await refusal(anonymous.oauth_v2_access(**grant)) == "invalid_code"


async def test_blocks_validate_answers_pointer_and_code(client):
    """No token is needed; exactly one of blocks, message and view is."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call("blocks.validate", json={"blocks": [{"type": "divider", "colour": "red"}]})
    (error,) = caught.value.response["errors"]
    assert caught.value.response["error"] == "invalid_blocks"
    assert (error["pointer"], error["code"]) == ("/0", "additional_property")
    assert (await client.api_call("blocks.validate", json={"blocks": [SECTION]}))["ok"]
    assert await refusal(client.api_call("blocks.validate", json={})) == "invalid_arguments"


async def test_the_journal_keeps_calls_without_their_tokens(slack, client):
    """Tests read it in process, people at /page/journal; no token is in either."""
    await client.chat_postMessage(channel="C0ALERTS", text="hello")
    (call,) = slack.journal.calls("chat.postMessage")
    assert call.request["text"] == "hello"
    assert call.answer["ok"] is True
    async with aiohttp.ClientSession() as http, http.get(slack.page_url + "/page/journal?after=0") as response:
        text = await response.text()
    assert "chat.postMessage" in text
    assert slack.bot_token not in text
