"""The page's API: what a browser reads, does and hears live."""

import aiohttp
import pytest

BUTTONS = [
    {
        "type": "actions",
        "block_id": "act",
        "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}],
    }
]


class Browser:
    """One person's view of the page API."""

    def __init__(self, http: aiohttp.ClientSession, user: str) -> None:
        self.http = http
        self.user = user

    async def get(self, path: str, **query: str):
        async with self.http.get(f"/page/{path}", params={"user": self.user, **query}) as response:
            return await response.json()

    async def post(self, path: str, **body):
        async with self.http.post(f"/page/{path}", json={"user": self.user, **body}) as response:
            return await response.json()

    def live(self):
        return self.http.ws_connect(f"/page/live?user={self.user}")


@pytest.fixture
async def rita(slack):
    async with aiohttp.ClientSession(slack.page_url) as http:
        yield Browser(http, "U0RITA")


@pytest.fixture
async def omar(slack):
    async with aiohttp.ClientSession(slack.page_url) as http:
        yield Browser(http, "U0OMAR")


async def heard(socket, kind):
    """The next live event of a kind."""
    while (event := await socket.receive_json(timeout=30))["type"] != kind:
        pass
    return event


async def test_a_person_sees_their_channels_and_the_commands(slack, rita, omar):
    """Private channels only for their members; the bot's direct message always."""
    hers, his = await rita.get("bootstrap"), await omar.get("bootstrap")
    assert {c["name"] for c in hers["channels"]} == {"mailbox-alerts", "outreach", "general", "leads", ""}
    assert "leads" not in {c["name"] for c in his["channels"]}
    (dm,) = [c for c in hers["channels"] if c["kind"] == "dm"]
    assert dm["with"] == hers["app"]["bot_user"] == "U0RETHREAD"
    assert [c["command"] for c in hers["commands"]] == ["/mailbox", "/outreach", "/plain"]
    assert hers["app"]["reachable"] is False


async def test_messages_come_live_and_are_counted_as_unread(client, rita, omar):
    """The other person hears of it, and it is unread until they look."""
    async with omar.live() as live:
        await client.chat_postMessage(channel="C0ALERTS", text="broken")
        event = await heard(live, "message")
    unread = {c["id"]: c["unread"] for c in (await omar.get("bootstrap"))["channels"]}
    shown = await omar.get("messages", channel="C0ALERTS")
    after = {c["id"]: c["unread"] for c in (await omar.get("bootstrap"))["channels"]}
    assert event["channel"] == "C0ALERTS"
    assert event["message"]["app_name"] == "Rethread"
    assert (unread["C0ALERTS"], after["C0ALERTS"]) == (1, 0)
    assert [m["text"] for m in shown["messages"]] == ["broken"]


async def test_direct_messages_are_heard_by_nobody_else(client, rita, omar):
    """Omar's live socket stays silent about Rita's direct message and ephemerals."""
    async with omar.live() as live:
        await client.chat_postMessage(channel="U0RITA", text="for rita")
        await client.chat_postEphemeral(channel="C0ALERTS", user="U0RITA", text="hers")
        await client.chat_postMessage(channel="C0ALERTS", text="for all")
        first = await heard(live, "message")
    assert first["message"]["text"] == "for all"
    hers = await rita.get("messages", channel="C0ALERTS")
    assert [(m["text"], m["ephemeral"]) for m in hers["messages"]] == [("hers", True), ("for all", False)]


async def test_a_person_writes_in_a_channel_and_a_thread(client, rita):
    """Their own messages are theirs; thread replies stay in the thread."""
    parent = await rita.post("post", channel="C0ALERTS", text="look @omar")
    await rita.post("post", channel="C0ALERTS", text="here", thread_ts=parent["ts"])
    shown = (await rita.get("messages", channel="C0ALERTS"))["messages"]
    thread = (await rita.get("thread", channel="C0ALERTS", ts=parent["ts"]))["messages"]
    assert [(m["text"], m["mine"], m["reply_count"]) for m in shown] == [("look <@U0OMAR>", True, 1)]
    assert [m["text"] for m in thread] == ["look <@U0OMAR>", "here"]


async def test_a_button_of_the_page_reaches_the_app(slack, client, rita, make_app, connect_socket):
    """POST /page/action with the container the page knows."""
    app, seen = make_app(slack), []

    @app.action("go")
    async def go(ack, body):
        await ack()
        seen.append(body["actions"][0]["value"])

    posted = await client.chat_postMessage(channel="C0ALERTS", text="x", blocks=BUTTONS)
    container = {"type": "message", "channel": "C0ALERTS", "ts": posted["ts"]}
    action = {"block_id": "act", "action_id": "go", "type": "button", "value": "forged"}
    alone = await rita.post("action", container=container, action=action)
    async with connect_socket(slack, app):
        answer = await rita.post("action", container=container, action=action)
    assert alone["error"] == "dispatch_failed"
    assert answer == {"ok": True}
    assert seen == ["1"]


async def test_a_modal_opens_live_and_is_submitted(slack, rita, make_app, connect_socket):
    """view_open on the socket, view_submit by POST, view_close on the socket again."""
    app = make_app(slack)
    view = {
        "type": "modal",
        "callback_id": "cb",
        "title": {"type": "plain_text", "text": "T"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            {
                "type": "input",
                "block_id": "b",
                "label": {"type": "plain_text", "text": "L"},
                "element": {"type": "plain_text_input", "action_id": "a", "max_length": 5},
            }
        ],
    }

    @app.command("/outreach")
    async def outreach(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("cb")
    async def submitted(ack):
        await ack()

    async with connect_socket(slack, app), rita.live() as live:
        await rita.post("command", channel="C0ALERTS", command="/outreach", text="new")
        opened = (await heard(live, "view_open"))["view"]
        long = {"values": {"b": {"a": {"type": "plain_text_input", "value": "too long"}}}}
        refused = await rita.post("view_submit", view_id=opened["id"], state=long)
        short = {"values": {"b": {"a": {"type": "plain_text_input", "value": "short"}}}}
        taken = await rita.post("view_submit", view_id=opened["id"], state=short)
        closed = await heard(live, "view_close")
    assert refused["errors"] == {"b": "Please enter no more than 5 characters."}
    assert taken == {"ok": True}
    assert closed["view"]["id"] == opened["id"]


async def test_the_home_tab_arrives_after_it_is_opened(slack, rita, make_app, connect_socket):
    """home_open answers at once, the view follows live."""
    app = make_app(slack)

    @app.event("app_home_opened")
    async def opened(event, client):
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": BUTTONS})

    async with connect_socket(slack, app), rita.live() as live:
        first = await rita.post("home_open")
        await heard(live, "home")
        second = await rita.post("home_open")
    assert first == {"view": None}
    assert second["view"]["type"] == "home"


async def test_the_page_hears_whether_the_app_is_there(slack, rita, make_app, connect_socket):
    """An app event when the socket opens and when it closes."""
    async with rita.live() as live:
        async with connect_socket(slack, make_app(slack)):
            assert (await heard(live, "app"))["reachable"] is True
        assert (await heard(live, "app"))["reachable"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("post", {"channel": "C0ALERTS"}),
        ("action", {"container": 3, "action": {}}),
        ("view_submit", {"view_id": "V1", "state": {"values": [1]}}),
        ("action", {"container": {}, "action": {}, "state": {"values": {"a": "b"}}}),
    ],
)
async def test_malformed_requests_are_refused_with_words(slack, rita, path, body):
    """400 with a JSON reason, not a broken server."""
    async with rita.http.post(f"/page/{path}", json={"user": "U0RITA", **body}) as response:
        assert response.status == 400
        assert (await response.json())["message"]


async def test_nobody_reads_what_is_not_theirs(slack, omar):
    """A private channel and an unknown user are refused."""
    assert (await omar.get("messages", channel="G0LEADS"))["ok"] is False
    assert (await omar.get("bootstrap", user="U0NOBODY"))["ok"] is False
    refused = await omar.post("post", channel="G0LEADS", text="hi")
    assert refused["error"] == "channel_not_found"


async def test_the_page_itself_is_served(slack, rita):
    """The start page and its files."""
    async with rita.http.get("/") as start:
        assert start.status == 200
        assert "text/html" in start.headers["Content-Type"]
    async with rita.http.get("/page-static/style.css") as style:
        assert style.status == 200
