"""The real face against a Slack workspace on loopback, by socket or by signed HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.slack.slack_app import SlackAccess, SlackFace
from core.clock import SystemClock
from core.domain.enrollment import ProspectStatus
from core.services.campaigns import CampaignLine
from sandbox.slack import SlackSandbox
from tests.fakes.services import FakeServices, FirstTimes, a_campaign, a_mailbox, broken

MANIFEST = Path(__file__).parents[3] / "manifest.yml"


@pytest.fixture
async def slack() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox(manifest=MANIFEST, event_retry_delays=(0.0, 0.05)) as workspace:
        yield workspace


@pytest.fixture
def services() -> FakeServices:
    """Rita has a broken mailbox, Omar a good one; one campaign in which two failed."""
    made = FakeServices()
    made.mailboxes.mailboxes = [broken(), a_mailbox("omar@agency.test", "U0OMAR")]
    counts = {ProspectStatus.ACTIVE: 9, ProspectStatus.BOUNCED: 2}
    made.campaigns.lines = [CampaignLine(a_campaign(), counts)]
    return made


def access(slack: SlackSandbox, *, socket: bool = True, admins: tuple[str, ...] = ()) -> SlackAccess:
    return SlackAccess(
        bot_token=slack.bot_token,
        signing_secret=slack.signing_secret,
        app_token=slack.app_token if socket else "",
        api_url=slack.api_url,
        admins=admins,
    )


def a_face(slack: SlackSandbox, services: FakeServices, *, socket: bool = True) -> SlackFace:
    public_url = "http://127.0.0.1:3000"
    return SlackFace(access(slack, socket=socket), services.uses, FirstTimes(), SystemClock(), public_url=public_url)


@pytest.fixture
async def face(slack: SlackSandbox, services: FakeServices) -> AsyncIterator[SlackFace]:
    """Connected by Socket Mode."""
    made = a_face(slack, services)
    await made.start()
    await slack.wait_connected()
    yield made
    await made.stop()


@pytest.fixture
async def http_face(slack: SlackSandbox, services: FakeServices) -> AsyncIterator[tuple[SlackFace, str]]:
    """Reached by signed HTTP, with its address."""
    made = a_face(slack, services, socket=False)
    await made.start()
    server = web.Application()
    server.router.add_post("/slack/events", made.handle_http)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/slack/events"
    slack.set_request_url(url)
    yield made, url
    await runner.cleanup()
    await made.stop()
