"""The two transports themselves: tickets, hello, reconnects; signatures, retries, url_verification."""

import asyncio
import json
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.signature import SignatureVerifier

from sandbox.slack import SlackSandbox


class Receiver:
    """A request URL that keeps what comes and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.Response] = []
        self.arrived = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        self.arrived.set()
        return self.answers.pop(0) if self.answers else web.Response()


@pytest.fixture
async def receiver(slack):
    """A receiver that is the workspace's request URL."""
    found = Receiver()
    application = web.Application()
    application.router.add_post("/slack/events", found.handle)
    async with TestServer(application) as server:
        slack.set_request_url(str(server.make_url("/slack/events")))
        yield found


def connections(slack) -> int:
    """How often the app has connected."""
    return len(slack.journal.matching(lambda entry: entry.name == "connected"))


async def socket_url(client, slack):
    return (await client.apps_connections_open(app_token=slack.app_token))["url"]


async def test_a_socket_greets_and_its_ticket_is_spent(slack, client):
    """hello names the app; the same address does not open twice."""
    url = await socket_url(client, slack)
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        hello = await socket.receive_json(timeout=30)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)
    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert hello["connection_info"]["app_id"] == "A0RETHREAD"


async def test_an_envelope_is_acked_by_its_id(slack, client):
    """slash_commands accept a response payload and carry the fields of the form."""
    url = await socket_url(client, slack)
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_json(timeout=30)
        command = asyncio.create_task(slack.command("U0RITA", "G0LEADS", "/mailbox", "status"))
        envelope = await socket.receive_json(timeout=30)
        await socket.send_str("not json")
        await socket.send_json({"envelope_id": "somebody else's"})
        await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hi"}})
        assert (await command)["ok"]
    assert envelope["type"] == "slash_commands"
    assert envelope["accepts_response_payload"] is True
    assert envelope["payload"]["channel_name"] == "privategroup"
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["hi"]


async def test_a_ping_is_echoed(slack, client):
    """The SDK reconnects unless its own words come back in the pong."""
    url = await socket_url(client, slack)
    async with aiohttp.ClientSession() as http, http.ws_connect(url, autoping=False) as socket:
        await socket.receive_json(timeout=30)
        await socket.ping(b"sdk-ping-pong:1.5")
        pong = await socket.receive(timeout=30)
    assert pong.type is aiohttp.WSMsgType.PONG
    assert bytes(pong.data) == b"sdk-ping-pong:1.5"


async def test_an_app_comes_back_after_its_socket_was_recycled(slack, make_app, connect_socket):
    """disconnect asks the SDK to connect anew; commands work again afterwards."""
    app = make_app(slack)

    @app.command("/mailbox")
    async def mailbox(ack):
        await ack("still here")

    async with connect_socket(slack, app):
        await slack.sockets.disconnect("refresh_requested")
        await slack.wait_for(lambda: True if connections(slack) == 2 and slack.sockets.count == 1 else None)
        assert (await slack.command("U0RITA", "C0ALERTS", "/mailbox"))["ok"]
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["still here"]


async def test_a_large_payload_fits_through_the_socket(slack, make_app, connect_socket):
    """Interaction payloads over 40 kB are common with long messages."""
    app, sizes = make_app(slack), []
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}

    @app.action("go")
    async def go(ack, body):
        await ack()
        sizes.append(len(json.dumps(body)))

    async with connect_socket(slack, app):
        posted = await app.client.chat_postMessage(
            channel="C0ALERTS", text="ü" * 39_000, blocks=[{"type": "actions", "elements": [button]}]
        )
        assert (await slack.click("U0RITA", "C0ALERTS", posted["ts"], "go"))["ok"]
    assert sizes[0] > 40_000


async def test_a_command_by_http_is_a_signed_form(slack, receiver):
    """The SDK's own verifier accepts the signature."""
    receiver.answers = [web.json_response({"text": "by http"})]
    assert (await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status"))["ok"]
    headers, body = receiver.requests[0]
    verifier = SignatureVerifier(slack.signing_secret)
    assert verifier.is_valid_request(body, headers)
    assert not SignatureVerifier("another secret").is_valid_request(body, headers)
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode())["command"] == ["/mailbox"]
    assert [m.text for m in slack.ephemerals("U0RITA")] == ["by http"]


async def test_a_click_by_http_is_one_payload_field(slack, receiver, client):
    """form field payload with the JSON of the interaction."""
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    posted = await client.chat_postMessage(
        channel="C0ALERTS", text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    await slack.click("U0RITA", "C0ALERTS", posted["ts"], "go")
    fields = parse_qs(receiver.requests[0][1].decode())
    assert json.loads(fields["payload"][0])["type"] == "block_actions"


async def test_an_http_error_is_seen_by_the_person(slack, receiver):
    """A 500 or 404 of the app fails the command."""
    receiver.answers = [web.Response(status=500)]
    answer = await slack.command("U0RITA", "C0ALERTS", "/mailbox")
    assert answer["error"] == "http_status_500"


async def test_an_event_is_repeated_until_it_is_taken(slack, receiver):
    """The repetitions are numbered, carry the same event id, and end with the first 2xx."""
    receiver.answers = [web.Response(status=500), web.Response(status=503), web.Response()]
    slack.open_home("U0RITA")
    await slack.wait_delivery(lambda entry: entry.name == "app_home_opened" and entry.error is None)
    headers = [headers for headers, _ in receiver.requests]
    ids = {json.loads(body)["event_id"] for _, body in receiver.requests}
    assert [h.get("X-Slack-Retry-Num") for h in headers] == [None, "1", "2"]
    assert headers[1]["X-Slack-Retry-Reason"] == "http_error"
    assert len(ids) == 1


async def test_an_app_may_ask_for_no_repetition(slack, receiver):
    """X-Slack-No-Retry: 1 ends it after one attempt."""
    receiver.answers = [web.Response(status=500, headers={"X-Slack-No-Retry": "1"}), web.Response()]
    slack.open_home("U0RITA")
    await slack.wait_delivery(lambda entry: entry.error == "http_status_500")
    slack.open_home("U0OMAR")
    await slack.wait_delivery(lambda entry: entry.error is None)
    users = [json.loads(body)["event"]["user"] for _, body in receiver.requests]
    assert users == ["U0RITA", "U0OMAR"]


async def test_an_event_that_found_no_app_comes_when_the_app_is_back(manifest, make_app, connect_socket):
    """Socket Mode repeats too, with retry_attempt."""
    async with SlackSandbox(manifest, event_retry_delays=(0.0, 0.05, 0.5, 1.0)) as slack:
        app, seen = make_app(slack), asyncio.Queue()

        @app.event("app_home_opened")
        async def opened(event):
            seen.put_nowait(event["user"])

        slack.open_home("U0RITA")
        async with connect_socket(slack, app):
            assert await asyncio.wait_for(seen.get(), 30) == "U0RITA"
            await slack.wait_delivery(lambda entry: entry.error is None)
    assert slack.journal.deliveries("app_home_opened")[0].error == "dispatch_failed"


async def test_the_request_url_is_verified_by_a_challenge(slack, make_app, connect_http):
    """Bolt answers url_verification; a server that does not is refused."""
    assert await slack.verify_request_url() is False
    async with connect_http(slack, make_app(slack)):
        assert await slack.verify_request_url() is True


async def test_a_socket_goes_before_the_request_url(slack, receiver, make_app, connect_socket):
    """With both set up, payloads take the socket, and HTTP again once it is closed."""
    app = make_app(slack)

    @app.command("/mailbox")
    async def mailbox(ack):
        await ack("by socket")

    async with connect_socket(slack, app):
        await slack.command("U0RITA", "C0ALERTS", "/mailbox")
        assert receiver.requests == []
    await slack.wait_for(lambda: None if slack.sockets.connected else True)
    await slack.command("U0RITA", "C0ALERTS", "/mailbox")
    assert len(receiver.requests) == 1


async def test_an_app_comes_back_after_its_connection_broke(slack, make_app, connect_socket):
    """A cut network is found by the SDK's pings."""
    app = make_app(slack)
    async with connect_socket(slack, app):
        slack.sockets.cut()
        await slack.wait_for(lambda: None if slack.sockets.connected else True)
        await slack.wait_for(lambda: True if connections(slack) == 2 else None, 15)
        assert slack.sockets.count == 1
