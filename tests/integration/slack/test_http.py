"""Signed HTTP: Slack's requests are served, everything else is 401."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

import aiohttp
import pytest

from bot.slack.slack_app import SlackFace
from sandbox.slack import SlackSandbox
from tests.fakes.services import TEAM, FakeServices
from tests.unit.bot.facts import SYNC

Headers = list[tuple[str, str]]
COMMAND = b"command=%2Fmailbox&text=status&user_id=U0RITA&team_id=T0AGENCY&channel_id=C0ALERTS&trigger_id=1.2.3"


def signed(secret: str, body: bytes, *, at: int | None = None) -> Headers:
    stamp = str(int(time.time()) if at is None else at)
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", f"v0={digest}")]


async def send(url: str, body: bytes, headers: Headers) -> int:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=[kind, *headers]) as answer:
        return answer.status


async def test_commands_events_and_clicks_arrive_over_http(
    slack: SlackSandbox, http_face: tuple[SlackFace, str], services: FakeServices
) -> None:
    face, _ = http_face
    assert await slack.verify_request_url()
    assert await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status") == {"ok": True}
    assert "1 mailbox, 1 broken" in (await slack.wait_ephemeral("U0RITA")).text
    facts = SYNC | {"mailbox_id": "mailbox-rita"}
    ref = await face.notifier.post(TEAM, destination="C0ALERTS", kind="sync", facts=facts, key="sync:1")
    assert await slack.click("U0RITA", "C0ALERTS", ref.ts, "sync.resync") == {"ok": True}
    await face.settle()
    slack.open_home("U0RITA")
    await slack.wait_home("U0RITA")
    assert ("resync", "U0RITA", "mailbox-rita") in services.mailboxes.asked


async def test_a_genuine_request_is_served(slack: SlackSandbox, http_face: tuple[SlackFace, str]) -> None:
    assert await send(http_face[1], COMMAND, signed(slack.signing_secret, COMMAND)) == 200


def _with(headers: Headers, name: str, value: str) -> Headers:
    return [(key, value if key == name else old) for key, old in headers]


STAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
FORGED: dict[str, Callable[[str], tuple[bytes, Headers]]] = {
    "unsigned command": lambda _: (COMMAND, []),
    "unsigned payload=1": lambda _: (b"payload=1", []),
    "unsigned payload={": lambda _: (b"payload=%7B", []),
    "unsigned broken JSON": lambda _: (b'{"a":', []),
    "empty": lambda _: (b"", []),
    "no timestamp": lambda secret: (COMMAND, signed(secret, COMMAND)[1:]),
    "no signature": lambda secret: (COMMAND, signed(secret, COMMAND)[:1]),
    "timestamp is no number": lambda secret: (COMMAND, _with(signed(secret, COMMAND), STAMP, "now")),
    "timestamp is empty": lambda secret: (COMMAND, _with(signed(secret, COMMAND), STAMP, "")),
    "timestamp is huge": lambda secret: (COMMAND, _with(signed(secret, COMMAND), STAMP, "9" * 400)),
    "timestamp is negative": lambda secret: (COMMAND, signed(secret, COMMAND, at=-5)),
    "timestamp in other digits": lambda secret: (COMMAND, _with(signed(secret, COMMAND), STAMP, "١٢٣")),
    "signature is not ASCII": lambda secret: (COMMAND, _with(signed(secret, COMMAND), SIGNATURE, "v0=é" * 9)),
    "signature of another version": lambda secret: (COMMAND, _with(signed(secret, COMMAND), SIGNATURE, "v1=00")),
    "signature is empty": lambda secret: (COMMAND, _with(signed(secret, COMMAND), SIGNATURE, "")),
    "six minutes old": lambda secret: (COMMAND, signed(secret, COMMAND, at=int(time.time()) - 360)),
    "six minutes early": lambda secret: (COMMAND, signed(secret, COMMAND, at=int(time.time()) + 360)),
    "another secret": lambda secret: (COMMAND, signed(secret + "x", COMMAND)),
    "another body": lambda secret: (COMMAND + b"&x=1", signed(secret, COMMAND)),
    "two signatures": lambda secret: (COMMAND, [*signed(secret, COMMAND), (SIGNATURE, "v0=00")]),
    "too large": lambda secret: (b"x" * 1_100_000, signed(secret, b"x" * 1_100_000)),
    "signed, not UTF-8": lambda secret: (b"\xff\xfe=1", signed(secret, b"\xff\xfe=1")),
    "signed, payload={": lambda secret: (b"payload=%7B", signed(secret, b"payload=%7B")),
    "signed, payload=1": lambda secret: (b"payload=1", signed(secret, b"payload=1")),
}


@pytest.mark.parametrize("case", FORGED)
async def test_whatever_slack_did_not_sign_is_unauthorized(
    slack: SlackSandbox, http_face: tuple[SlackFace, str], services: FakeServices, case: str
) -> None:
    body, headers = FORGED[case](slack.signing_secret)
    assert await send(http_face[1], body, headers) == 401
    assert services.mailboxes.asked == []


async def test_another_workspace_is_told_that_rethread_is_not_installed_there(
    slack: SlackSandbox, http_face: tuple[SlackFace, str], services: FakeServices
) -> None:
    body = COMMAND.replace(b"T0AGENCY", b"T0OTHER")
    assert await send(http_face[1], body, signed(slack.signing_secret, body)) == 200
    assert slack.ephemerals("U0RITA") == []


async def test_without_a_signing_secret_nothing_is_genuine(slack: SlackSandbox, services: FakeServices) -> None:
    from bot.slack.signature import is_genuine

    assert not is_genuine("", timestamps=["1"], signatures=["v0="], body=b"", now=1)
