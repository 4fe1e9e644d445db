"""The panel's HTTP API, over a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from sandbox.mail import MailHost
from sandbox.mail.compose import compose

RITA = "rita@agency.test"
MAYA = "maya.lind@candidates.example"


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


class Panel:
    """The requests the page makes."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self._http.get(path, params=query) as answer:
            return {"status": answer.status, **await answer.json()}

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        async with self._http.post(path, json=body) as answer:
            return {"status": answer.status, **await answer.json()}

    async def post_raw(self, path: str, body: bytes) -> dict[str, Any]:
        async with self._http.post(path, data=body) as answer:
            return {"status": answer.status, **await answer.json()}


@pytest.fixture
async def panel(mail_host: MailHost) -> AsyncIterator[Panel]:
    app = web.Application()
    app.add_routes(mail_host.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        yield Panel(http)
    await runner.cleanup()


async def test_accounts_come_with_addresses_switches_and_their_help(mail_host: MailHost, panel: Panel) -> None:
    """All the page needs to draw the panel, in one answer."""
    await mail_host.deliver(compose(MAYA, [RITA], "Hi", "Hello"), RITA)
    told = await panel.get("/mail/accounts")
    rita = next(account for account in told["accounts"] if account["address"] == RITA)
    assert rita["role"] == "recruiter"
    assert rita["unread"] == 1
    assert rita["imap"] == mail_host.imap_address
    assert {
        "password": "rita-mail-pass",
        "sign_in": "none",
        "deaf": False,
        "drop": None,
        "files_sent": True,
    }.items() <= (rita["switches"].items())
    assert "app_password" not in rita["switches"]
    assert {"term": "IMAP (TLS)", "value": f"imap.agency.test:{port_of(mail_host.imaps_address)}"} in rita["facts"]
    google = next(account for account in told["accounts"] if account["address"] == "rita@sprout.test")
    assert set(google["switches"]) - set(rita["switches"]) == {"app_password"}
    maya = next(account for account in told["accounts"] if account["address"] == MAYA)
    assert maya["switches"] == {"ooo": None, "refuse": "none"}
    assert len([one for one in told["accounts"] if one["role"] == "candidate"]) == 12
    assert set(told["switch_help"]) == set(google["switches"]) | set(maya["switches"])
    assert told["switch_help"]["refuse"]["kind"] == "choice"
    assert {"value": "bounce", "label": "Bounces: unknown user"} in told["switch_help"]["refuse"]["options"]


async def test_a_person_reads_answers_and_marks_a_mail(mail_host: MailHost, panel: Panel) -> None:
    """Newest first; the answer reaches the recruiter with its thread."""
    for number in (1, 2):
        await panel.post("/mail/compose", **{"from": RITA, "to": MAYA, "subject": f"No {number}", "text": "Hi"})
    listed = (await panel.get("/mail/messages", address=MAYA))["messages"]
    assert [mail["subject"] for mail in listed] == ["No 2", "No 1"]
    assert listed[0]["from"] == f"Rita Reed <{RITA}>"
    assert listed[0]["date"].endswith("Z")
    assert not listed[0]["seen"]

    answer = await panel.post("/mail/reply", address=MAYA, uid=listed[0]["uid"], text="Tell me more")
    assert answer["status"] == 200
    [arrived] = mail_host.messages(RITA)
    assert arrived.in_reply_to == listed[0]["message_id"]
    assert arrived.message_id == answer["message_id"]

    await panel.post("/mail/seen", address=MAYA, uid=listed[0]["uid"])
    listed = (await panel.get("/mail/messages", address=MAYA))["messages"]
    assert [mail["seen"] for mail in listed] == [True, False]
    assert [mail["subject"] for mail in (await panel.get("/mail/messages", address=RITA, folder="Sent"))["messages"]]


async def test_switches_out_of_office_and_mending(mail_host: MailHost, panel: Panel) -> None:
    """What is turned shows in the accounts, and one click puts it right."""
    assert (await panel.post("/mail/ooo", address=MAYA, text="Away"))["status"] == 200
    assert (await panel.post("/mail/switch", address=MAYA, name="refuse", value="full"))["status"] == 200
    assert (await panel.post("/mail/switch", address=RITA, name="password", value="other"))["status"] == 200
    assert (await panel.post("/mail/switch", address=RITA, name="drop", value=True))["status"] == 200
    assert mail_host.account(MAYA).ooo == "Away"
    assert mail_host.directory.refusal(MAYA) == "full"
    assert mail_host.account(RITA).password == "other"
    for address in (MAYA, RITA):
        await panel.post("/mail/mend", address=address)
    assert mail_host.account(MAYA).ooo is None
    assert mail_host.directory.refusal(MAYA) == "none"
    assert mail_host.account(RITA).password == "rita-mail-pass"


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("reply", {"address": MAYA, "uid": 999, "text": "x"}, 404, "no_message"),
        ("reply", {"address": MAYA, "uid": "1", "text": "x"}, 404, "no_message"),
        ("reply", {"address": "nobody@x.example", "uid": 1, "text": "x"}, 404, "no_account"),
        ("seen", {"address": MAYA, "uid": 1, "folder": ["x"]}, 404, "no_message"),
        ("switch", {"address": RITA, "name": "silent", "value": "yes"}, 400, "bad_switch"),
        ("switch", {"address": RITA, "name": "refuse", "value": "full"}, 400, "bad_switch"),
        ("switch", {"address": RITA, "name": "password", "value": ""}, 400, "bad_switch"),
        ("switch", {"address": MAYA, "name": "refuse", "value": ["full"]}, 400, "bad_switch"),
        ("compose", {"from": MAYA, "to": "no address", "subject": "x", "text": "x"}, 400, "bad_address"),
        ("compose", {"from": MAYA, "to": RITA, "text": "x"}, 400, "missing_field"),
        ("mend", {"address": 5}, 404, "no_account"),
    ],
)
async def test_a_wrong_request_is_refused_with_its_reason(
    panel: Panel, path: str, body: dict[str, object], status: int, error: str
) -> None:
    """{error, message} and a 4xx, never a 500."""
    answer = await panel.post(f"/mail/{path}", **body)
    assert (answer["status"], answer["error"]) == (status, error)
    assert answer["message"]


async def test_what_is_not_a_json_object_is_refused(panel: Panel) -> None:
    """So is an unknown folder."""
    for body in (b"{", b"[]", b"\xff"):
        assert (await panel.post_raw("/mail/mend", body))["error"] == "bad_json"
    assert (await panel.get("/mail/messages", address=RITA, folder="Nope"))["error"] == "no_folder"


async def test_a_header_cannot_be_smuggled_through_the_panel(mail_host: MailHost, panel: Panel) -> None:
    """Line ends in a subject become spaces."""
    smuggled = "Hi\r\nBcc: omar@agency.test"
    await panel.post("/mail/compose", **{"from": MAYA, "to": RITA, "subject": smuggled, "text": "x"})
    [arrived] = mail_host.messages(RITA)
    assert arrived.subject == "Hi Bcc: omar@agency.test"
    assert arrived.parsed["Bcc"] is None


async def test_listeners_hear_of_mail_flags_and_switches(mail_host: MailHost, panel: Panel) -> None:
    """The page's live socket is told whose mailbox changed; a broken listener harms nothing."""
    heard: list[str] = []

    def broken(_address: str) -> None:
        raise RuntimeError("listener")

    mail_host.on_change(broken)
    mail_host.on_change(heard.append)
    await panel.post("/mail/compose", **{"from": MAYA, "to": RITA, "subject": "x", "text": "x"})
    assert set(heard) == {MAYA, RITA}
    heard.clear()
    await panel.post("/mail/seen", address=RITA, uid=mail_host.messages(RITA)[0].uid)
    assert heard == [RITA]
    heard.clear()
    await panel.post("/mail/switch", address=RITA, name="silent", value=True)
    assert heard == [RITA]
