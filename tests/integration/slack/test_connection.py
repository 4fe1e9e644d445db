"""The socket: connects, tells its health, comes back, and ends without a trace."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from bot.slack.slack_app import SlackFace, forget_proxies, is_secure
from core.clock import SystemClock
from core.errors import SlackBusyError, SlackRefusedError
from sandbox.slack import SlackSandbox
from tests.fakes.services import FakeServices, FirstTimes
from tests.integration.slack.conftest import MANIFEST, a_face, access


async def test_it_knows_who_it_is(slack: SlackSandbox, services: FakeServices) -> None:
    face = a_face(slack, services, socket=False)
    identity = await face.identify()
    assert (identity.workspace, identity.bot_user) == ("T0AGENCY", "U0RETHREAD")
    assert "chat:write" in identity.scopes


async def test_healthy_from_connected_until_stopped(slack: SlackSandbox, services: FakeServices) -> None:
    face = a_face(slack, services)
    assert not await face.healthy()
    await face.start()
    assert await face.healthy()
    await face.stop()
    assert not await face.healthy()


def _came_back(slack: SlackSandbox) -> bool | None:
    """True once the old socket is gone and a new one stands."""
    changes = [entry.name for entry in slack.journal.matching(lambda entry: entry.kind == "socket")]
    return (changes.count("connected") >= 2 and "disconnected" in changes) or None


async def test_it_comes_back_when_slack_recycles_the_connection(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    await slack.sockets.disconnect("refresh_requested")
    await slack.wait_for(lambda: _came_back(slack))
    assert await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status") == {"ok": True}
    await slack.wait_ephemeral("U0RITA")


async def test_stopping_leaves_no_task_behind(slack: SlackSandbox, services: FakeServices) -> None:
    before = asyncio.all_tasks()
    face = a_face(slack, services)
    await face.start()
    await slack.wait_connected()
    await face.stop()
    left = asyncio.all_tasks() - before
    _, pending = await asyncio.wait(left, timeout=30) if left else (set(), set())
    assert [task for task in pending if "slack_sdk" in repr(task)] == []


async def test_a_request_under_way_is_finished_before_it_stops(slack: SlackSandbox, services: FakeServices) -> None:
    face = a_face(slack, services)
    await face.start()
    await slack.wait_connected()
    held = slack.hold("users.info")
    await slack.command("U0RITA", "C0ALERTS", "/mailbox", "status")
    await held.arrived.wait()
    stopping = asyncio.create_task(face.stop())
    held.release()
    await stopping
    assert len(slack.ephemerals("U0RITA")) == 1


@pytest.mark.parametrize("token", ["bot", "app"])
async def test_a_wrong_token_is_refused_at_once(slack: SlackSandbox, services: FakeServices, token: str) -> None:
    right = access(slack)
    given = replace(right, bot_token="xoxb-wrong") if token == "bot" else replace(right, app_token="xapp-wrong")
    face = SlackFace(given, services.uses, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    with pytest.raises(SlackRefusedError, match="auth"):
        await face.start()
    await face.stop()


async def test_a_slack_that_is_not_there_is_said_to_be_busy(services: FakeServices) -> None:
    async with SlackSandbox(manifest=MANIFEST) as gone:
        given = access(gone)
    face = SlackFace(given, services.uses, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    with pytest.raises(SlackBusyError):
        await face.start()


def test_tokens_do_not_show(slack: SlackSandbox) -> None:
    assert slack.bot_token not in repr(access(slack))
    assert slack.signing_secret not in repr(access(slack))


@pytest.mark.parametrize(
    ("api_url", "kept"),
    [("http://127.0.0.1:9/api/", False), ("http://localhost:9/api/", False), ("https://slack.com/api/", True)],
)
def test_a_proxy_is_forgotten_for_this_machine_only(api_url: str, kept: bool) -> None:
    environment = {"HTTPS_PROXY": "http://proxy.test", "http_proxy": "http://proxy.test", "HOME": "/"}
    forget_proxies(environment, api_url)
    assert ("HTTPS_PROXY" in environment, "http_proxy" in environment) == (kept, kept)
    assert environment["HOME"] == "/"
    assert os.environ is not environment


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://rethread.agency.test", True),
        ("http://127.0.0.1:3000", True),
        ("http://[::1]:3000", True),
        ("http://rethread.agency.test", False),
        ("http://10.0.0.5:3000", False),
    ],
)
def test_where_a_password_may_be_typed_without_a_warning(url: str, secure: bool) -> None:
    assert is_secure(url) is secure
