"""``python -m sandbox serve``: one line tells where everything is, one server has all of it."""

import asyncio
import json
import os
import signal
import sys

import aiohttp
import aiohttp.web
import pytest

from sandbox.__main__ import running
from sandbox.slack import SlackSandbox

ADDRESSES = {"page_url", "slack_api_url", "bot_token", "app_token", "signing_secret", "imap", "smtp", "dns", "mail"}


@pytest.fixture
async def served(manifest, tmp_path):
    """The sandbox as a process of its own, and the line it printed."""
    ready = tmp_path / "ready.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "serve", "--manifest", str(manifest), "--ready-file", str(ready)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield process, json.loads(line), ready
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_line_is_enough_to_work_with(served, make_client):
    """Every address answers; the ready file says the same and is private; SIGTERM ends it cleanly."""
    process, found, ready = served
    assert set(found) >= ADDRESSES
    assert json.loads(ready.read_text()) == found
    assert ready.stat().st_mode & 0o077 == 0
    async with aiohttp.ClientSession(found["page_url"]) as http:
        async with http.get("/page/bootstrap?user=U0RITA") as page:
            assert page.status == 200
        headers = {"Authorization": f"Bearer {found['bot_token']}"}
        async with http.post("/api/auth.test", headers=headers) as api:
            assert (await api.json())["ok"] is True
        async with http.get("/mail/accounts") as mail:
            assert mail.status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_a_missing_manifest_is_named(tmp_path):
    """Exit 2 and the file's name on stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "serve", "--manifest", str(tmp_path / "none.yml")),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    _, words = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"none.yml" in words


async def test_the_page_hears_of_changed_mail(manifest):
    """A mail that arrives is a mail_changed event for everybody at the page."""
    async with (
        running(manifest) as (slack, mail, *_),
        aiohttp.ClientSession(slack.page_url) as http,
        http.ws_connect("/page/live?user=U0RITA") as live,
    ):
        address = mail.describe()["accounts"][0]["address"]
        await mail.deliver(b"From: a@b.example\r\nSubject: hi\r\n\r\nhello\r\n", address)
        while (event := await live.receive_json(timeout=30))["type"] != "mail_changed":
            pass
    assert event["address"] == address


async def test_further_routes_and_hooks_share_the_server(manifest):
    """What else is mounted answers on the same port; hooks run once the addresses are known."""
    started = []

    async def hello(_request):
        return aiohttp.web.Response(text="hello")

    async def remember(slack):
        started.append(slack.page_url)

    routes = [aiohttp.web.get("/more/hello", hello)]
    async with (
        SlackSandbox(manifest, routes=routes, on_start=[remember]) as slack,
        aiohttp.ClientSession(slack.page_url) as http,
        http.get("/more/hello") as answer,
    ):
        assert await answer.text() == "hello"
        assert started == [slack.page_url]
