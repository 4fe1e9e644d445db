"""Reads API calls in all the shapes SDKs send, checks token and scope, and answers as Slack does."""

import json
from collections.abc import Mapping

from aiohttp import BasicAuth, web

from sandbox.slack.config import Json
from sandbox.slack.faults import Fault, Faults, RateLimits
from sandbox.slack.journal import Journal
from sandbox.slack.posting import RefusedError
from sandbox.slack.web_api import chat, conversations, files, users, views
from sandbox.slack.web_api.context import Call, Method, Services

METHODS: dict[str, Method] = chat.METHODS | conversations.METHODS | files.METHODS | users.METHODS | views.METHODS
SERVER_ERROR = 500
_SECRET_ARGUMENTS = frozenset({"token", "client_secret", "code"})


class WebApi:
    """The handler behind ``/api/{method}``."""

    def __init__(self, services: Services, journal: Journal, faults: Faults, limits: RateLimits) -> None:
        self._services = services
        self._journal = journal
        self._faults = faults
        self._limits = limits

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call: query string, form or JSON body, by GET or POST."""
        name = request.match_info["method"]
        started = self._services.workspace.clock()
        try:
            arguments = await _arguments(request)
        except ValueError:
            return self._reply(name, {}, {"ok": False, "error": "invalid_json"}, started)
        call = Call(self._services, name, arguments, _token(request, arguments))
        await self._faults.wait_if_held(name)
        fault = self._faults.take(name)
        if fault is not None and not fault.performed:
            return self._fail(request, call, fault, started)
        wait = self._wait(call)
        if wait:
            return self._fail(request, call, Fault(429, performed=False, retry_after=wait), started)
        answer = await self._run(call)
        if fault is not None:
            return self._fail(request, call, fault, started)
        return self._reply(name, arguments, answer, started)

    async def _run(self, call: Call) -> Json:
        method = METHODS.get(call.method)
        if method is None:
            return {"ok": False, "error": "unknown_method", "req_method": call.method}
        try:
            self._authorize(call, method)
            return await method.handler(call)
        except RefusedError as error:
            return error.answer()

    def _authorize(self, call: Call, method: Method) -> None:
        if method.token == "none":
            return
        tokens = self._services.tokens
        if not call.token:
            raise RefusedError("not_authed")
        if call.token not in (tokens.bot, tokens.app):
            raise RefusedError("invalid_auth")
        if call.token == tokens.bot and tokens.state is not None:
            raise RefusedError(tokens.state)
        expected = tokens.app if method.token == "app" else tokens.bot
        if call.token != expected and call.method != "auth.test":
            raise RefusedError("not_allowed_token_type")
        if method.scopes:
            call.need_scope(*method.scopes)

    def _wait(self, call: Call) -> int:
        method = METHODS.get(call.method)
        channel = str(call.arguments.get("channel", ""))
        return self._limits.wait_for(call.method, method.per_minute, channel) if method else 0

    def _fail(self, request: web.Request, call: Call, fault: Fault, started: float) -> web.StreamResponse:
        """Answer as the fault says; a lost answer closes the connection without one."""
        failure = fault.failure
        if isinstance(failure, str) and failure != "lost":
            return self._reply(call.method, call.arguments, {"ok": False, "error": failure}, started)
        error = "ratelimited" if failure == 429 else f"http_{failure}" if failure != "lost" else "lost"
        self._record(call.method, call.arguments, None, error, started)
        if failure == "lost":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if failure == 429:
            headers = {"Retry-After": str(fault.retry_after)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        return web.Response(
            status=int(failure), text="<html><body>Server Error</body></html>", content_type="text/html"
        )

    def _reply(self, name: str, arguments: Json, answer: Json, started: float) -> web.Response:
        self._record(name, arguments, answer, None if answer["ok"] else str(answer["error"]), started)
        method = METHODS.get(name)
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._services.tokens.scopes))}
        if method is not None and method.scopes:
            headers["X-Accepted-OAuth-Scopes"] = ",".join(method.scopes)
        return web.json_response(answer, headers=headers)

    def _record(self, name: str, arguments: Json, answer: Json | None, error: str | None, started: float) -> None:
        shown = {key: value for key, value in arguments.items() if key not in _SECRET_ARGUMENTS}
        self._journal.add("api", name, request=shown, answer=answer, error=error, started=started)


def _token(request: web.Request, arguments: Json) -> str:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    return str(arguments.get("token") or "")


async def _arguments(request: web.Request) -> Json:
    """Return the arguments of the query string and the body; ValueError for a body that is not JSON."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        if not isinstance(body, dict):
            raise ValueError("the body must be a JSON object")
        found |= body
    elif request.method == "POST":
        found |= _fields(await request.post())
    return found | _client_credentials(request)


def _fields(form: Mapping[str, object]) -> Json:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _client_credentials(request: web.Request) -> Json:
    header = request.headers.get("Authorization", "")
    if not header.startswith("Basic "):
        return {}
    auth = BasicAuth.decode(header)
    return {"client_id": auth.login, "client_secret": auth.password}
