"""What the page in the browser asks for: reading the workspace and acting as one of its people."""

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.slack.config import Json
from sandbox.slack.delivery import AppLink
from sandbox.slack.feed import Change
from sandbox.slack.interactions import OK, Interactions, NotPossibleError, failure
from sandbox.slack.journal import Journal
from sandbox.slack.model import Channel, Message
from sandbox.slack.state import Workspace

_LIVE_BACKLOG = 2_000
_CLOSE_SECONDS = 1.0


class PageApi:
    """The routes under ``/page/``."""

    def __init__(self, workspace: Workspace, interactions: Interactions, link: AppLink, journal: Journal) -> None:
        self._workspace = workspace
        self._interactions = interactions
        self._link = link
        self._journal = journal
        self._live: set[web.WebSocketResponse] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the server to mount."""
        return [
            web.get("/page/bootstrap", self._bootstrap),
            web.get("/page/messages", self._messages),
            web.get("/page/thread", self._thread),
            web.get("/page/journal", self._journal_entries),
            web.get("/page/live", self._serve_live),
            web.post("/page/post", self._post),
            web.post("/page/command", self._command),
            web.post("/page/action", self._action),
            web.post("/page/suggest", self._suggest),
            web.post("/page/view_submit", self._view_submit),
            web.post("/page/view_close", self._view_close),
            web.post("/page/home_open", self._home_open),
        ]

    async def close(self) -> None:
        """Close the browsers' live connections."""
        for socket in tuple(self._live):
            await socket.close()

    # Reading

    async def _bootstrap(self, request: web.Request) -> web.Response:
        workspace, user_id = self._workspace, self._reader(request)
        workspace.direct_message(user_id)
        app = workspace.app
        return web.json_response(
            {
                "team": {"id": workspace.team_id, "name": workspace.team_name},
                "me": user_id,
                "users": [
                    {
                        name: getattr(user, name)
                        for name in ("id", "name", "real_name", "title", "is_admin", "is_bot", "color")
                    }
                    for user in workspace.users.values()
                ],
                "channels": [
                    self._channel(channel, user_id)
                    for channel in workspace.channels.values()
                    if workspace.sees(user_id, channel)
                ],
                "commands": [
                    {"command": c.command, "description": c.description, "usage_hint": c.usage_hint}
                    for c in app.commands
                ],
                "app": {
                    "id": app.app_id,
                    "name": app.name,
                    "bot_user": app.bot_user_id,
                    "reachable": self._link.reachable,
                    "messages_read_only": app.messages_read_only,
                },
            }
        )

    def _channel(self, channel: Channel, user_id: str) -> Json:
        return {
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind,
            "with": channel.partner_of(user_id),
            "topic": channel.topic,
            "is_member": user_id in channel.members,
            "archived": channel.archived,
            "unread": self._workspace.unread(user_id, channel.id),
        }

    async def _messages(self, request: web.Request) -> web.Response:
        user_id = self._reader(request)
        channel = self._channel_of(user_id, request.query.get("channel", ""))
        self._workspace.mark_read(user_id, channel.id)
        shown = [m for m in self._workspace.messages(channel.id) if m.top_level]
        shown += [m for m in self._workspace.ephemerals(user_id) if m.channel == channel.id and m.thread_ts is None]
        return self._listed(shown, user_id)

    async def _thread(self, request: web.Request) -> web.Response:
        user_id = self._reader(request)
        channel = self._channel_of(user_id, request.query.get("channel", ""))
        ts = request.query.get("ts", "")
        shown = [m for m in self._workspace.messages(channel.id) if ts in (m.ts, m.thread_ts)]
        shown += [m for m in self._workspace.ephemerals(user_id) if m.channel == channel.id and m.thread_ts == ts]
        return self._listed(shown, user_id)

    def _listed(self, messages: list[Message], user_id: str) -> web.Response:
        ordered = sorted(messages, key=lambda message: message.ts)
        shown = [self._workspace.message_for_page(message, user_id) for message in ordered]
        return web.json_response({"messages": shown})

    async def _journal_entries(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise _bad_request("after must be a number")
        entries = [entry.to_json() for entry in self._journal.entries(int(after))]
        return web.json_response({"entries": entries})

    # Acting

    async def _post(self, request: web.Request) -> web.Response:
        body = await _body(request)
        thread_ts = body.get("thread_ts")
        try:
            message = self._interactions.post(
                _text(body, "user"), _text(body, "channel"), _text(body, "text"), thread_ts or None
            )
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(OK | {"ts": message.ts})

    async def _command(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._interactions.command(
                _text(body, "user"), _text(body, "channel"), _text(body, "command"), str(body.get("text") or "")
            )
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(answer)

    async def _action(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._interactions.act(
                _text(body, "user"), _object(body, "container"), _object(body, "action"), _values(body)
            )
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(answer)

    async def _suggest(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._interactions.suggest(
                _text(body, "user"),
                _object(body, "container"),
                _text(body, "block_id"),
                _text(body, "action_id"),
                str(body.get("value") or ""),
            )
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(answer)

    async def _view_submit(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._interactions.submit(_text(body, "user"), _text(body, "view_id"), _values(body))
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(answer)

    async def _view_close(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            answer = await self._interactions.close(
                _text(body, "user"), _text(body, "view_id"), all_of_them=bool(body.get("all"))
            )
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response(answer)

    async def _home_open(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            view = self._interactions.open_home(_text(body, "user"))
        except NotPossibleError as error:
            return _failed(error)
        return web.json_response({"view": self._workspace.views.to_api(view) if view else None})

    # Live

    async def _serve_live(self, request: web.Request) -> web.StreamResponse:
        user_id = self._reader(request)
        socket = web.WebSocketResponse(heartbeat=30, timeout=_CLOSE_SECONDS)
        await socket.prepare(request)
        queue: asyncio.Queue[Json] = asyncio.Queue(_LIVE_BACKLOG)

        def listen(change: Change) -> None:
            if (change.users is None or user_id in change.users) and not queue.full():
                queue.put_nowait(change.render(user_id))

        stop_listening = self._workspace.feed.subscribe(listen)
        self._live.add(socket)
        sender = asyncio.create_task(_forward(queue, socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            stop_listening()
            self._live.discard(socket)
            sender.cancel()
        return socket

    # Reading requests

    def _reader(self, request: web.Request) -> str:
        user_id = request.query.get("user", "")
        user = self._workspace.users.get(user_id)
        if user is None or user.is_bot:
            raise _bad_request(f"no such user: {user_id}")
        return user_id

    def _channel_of(self, user_id: str, channel_id: str) -> Channel:
        channel = self._workspace.channels.get(channel_id)
        if channel is None or not self._workspace.sees(user_id, channel):
            raise _bad_request(f"no such channel: {channel_id}")
        return channel


async def _forward(queue: asyncio.Queue[Json], socket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while not socket.closed:
            await socket.send_json(await queue.get())


async def _body(request: web.Request) -> Json:
    try:
        found = json.loads(await request.text())
    except ValueError:
        raise _bad_request("the body must be JSON") from None
    if not isinstance(found, dict):
        raise _bad_request("the body must be a JSON object")
    return found


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise _bad_request(f"{name} must be a string")
    return value


def _object(body: Json, name: str) -> Json:
    value: Any = body.get(name)
    if not isinstance(value, dict):
        raise _bad_request(f"{name} must be an object")
    return value


def _values(body: Json) -> dict[str, dict[str, Json]]:
    """Return the state's values: block_id to action_id to wire form."""
    state = body.get("state") or {}
    values = state.get("values") or {} if isinstance(state, dict) else None
    if not isinstance(values, dict) or not all(
        isinstance(block, dict) and all(isinstance(entry, dict) for entry in block.values())
        for block in values.values()
    ):
        raise _bad_request("state.values must map block_id to action_id to an object")
    return values


def _bad_request(message: str) -> web.HTTPBadRequest:
    answer = json.dumps(failure("bad_request", message))
    return web.HTTPBadRequest(text=answer, content_type="application/json")


def _failed(error: NotPossibleError) -> web.Response:
    return web.json_response(failure(error.code, str(error)))
