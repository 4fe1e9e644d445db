"""Commands, clicks, modals, the Home tab and events, through a real Bolt app on both transports."""

import asyncio
import json

import pytest

from sandbox.slack import NotPossibleError

CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Mailbox broken"}},
    {
        "type": "actions",
        "block_id": "act",
        "elements": [
            {
                "type": "button",
                "action_id": "resync",
                "value": "mbx_1:3",
                "text": {"type": "plain_text", "text": "Resync"},
            },
            {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": {"type": "plain_text", "text": "Mute"}, "value": "mute"},
                    {"text": {"type": "plain_text", "text": "Details"}, "value": "details"},
                ],
            },
        ],
    },
]


def modal(**more):
    """A modal with one text input and one external select."""
    return {
        "type": "modal",
        "callback_id": "fix_address",
        "title": {"type": "plain_text", "text": "Fix address"},
        "submit": {"type": "plain_text", "text": "Save"},
        "notify_on_close": True,
        "private_metadata": "prospect_7",
        "blocks": [
            {
                "type": "input",
                "block_id": "address",
                "label": {"type": "plain_text", "text": "Address"},
                "element": {"type": "email_text_input", "action_id": "value"},
            },
            {
                "type": "input",
                "block_id": "campaign",
                "optional": True,
                "label": {"type": "plain_text", "text": "Campaign"},
                "element": {"type": "external_select", "action_id": "pick", "min_query_length": 0},
            },
        ],
    } | more


async def test_a_command_reaches_the_app_and_its_ack_is_seen(slack, make_app, connect):
    """The ack's text becomes an ephemeral for the person who typed."""
    app = make_app(slack)

    @app.command("/mailbox")
    async def mailbox(ack, command):
        await ack(f"{command['command']} {command['text']} for {command['user_name']}")

    async with connect(slack, app):
        assert await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status") == {"ok": True}
    (answer,) = slack.ephemerals("U0RITA")
    assert (answer.text, answer.channel) == ("/mailbox status for rita", "C0ALERTS")
    assert slack.messages("C0ALERTS") == []


async def test_an_ack_may_answer_in_the_channel(slack, make_app, connect):
    """response_type in_channel posts for everybody."""
    app = make_app(slack)

    @app.command("/mailbox")
    async def mailbox(ack):
        await ack(response_type="in_channel", text="for all", blocks=CARD)

    async with connect(slack, app):
        await slack.command("U0RITA", "C0ALERTS", "/mailbox")
    (message,) = slack.messages("C0ALERTS")
    assert message.text == "for all"
    assert message.blocks[0]["block_id"]


async def test_people_channels_and_addresses_come_escaped(slack, make_app, connect):
    """should_escape turns names into ids; a command without it gets the text as typed."""
    app, seen = make_app(slack), []

    @app.command("/mailbox")
    @app.command("/plain")
    async def remember(ack, command):
        seen.append(command["text"])
        await ack()

    typed = "@omar #outreach a@b.example <&>"
    async with connect(slack, app):
        await slack.command("U0RITA", "C0ALERTS", "/mailbox", typed)
        await slack.command("U0RITA", "C0ALERTS", "/plain", typed)
    assert seen == [
        "<@U0OMAR|omar> <#C0REPLIES|outreach> <mailto:a@b.example|a@b.example> &lt;&amp;&gt;",
        typed,
    ]


async def test_a_command_nobody_acks_fails_visibly(hasty_slack, make_app, connect):
    """operation_timeout, with the sentence Slack shows."""
    app = make_app(hasty_slack)

    @app.command("/mailbox")
    async def never(ack):
        await asyncio.Event().wait()

    async with connect(hasty_slack, app):
        answer = await hasty_slack.command("U0RITA", "C0ALERTS", "/mailbox", "status")
    assert answer["error"] == "operation_timeout"
    assert answer["message"] == '/mailbox failed with the error "operation_timeout"'


async def test_a_command_without_an_app_says_so(slack):
    """No socket and no request URL."""
    answer = await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status")
    assert answer["error"] == "dispatch_failed"
    assert "did not respond" in answer["message"]
    assert (await slack.command("U0RITA", "C0ALERTS", "/shout"))["error"] == "unknown_command"


async def test_a_click_carries_what_slack_sends(slack, make_app, connect):
    """Container, message with metadata, the button's own value, user and trigger."""
    app, seen = make_app(slack), []

    @app.action("resync")
    async def resync(ack, body):
        await ack()
        seen.append(body)

    async with connect(slack, app):
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", blocks=CARD)
        assert await slack.click("U0OMAR", "C0ALERTS", posted["ts"], "resync") == {"ok": True}
    (body,) = seen
    assert body["type"] == "block_actions"
    assert body["user"]["id"] == "U0OMAR"
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0ALERTS",
        "is_ephemeral": False,
    }
    assert body["message"]["text"] == "broken"
    assert body["actions"][0]["value"] == "mbx_1:3"
    assert body["actions"][0]["block_id"] == "act"
    assert body["trigger_id"]


async def test_a_button_inside_an_attachment_names_it(slack, make_app, connect):
    """Cards with a colour bar come as message_attachment."""
    app, seen = make_app(slack), []

    @app.action("resync")
    async def resync(ack, body):
        await ack()
        seen.append(body["container"])

    async with connect(slack, app):
        attachments = [{"color": "#d50200", "fallback": "broken", "blocks": CARD}]
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", attachments=attachments)
        await slack.click("U0RITA", "C0ALERTS", posted["ts"], "resync")
    assert (seen[0]["type"], seen[0]["attachment_id"]) == ("message_attachment", 1)


async def test_an_overflow_choice_comes_as_selected_option(slack, make_app, connect):
    """The option is taken from the message, whatever the page sent beside its value."""
    app, seen = make_app(slack), []

    @app.action("more")
    async def more(ack, action):
        await ack()
        seen.append(action["selected_option"])

    async with connect(slack, app):
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", blocks=CARD)
        await slack.click("U0RITA", "C0ALERTS", posted["ts"], "more", "details")
    assert seen == [CARD[1]["elements"][1]["options"][1]]


async def test_a_click_nobody_acks_shows_the_warning(hasty_slack, make_app, connect):
    """The page draws a triangle from the failure."""
    app = make_app(hasty_slack)

    @app.action("resync")
    async def never(ack):
        await asyncio.Event().wait()

    async with connect(hasty_slack, app):
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", blocks=CARD)
        answer = await hasty_slack.click("U0RITA", "C0ALERTS", posted["ts"], "resync")
    assert answer["error"] == "operation_timeout"


async def test_a_stale_button_cannot_be_clicked(slack, make_app, connect):
    """Once the message was updated without its buttons, the click is refused before the app."""
    app = make_app(slack)
    async with connect(slack, app):
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", blocks=CARD)
        await app.client.chat_update(channel="C0ALERTS", ts=posted["ts"], text="fine", blocks=CARD[:1])
        with pytest.raises(NotPossibleError):
            await slack.click("U0RITA", "C0ALERTS", posted["ts"], "resync")
    assert slack.journal.deliveries("block_actions") == []


async def test_a_response_url_replaces_the_message_it_came_from(slack, make_app, connect):
    """respond(replace_original=True) edits the card; without it only the clicker sees the answer."""
    app = make_app(slack)

    @app.action("resync")
    async def resync(ack, respond):
        await ack()
        await respond(text="only for you", replace_original=False)
        await respond(text="under way", replace_original=True)

    async with connect(slack, app):
        posted = await app.client.chat_postMessage(channel="C0ALERTS", text="broken", blocks=CARD)
        await slack.click("U0RITA", "C0ALERTS", posted["ts"], "resync")
        await slack.wait_message("C0ALERTS", lambda m: m.text == "under way")
    assert slack.messages("C0ALERTS")[0].ts == posted["ts"]
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["only for you"]


async def test_a_response_url_answers_five_times(slack, make_app, connect):
    """The sixth is refused with 404 used_url, which Bolt's respond does not raise."""
    app, statuses = make_app(slack), []
    done = asyncio.Event()

    @app.command("/mailbox")
    async def mailbox(ack, respond):
        await ack()
        for number in range(6):
            statuses.append((await respond(text=str(number))).status_code)
        done.set()

    async with connect(slack, app):
        await slack.command("U0RITA", "C0ALERTS", "/mailbox")
        await asyncio.wait_for(done.wait(), 30)
    assert statuses == [200] * 5 + [404]
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_is_good_for_half_an_hour(aging_slack, clock, make_app, connect):
    """Afterwards 404 expired_url."""
    app, answers = make_app(aging_slack), asyncio.Queue()

    @app.command("/mailbox")
    async def mailbox(ack, respond):
        await ack()
        clock.now += 30 * 60 + 1
        answers.put_nowait(await respond(text="late"))

    async with connect(aging_slack, app):
        await aging_slack.command("U0RITA", "C0ALERTS", "/mailbox")
        late = await asyncio.wait_for(answers.get(), 30)
    assert late.status_code == 404
    assert "expired_url" in late.body


async def opened_modal(slack, app, content):
    """Open a modal by a command and return it."""

    @app.command("/outreach")
    async def outreach(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=content)

    await slack.command("U0RITA", "C0ALERTS", "/outreach")
    return await slack.wait_view("U0RITA")


async def test_a_modal_is_submitted_with_its_state(slack, make_app, connect):
    """The app gets values by block and action; an empty ack closes the modal."""
    app, seen = make_app(slack), []

    @app.view("fix_address")
    async def fix(ack, view):
        await ack()
        seen.append(view)

    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        assert await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"}) == {"ok": True}
    assert seen[0]["private_metadata"] == "prospect_7"
    assert seen[0]["state"]["values"]["address"]["value"]["value"] == "sam@candidates.example"
    assert seen[0]["state"]["values"]["campaign"]["pick"]["selected_option"] is None
    assert slack.views("U0RITA") == []


async def test_slack_itself_refuses_empty_and_malformed_inputs(slack, make_app, connect):
    """Required and e-mail inputs are checked before the app hears of it."""
    app = make_app(slack)
    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        empty = await slack.submit_view("U0RITA", view.id)
        wrong = await slack.submit_view("U0RITA", view.id, {"address": "not an address"})
    assert empty["errors"] == {"address": "Please complete this required field."}
    assert set(wrong["errors"]) == {"address"}
    assert slack.journal.deliveries("view_submission") == []


@pytest.mark.parametrize(
    ("errors", "shown"),
    [({"address": "Nobody has it"}, True), ({"value": "an action id"}, False)],
)
async def test_errors_must_name_input_blocks(slack, make_app, connect_socket, errors, shown):
    """response_action errors with any other key is "trouble connecting"."""
    app = make_app(slack)

    @app.view("fix_address")
    async def fix(ack):
        await ack(response_action="errors", errors=errors)

    async with connect_socket(slack, app):
        view = await opened_modal(slack, app, modal())
        answer = await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"})
    assert slack.views("U0RITA") == [view]
    if shown:
        assert answer == {"ok": True, "response_action": "errors", "errors": errors}
    else:
        assert answer["message"] == "We had some trouble connecting. Try again?"


async def test_modals_stack_three_deep(slack, make_app, connect):
    """push twice, the third is refused; clear takes all away."""
    app, answers = make_app(slack), ["push", "push", "push", "clear"]

    @app.view("fix_address")
    async def fix(ack):
        action = answers.pop(0)
        await ack(response_action=action, **({"view": modal()} if action == "push" else {}))

    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        for depth in (2, 3):
            await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"})
            assert len(slack.views("U0RITA")) == depth
            view = slack.views("U0RITA")[-1]
        refused = await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"})
        assert refused["error"] == "push_limit_reached"
        assert view.root_view_id == slack.views("U0RITA")[0].id
        await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"})
    assert slack.views("U0RITA") == []


async def test_a_modal_is_updated_by_the_answer(slack, make_app, connect):
    """response_action update keeps the view's id and changes its hash."""
    app = make_app(slack)
    done = {"type": "plain_text", "text": "Saved"}

    @app.view("fix_address")
    async def fix(ack):
        await ack(response_action="update", view=modal(title=done))

    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        before = view.hash
        await slack.submit_view("U0RITA", view.id, {"address": "sam@candidates.example"})
    assert slack.views("U0RITA")[0].id == view.id
    assert slack.views("U0RITA")[0].content["title"] == done
    assert view.hash != before


async def test_views_update_refuses_an_old_hash_and_an_unknown_view(slack, make_app, connect_socket):
    """hash_conflict and not_found; not a word of the view is changed."""
    app = make_app(slack)
    async with connect_socket(slack, app):
        view = await opened_modal(slack, app, modal(external_id="fix-7"))
        with pytest.raises(Exception, match="hash_conflict"):
            await app.client.views_update(view_id=view.id, hash="1.old", view=modal())
        with pytest.raises(Exception, match="not_found"):
            await app.client.views_update(view_id="V0NOWHERE", view=modal())
        updated = await app.client.views_update(external_id="fix-7", hash=view.hash, view=modal())
    assert updated["view"]["id"] == view.id


async def test_closing_a_modal_is_told_when_asked_for(slack, make_app, connect):
    """notify_on_close sends view_closed."""
    app, seen = make_app(slack), []

    @app.view_closed("fix_address")
    async def closed(ack, body):
        await ack()
        seen.append(body["is_cleared"])

    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        await slack.close_view("U0RITA", view.id)
    assert seen == [False]
    assert slack.views("U0RITA") == []


async def test_a_trigger_opens_one_modal_within_three_seconds(aging_slack, clock, make_client):
    """exchanged, expired and invalid triggers each have their error."""
    client, views = make_client(aging_slack), aging_slack.workspace.views
    good, late = views.new_trigger("U0RITA"), views.new_trigger("U0RITA")
    await client.views_open(trigger_id=good, view=modal())
    with pytest.raises(Exception, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=good, view=modal())
    clock.now += 3.1
    with pytest.raises(Exception, match="expired_trigger_id"):
        await client.views_open(trigger_id=late, view=modal())
    with pytest.raises(Exception, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.nothing", view=modal())


async def test_a_view_slack_would_refuse_keeps_its_trigger(slack, client):
    """invalid_arguments with pointers; the trigger can be used for a correct view."""
    trigger = slack.workspace.views.new_trigger("U0RITA")
    broken = modal(title={"type": "plain_text", "text": "x" * 25})
    with pytest.raises(Exception, match="invalid_arguments") as caught:
        await client.views_open(trigger_id=trigger, view=broken)
    messages = caught.value.response["response_metadata"]["messages"]
    assert "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]" in messages
    assert (await client.views_open(trigger_id=trigger, view=modal()))["ok"]


async def test_an_external_select_asks_the_app_for_options(slack, make_app, connect):
    """block_suggestion carries what was typed; the answer's options come back."""
    app, option = make_app(slack), {"text": {"type": "plain_text", "text": "Autumn"}, "value": "c1"}

    @app.options("pick")
    async def pick(ack, payload):
        await ack(options=[option] if payload["value"] == "aut" else [])

    async with connect(slack, app):
        view = await opened_modal(slack, app, modal())
        container = {"type": "view", "view_id": view.id}
        found = await slack.interactions.suggest("U0RITA", container, "campaign", "pick", "aut")
    assert found == {"options": [option]}


async def test_the_home_tab_is_published_when_it_is_opened(slack, make_app, connect):
    """app_home_opened goes out, views.publish comes in, and a button there works."""
    app, clicks = make_app(slack), []
    home = {"type": "home", "blocks": CARD}

    @app.event("app_home_opened")
    async def opened(event, client):
        await client.views_publish(user_id=event["user"], view=home)

    @app.action("resync")
    async def resync(ack, body):
        await ack()
        clicks.append(body["view"]["type"])

    async with connect(slack, app):
        assert slack.open_home("U0ADA") is None
        view = await slack.wait_home("U0ADA")
        await slack.click_home("U0ADA", "resync")
    assert view.is_home
    assert clicks == ["home"]
    assert slack.home("U0RITA") is None


async def test_membership_events_come_as_subscribed(slack, make_app, connect):
    """Joining and leaving are told, messages are not: the manifest does not ask for them."""
    app, seen = make_app(slack), asyncio.Queue()

    @app.event("member_joined_channel")
    @app.event("member_left_channel")
    @app.event("channel_archive")
    @app.event("message")
    async def remember(event):
        seen.put_nowait((event["type"], event.get("user"), event["channel"]))

    async with connect(slack, app):
        slack.join("U0RETHREAD", "C0GENERAL", inviter="U0ADA")
        slack.say("U0RITA", "C0GENERAL", "hello bot")
        found = [await asyncio.wait_for(seen.get(), 30)]
        slack.leave("U0RETHREAD", "C0GENERAL")
        found.append(await asyncio.wait_for(seen.get(), 30))
        slack.archive("C0ALERTS", by="U0ADA")
        found.append(await asyncio.wait_for(seen.get(), 30))
    assert found == [
        ("member_joined_channel", "U0RETHREAD", "C0GENERAL"),
        ("member_left_channel", "U0RETHREAD", "C0GENERAL"),
        ("channel_archive", "U0ADA", "C0ALERTS"),
    ]


async def test_the_payload_is_plain_json(slack, make_app, connect_socket):
    """What the journal keeps of a delivery can be written down as it is."""
    app = make_app(slack)

    @app.command("/mailbox")
    async def mailbox(ack):
        await ack()

    async with connect_socket(slack, app):
        await slack.command("U0RITA", "C0ALERTS", "/mailbox")
    (entry,) = slack.journal.deliveries("/mailbox")
    assert json.loads(json.dumps(entry.to_json()))["via"] == "socket"
