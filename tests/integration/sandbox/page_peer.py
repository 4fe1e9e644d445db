"""The server side of the workspace page for tests: canned content, live events on demand, a record of requests."""

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

from aiohttp import web

Json = dict[str, Any]

HERE = Path(__file__).parent
STATIC = HERE.parents[2] / "sandbox" / "page"
SAMPLES: Json = json.loads((HERE / "page_samples.json").read_text("utf-8"))
NOON = 1_767_268_800


class PagePeer:
    """Speaks the page's JSON with one workspace of three people, and remembers what the page asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.messages: dict[str, list[Json]] = {}
        self.answers: dict[str, Json] = {}
        self.bootstrap: Json = copy.deepcopy(SAMPLES["bootstrap"])
        self.signin: list[Json] = copy.deepcopy(SAMPLES["signin"])
        self.mails: list[Json] = copy.deepcopy(SAMPLES["mails"])
        self.gate: asyncio.Event | None = None
        self.sockets: list[web.WebSocketResponse] = []
        self.connected = asyncio.Condition()
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._static),
                web.get("/page-static/{name}", self._static),
                web.get("/page/bootstrap", self._bootstrap),
                web.get("/page/messages", self._messages),
                web.get("/page/thread", self._messages),
                web.get("/page/live", self._live),
                web.get("/mail/accounts", self._accounts),
                web.get("/mail/messages", self._mails),
                web.get("/sandbox/signin", self._signin),
                web.post("/sandbox/signin/{provider}/{target}/{switch}", self._signin_turned),
                web.post("/page/{verb}", self._asked),
                web.post("/mail/{verb}", self._asked),
            ]
        )
        return app

    def add(self, channel: str, **message: Any) -> Json:
        """Put a message of the app into a channel and return it."""
        listed = self.messages.setdefault(channel, [])
        made = {
            "ts": f"{NOON + len(listed) * 400}.000100",
            "channel": channel,
            "user": "U0RETHREAD",
            "bot_id": "B0RETHREAD",
            "app_name": "Rethread",
            "text": "",
            "blocks": [],
            "attachments": [],
            "edited": None,
            "ephemeral": False,
            "thread_ts": None,
            "reply_count": 0,
            "mine": False,
        } | message
        listed.append(made)
        return made

    async def tell(self, **event: Any) -> None:
        """Send an event to the page as soon as its socket is there."""
        async with asyncio.timeout(30), self.connected:
            await self.connected.wait_for(lambda: any(not one.closed for one in self.sockets))
        for socket in self.sockets:
            if not socket.closed:
                await socket.send_json(event)

    def turn(self, provider: str, target: str, name: str, value: object) -> None:
        """Turn a switch of the sign-in hosts without the page."""
        owners = next([one["app"], *one["accounts"]] for one in self.signin if one["provider"] == provider)
        switches = next(one["switches"] for one in owners if one["target"] == target)
        next(one for one in switches if one["name"] == name)["value"] = value

    def last(self, path: str) -> Json:
        """Return the newest body posted to ``path``."""
        return next(body for asked, body in reversed(self.asked) if asked == path)

    async def _static(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / request.match_info.get("name", "index.html"))

    async def _bootstrap(self, request: web.Request) -> web.Response:
        return web.json_response(self.bootstrap | {"me": request.query["user"]})

    async def _messages(self, request: web.Request) -> web.Response:
        found = self.messages.get(request.query["channel"], [])
        if ts := request.query.get("ts"):
            found = [one for one in found if ts in (one["ts"], one["thread_ts"])]
        return web.json_response({"messages": found})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with self.connected:
            self.sockets.append(socket)
            self.connected.notify_all()
        async for _ in socket:
            continue
        return socket

    async def _accounts(self, _request: web.Request) -> web.Response:
        return web.json_response({"accounts": SAMPLES["accounts"], "switch_help": SAMPLES["switch_help"]})

    async def _mails(self, request: web.Request) -> web.Response:
        mine = request.query["address"].startswith("maya") and request.query["folder"] == "INBOX"
        return web.json_response({"messages": self.mails if mine else []})

    async def _signin(self, _request: web.Request) -> web.Response:
        return web.json_response({"providers": self.signin})

    async def _signin_turned(self, request: web.Request) -> web.Response:
        value = (await request.json())["value"]
        self.asked.append((request.path, {"value": value}))
        self.turn(*(request.match_info[part] for part in ("provider", "target", "switch")), value)
        await self._opened()
        return await self._signin(request)

    async def _asked(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, await request.json()))
        await self._opened()
        return web.json_response(self.answers.get(request.path, {"ok": True}))

    async def _opened(self) -> None:
        """Whoever shut the gate holds every answer to a click back until it opens."""
        if self.gate is not None:
            await self.gate.wait()
