"""Twilio's adapter over real HTTP: what is certain, what is not, and what a hostile answer can do."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from aiohttp import web

from core.domain.sms_codes import classify
from core.errors import (
    ConnectionLostError,
    OutcomeUnknownError,
    ServerRefusedError,
    SmsRefusedError,
    UnreachableError,
)
from core.sms.http import SmsHttp
from core.sms.twilio import TwilioSms
from sandbox.sms import SmsHost
from tests.integration.sms.conftest import JONAS, MAYA, adapter, long_ago

TEXT = "Hi Maya"
SID = f"SM{'0a' * 16}"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A peer that answers everything in its own way; the block gets its address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def always(text: str, status: int = 200) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, content_type="application/json")

    return answer


async def test_a_messaging_service_stands_for_the_number(sms: SmsHost) -> None:
    """MG… goes in a field of its own, and the first answer has no sending number yet."""
    service = adapter(sms, sender=sms.service_sid)
    receipt = await service.send(to=MAYA, text=TEXT, key="1")
    assert receipt.status == "accepted"
    assert [text.sender for text in sms.texts] == [sms.service_sid]
    found = await service.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert found is not None
    assert (found.id, found.status) == (receipt.id, "delivered")


async def test_a_wrong_token_is_told_as_the_accounts_fault_and_never_shown(sms: SmsHost) -> None:
    """20003: nobody can text until an admin has looked."""
    with pytest.raises(SmsRefusedError) as refused:
        await adapter(sms, token="canary-token").send(to=MAYA, text=TEXT, key="1")
    assert (refused.value.provider_code, refused.value.status) == (20003, 401)
    assert classify(refused.value.provider_code, status=refused.value.status).reason.code == "sms_account"
    assert "canary" not in f"{refused.value!r} {refused.value.raw}"


async def test_a_provider_that_repeats_our_secrets_does_not_get_them_into_an_error() -> None:
    """A debugging proxy may echo what it was sent; half a secret at the cut is one too."""

    async def echo(request: web.Request) -> web.StreamResponse:
        words = f"{'x' * 470} {request.headers['Authorization']} canary-token-canary-token"
        return web.json_response({"code": 21211, "message": words}, status=400)

    async with answering(echo) as base:
        transport = TwilioSms("AC1", "canary-token-canary-token", "+12025550100", _http(), base=base)
        with pytest.raises(SmsRefusedError) as refused:
            await transport.send(to=MAYA, text=TEXT, key="1")
    assert "[hidden]" in refused.value.raw
    assert "canary" not in refused.value.raw
    assert "QUMxO" not in refused.value.raw


async def test_too_many_requests_say_how_long_to_wait(sms: SmsHost, twilio: TwilioSms) -> None:
    sms.turn("throttled", True)
    with pytest.raises(SmsRefusedError) as refused:
        await twilio.send(to=MAYA, text=TEXT, key="1")
    assert (refused.value.provider_code, refused.value.retry_after) == (20429, 1.0)
    assert classify(20429).transient
    assert sms.texts == []


async def test_a_person_who_answered_stop_gets_nothing_more(sms: SmsHost, twilio: TwilioSms) -> None:
    sms.stop("+46 70-174 06 05")
    with pytest.raises(SmsRefusedError) as refused:
        await twilio.send(to=MAYA, text=TEXT, key="1")
    assert classify(refused.value.provider_code).reason.code == "sms_opted_out"
    await twilio.send(to=JONAS, text=TEXT, key="2")
    sms.stop(MAYA, on=False)
    await twilio.send(to=MAYA, text=TEXT, key="3")
    assert [text.to for text in sms.texts] == [JONAS, MAYA]


@pytest.mark.parametrize("answer", ["silent", "cut", "nonsense", "endless"])
async def test_an_answer_that_does_not_come_leaves_the_outcome_open(
    sms: SmsHost, twilio: TwilioSms, answer: str
) -> None:
    """Twilio has the text; only its list says so."""
    sms.turn("answer", answer)
    with pytest.raises(OutcomeUnknownError) as unknown:
        await adapter(sms, timeout=1.0).send(to=MAYA, text=TEXT, key="1")
    assert unknown.value.layer == "sms"
    assert not unknown.value.retryable
    found = await twilio.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert found is not None
    assert found.id == sms.texts[0].sid


async def test_a_cancelled_send_may_have_gone_out(sms: SmsHost, twilio: TwilioSms) -> None:
    """The engine is stopped while the provider thinks."""
    sms.turn("answer", "silent")
    sending = asyncio.create_task(twilio.send(to=MAYA, text=TEXT, key="1"))
    await sms.wait_until(lambda: bool(sms.texts))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await twilio.lookup(to=MAYA, text=TEXT, since=long_ago()) is not None


async def test_a_fault_of_the_providers_own_leaves_a_send_open_and_a_look_without_an_answer(
    sms: SmsHost, twilio: TwilioSms
) -> None:
    """A gateway's 5xx does not say how far the request came."""
    sms.turn("down", True)
    with pytest.raises(OutcomeUnknownError):
        await twilio.send(to=MAYA, text=TEXT, key="1")
    with pytest.raises(SmsRefusedError) as refused:
        await twilio.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert classify(refused.value.provider_code, status=refused.value.status).klass == "unavailable"


async def test_where_nobody_listens_nothing_was_sent() -> None:
    """Certain, and worth another try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        transport = TwilioSms("AC1", "t", "+12025550100", _http(), base=f"http://127.0.0.1:{port}")
        with pytest.raises(UnreachableError) as away:
            await transport.send(to=MAYA, text=TEXT, key="1")
    assert away.value.retryable


async def test_a_host_that_takes_connections_and_never_shakes_hands_got_nothing() -> None:
    """TLS that does not come about: not one byte of the request was written."""
    heard = bytearray()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4_096):
            heard.extend(data)
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        transport = TwilioSms("AC1", "t", "+12025550100", _http(timeout=0.3), base=f"https://127.0.0.1:{port}")
        with pytest.raises(UnreachableError):
            await transport.send(to=MAYA, text=TEXT, key="1")
    assert b"Messages" not in heard


async def test_a_certificate_of_nobody_known_gets_no_token() -> None:
    """And the error names the layer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    asked: list[str] = []

    async def listen(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response()

    async with answering(listen, context) as base:
        with pytest.raises(UnreachableError) as refused:
            await TwilioSms("AC1", "t", "+12025550100", _http(), base=base).send(to=MAYA, text=TEXT, key="1")
    assert refused.value.layer == "tls"
    assert asked == []


async def test_our_token_never_travels_in_the_clear() -> None:
    """Whatever the settings say: plain HTTP is for this machine."""
    transport = TwilioSms("AC1", "t", "+12025550100", _http(), base="http://api.twilio.test")
    with pytest.raises(UnreachableError) as refused:
        await transport.send(to=MAYA, text=TEXT, key="1")
    assert refused.value.layer == "tls"


async def test_a_redirect_is_not_followed() -> None:
    """It could lead our token anywhere. Nothing was taken."""
    paths: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with answering(elsewhere) as base:
        transport = TwilioSms("AC1", "t", "+12025550100", _http(), base=base)
        with pytest.raises(SmsRefusedError) as refused:
            await transport.send(to=MAYA, text=TEXT, key="1")
    assert refused.value.status == 307
    assert paths == ["/2010-04-01/Accounts/AC1/Messages.json"]


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"sid": 7, "status": "queued"}', f'{{"sid": "{SID}"}}', "[" * 100_000, "\ufffd",
     '{"sid": "SM<script>", "status": "queued"}', f'{{"sid": "{SID}", "status": "QUEUED or so"}}'],
    ids=range(10),
)  # fmt: skip
async def test_a_yes_that_cannot_be_understood_is_no_certainty(body: str) -> None:
    """The text may be on its way."""
    async with answering(always(body, 201)) as base:
        with pytest.raises(OutcomeUnknownError):
            await TwilioSms("AC1", "t", "+12025550100", _http(), base=base).send(to=MAYA, text=TEXT, key="1")


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"messages": 7}', '{"messages": [7]}', "[" * 100_000, "9" * 5_000,
     '{"messages": [], "next_page_uri": "https://evil.test/"}', '{"messages": [], "next_page_uri": 7}',
     '{"messages": [], "next_page_uri": "/2010-04-01/Accounts/AC1/Messages.json?Page=1"}',
     '{"messages": []}', '{"messages": [], "next_page_uri": null}' + " " * 600_000],
    ids=range(12),
)  # fmt: skip
async def test_a_list_that_cannot_be_read_to_its_end_does_not_say_not_sent(body: str) -> None:
    """None would mean: send it again. Our token follows no page elsewhere, and no list for ever."""
    async with answering(always(body)) as base:
        with pytest.raises(ServerRefusedError):
            await TwilioSms("AC1", "t", "+12025550100", _http(), base=base).lookup(to=MAYA, text=TEXT, since=long_ago())


async def test_a_silent_list_does_not_say_not_sent() -> None:
    """It ends in time, with an error."""
    never = asyncio.Event()

    async def silent(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    async with answering(silent) as base:
        transport = TwilioSms("AC1", "t", "+12025550100", _http(timeout=0.3), base=base)
        with pytest.raises(ConnectionLostError):
            await transport.lookup(to=MAYA, text=TEXT, since=long_ago())


@pytest.mark.parametrize("made", ["", "yesterday", "Sun, 99 Nov 2026 04:00:00 +0000", 7, None])
async def test_a_text_without_a_readable_time_counts_as_sent(made: object) -> None:
    """Better to find one than to send it twice."""
    message = {
        "sid": SID, "status": "sent", "to": MAYA, "body": TEXT, "direction": "outbound-api", "date_created": made,
    }  # fmt: skip

    async def listed(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"messages": [message], "next_page_uri": None})

    async with answering(listed) as base:
        transport = TwilioSms("AC1", "t", "+12025550100", _http(), base=base)
        found = await transport.lookup(to=MAYA, text=TEXT, since=datetime.now(UTC) + timedelta(days=1))
    assert found is not None


async def test_their_own_text_to_us_is_not_ours(sms: SmsHost, twilio: TwilioSms) -> None:
    """Somebody who answers with our very words."""
    message = {"sid": SID, "status": "received", "to": MAYA, "body": TEXT, "direction": "inbound"}

    async def listed(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"messages": [message], "next_page_uri": None})

    async with answering(listed) as base:
        transport = TwilioSms("AC1", "t", "+12025550100", _http(), base=base)
        assert await transport.lookup(to=MAYA, text=TEXT, since=long_ago()) is None


async def test_a_text_is_found_many_pages_down(sms: SmsHost, twilio: TwilioSms) -> None:
    """250 others went to the same number since."""
    first = await twilio.send(to=MAYA, text=TEXT, key="1")
    for number in range(250):
        await twilio.send(to=MAYA, text=f"Another {number}", key=str(number))
    found = await twilio.lookup(to=MAYA, text=TEXT, since=long_ago())
    assert found is not None
    assert found.id == first.id


async def test_the_words_of_a_trial_account_do_not_hide_our_text(sms: SmsHost, twilio: TwilioSms) -> None:
    sms.turn("trial", True)
    await twilio.send(to=MAYA, text=TEXT, key="1")
    assert sms.texts[0].body != TEXT
    assert await twilio.lookup(to=MAYA, text=TEXT, since=long_ago()) is not None
    assert await twilio.lookup(to=MAYA, text="Maya", since=long_ago()) is None


@pytest.mark.parametrize("to", ["", "Maya", "+46 70", "0701740605", f"{MAYA}\r\nTo: {JONAS}", "+46701740605&From=x"])
async def test_a_number_that_is_none_is_the_providers_to_refuse(sms: SmsHost, twilio: TwilioSms, to: str) -> None:
    """And it reaches the provider as one field, whatever stands in it."""
    with pytest.raises(SmsRefusedError) as refused:
        await twilio.send(to=to, text=TEXT, key="1")
    assert refused.value.provider_code in (21211, 21604)
    assert sms.texts == []


async def test_many_texts_at_once_arrive_each_once(sms: SmsHost, twilio: TwilioSms) -> None:
    receipts = await asyncio.gather(*(twilio.send(to=MAYA, text=f"Text {n}", key=str(n)) for n in range(40)))
    assert len({receipt.id for receipt in receipts}) == 40
    assert sorted(sms.texts_to(MAYA)) == sorted(f"Text {n}" for n in range(40))


def _http(timeout: float = 5.0) -> SmsHttp:
    return SmsHttp(ssl.create_default_context(), timeout=timeout)
