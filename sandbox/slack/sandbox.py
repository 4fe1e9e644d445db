"""The stand-in as one object: a running workspace for tests and for the demo."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from sandbox.server import HttpServer, build_application
from sandbox.slack import inputs
from sandbox.slack.config import AppConfig, Json, WorkspaceSeed, load_manifest
from sandbox.slack.delivery import ACK_SECONDS, EVENT_RETRY_DELAYS, AppLink
from sandbox.slack.events import Events
from sandbox.slack.faults import Failure, Faults, Hold, RateLimits
from sandbox.slack.feed import Feed
from sandbox.slack.files import Files
from sandbox.slack.ids import Clock
from sandbox.slack.interactions import Interactions, NotPossibleError
from sandbox.slack.journal import Entry, Journal
from sandbox.slack.model import Message, View, elements_of
from sandbox.slack.page_api import PageApi
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.sockets import SocketHub
from sandbox.slack.state import Workspace
from sandbox.slack.tokens import Tokens
from sandbox.slack.web_api.context import Services
from sandbox.slack.web_api.dispatch import WebApi

T = TypeVar("T")
StartHook = Callable[["SlackSandbox"], Awaitable[None]]
PATIENCE_SECONDS = 30.0


class SlackSandbox:
    """A Slack workspace on loopback with one app installed, configured by its manifest.

    ``async with SlackSandbox(manifest=path) as slack:`` runs it on ``port`` (0: a free one).
    ``routes`` are further aiohttp routes for the same server, ``on_start`` is awaited once it
    listens. ``ack_seconds`` and ``event_retry_delays`` shorten Slack's clocks for tests; ``clock``
    gives seconds since 1970 and moves trigger and response_url ages.
    """

    def __init__(
        self,
        manifest: Path | AppConfig,
        *,
        port: int = 0,
        seed: WorkspaceSeed | None = None,
        routes: Iterable[web.RouteDef] = (),
        on_start: Iterable[StartHook] = (),
        ack_seconds: float = ACK_SECONDS,
        event_retry_delays: tuple[float, ...] = EVENT_RETRY_DELAYS,
        clock: Clock = time.time,
    ) -> None:
        app = manifest if isinstance(manifest, AppConfig) else load_manifest(manifest)
        self.feed = Feed()
        self.workspace = Workspace(app, seed or WorkspaceSeed(), self.feed, clock)
        self.journal = Journal(self.feed, clock)
        self.tokens = Tokens.issue(app)
        self.faults = Faults()
        self.rate_limits = RateLimits(clock)
        self.sockets = SocketHub(self.journal, clock, app.app_id)
        self.link = AppLink(
            self.sockets,
            self.journal,
            self.feed,
            clock,
            self.tokens.signing_secret,
            ack_seconds=ack_seconds,
            event_retry_delays=event_retry_delays,
        )
        self.events = Events(self.workspace, self.link)
        self._urls = ResponseUrls(self.workspace, self.journal, clock)
        self.interactions = Interactions(self.workspace, self.link, self.events, self._urls)
        self._page = PageApi(self.workspace, self.interactions, self.link, self.journal)
        self.files = Files(self.workspace, self.journal, clock, self.tokens, lambda: self.page_url)
        services = Services(self.workspace, self.events, self.sockets, self.tokens, self.files, lambda: self.page_url)
        self._api = WebApi(services, self.journal, self.faults, self.rate_limits)
        self._server = HttpServer(build_application([*self.routes(), *routes]))
        self._port = port
        self._on_start = tuple(on_start)

    # Where it is

    @property
    def page_url(self) -> str:
        """The address of the page where people work, without a final slash."""
        return self._server.url

    @property
    def api_url(self) -> str:
        """The base of the Web API, ending in ``/api/``: what SDKs call base_url."""
        return f"{self._server.url}/api/"

    @property
    def bot_token(self) -> str:
        """The token of the installed bot."""
        return self.tokens.bot

    @property
    def app_token(self) -> str:
        """The app-level token for Socket Mode."""
        return self.tokens.app

    @property
    def signing_secret(self) -> str:
        """The secret HTTP deliveries are signed with."""
        return self.tokens.signing_secret

    def routes(self) -> list[web.RouteDef]:
        """Return the stand-in's own routes."""
        return [
            web.route("*", "/api/{method}", self._api.handle),
            web.get("/link/", self.sockets.handle),
            web.post("/commands/{name:.+}", self._urls.handle),
            web.post("/actions/{name:.+}", self._urls.handle),
            web.get("/oauth/v2/authorize", self._authorize),
            web.get("/archives/{channel}/p{ts}", _permalink),
            *self.files.routes(),
            *self._page.routes(),
        ]

    async def __aenter__(self) -> Self:
        await self.link.start()
        self._urls.base_url = await self._server.start(self._port)
        for hook in self._on_start:
            await hook(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.clear()
        await self.link.stop()
        await self.sockets.close()
        await self._page.close()
        await self._server.stop()

    # What people do

    async def command(self, user: str, channel: str, command: str, text: str = "") -> Json:
        """Run a slash command; ``{"ok": true}`` or the failure the person sees."""
        return await self.interactions.command(user, channel, command, text)

    async def click(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> Json:
        """Use the element with this action of a message.

        ``value`` picks the option of a menu, or one of several buttons with the same action.
        Raises NotPossibleError if the person cannot: no such message or element.
        """
        container = {"type": "message", "channel": channel, "ts": ts}
        message = self.workspace.ephemeral(user, ts) or self.workspace.message(channel, ts)
        blocks = message.all_blocks() if message else []
        return await self.interactions.act(user, container, _used(blocks, action_id, value))

    async def click_view(self, user: str, view_id: str, action_id: str, value: str | None = None) -> Json:
        """Use the element with this action of a modal."""
        view = self.workspace.views.find(view_id=view_id)
        container = {"type": "view", "view_id": view_id}
        return await self.interactions.act(user, container, _used(view.blocks if view else [], action_id, value))

    async def click_home(self, user: str, action_id: str, value: str | None = None) -> Json:
        """Use the element with this action of the user's Home tab."""
        view = self.workspace.views.home(user)
        return await self.interactions.act(user, {"type": "home"}, _used(view.blocks if view else [], action_id, value))

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Any] | None = None) -> Json:
        """Submit a modal. ``values`` maps a block_id or action_id to a plain value.

        A plain value is a text, an option's value, or a list of those. The answer is the page's:
        ``{"ok": true}`` with response_action and errors where the app or Slack gave some.
        """
        view = self.workspace.views.find(view_id=view_id)
        if view is None:
            raise NotPossibleError("not_found", "This window is no longer open.")
        return await self.interactions.submit(user, view_id, _state(view, values or {}))

    def hand_in(self, user: str, name: str, content: bytes) -> Json:
        """Choose a file in a window; the answer is what a file_input holds then."""
        return self.files.hand_in(user, name, content).to_api()

    async def close_view(self, user: str, view_id: str) -> Json:
        """Close a modal without submitting it."""
        return await self.interactions.close(user, view_id)

    def open_home(self, user: str) -> View | None:
        """Open the Home tab; the view that was published before, if any."""
        return self.interactions.open_home(user)

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Write a message as a person."""
        return self.interactions.post(user, channel, text, thread_ts)

    def join(self, user: str, channel: str, inviter: str | None = None) -> None:
        """Put a person or the bot into a channel and tell the app."""
        found = self.workspace.channels[channel]
        if self.workspace.join(user, found):
            self.events.joined(found, user, inviter)

    def leave(self, user: str, channel: str) -> None:
        """Take a person or the bot out of a channel and tell the app."""
        found = self.workspace.channels[channel]
        if self.workspace.leave(user, found):
            self.events.left(found, user)

    def archive(self, channel: str, by: str = "U0ADA") -> None:
        """Archive a channel and tell the app."""
        found = self.workspace.channels[channel]
        self.workspace.set_archived(found, archived=True, by=by)
        self.events.archived(found, by, archived=True)

    def uninstall(self) -> None:
        """Remove the app: its token dies and it hears of it."""
        self.tokens.state = "account_inactive"
        self.events.uninstalled()

    # What is there

    def messages(self, channel: str) -> list[Message]:
        """Return the messages of a channel, oldest first."""
        return self.workspace.messages(channel)

    def ephemerals(self, user: str) -> list[Message]:
        """Return what only this user sees, oldest first."""
        return self.workspace.ephemerals(user)

    def views(self, user: str) -> list[View]:
        """Return the user's open modals, the one on top last."""
        return self.workspace.views.stack(user)

    def home(self, user: str) -> View | None:
        """Return the user's Home tab."""
        return self.workspace.views.home(user)

    def direct_message(self, user: str) -> str:
        """Return the id of the bot's direct message with a user."""
        return self.workspace.direct_message(user)[0].id

    async def wait_message(
        self,
        channel: str,
        predicate: Callable[[Message], bool] = lambda _message: True,
        timeout: float = PATIENCE_SECONDS,
    ) -> Message:
        """Return the first message of a channel that fits, now or later; TimeoutError."""
        return await self.wait_for(
            lambda: next((m for m in self.workspace.messages(channel) if predicate(m)), None), timeout
        )

    async def wait_ephemeral(
        self,
        user: str,
        predicate: Callable[[Message], bool] = lambda _message: True,
        timeout: float = PATIENCE_SECONDS,
    ) -> Message:
        """Return the first message only this user sees that fits, now or later; TimeoutError."""
        return await self.wait_for(lambda: next((m for m in self.ephemerals(user) if predicate(m)), None), timeout)

    async def wait_view(
        self,
        user: str,
        predicate: Callable[[View], bool] = lambda _view: True,
        timeout: float = PATIENCE_SECONDS,
    ) -> View:
        """Return the modal on top of a user's screen once there is one that fits; TimeoutError."""

        def look() -> View | None:
            view = self.workspace.views.top(user)
            return view if view is not None and predicate(view) else None

        return await self.wait_for(look, timeout)

    async def wait_home(
        self,
        user: str,
        predicate: Callable[[View], bool] = lambda _view: True,
        timeout: float = PATIENCE_SECONDS,
    ) -> View:
        """Return the user's Home tab once it fits; TimeoutError."""

        def look() -> View | None:
            view = self.home(user)
            return view if view is not None and predicate(view) else None

        return await self.wait_for(look, timeout)

    async def wait_delivery(self, predicate: Callable[[Entry], bool], timeout: float = PATIENCE_SECONDS) -> Entry:
        """Return the first journal entry of a finished delivery that fits; TimeoutError."""
        return await self.wait_for(lambda: next((e for e in self.journal.deliveries() if predicate(e)), None), timeout)

    async def wait_connected(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Wait until the app is reachable: a socket is open or a request URL is set."""
        await self.wait_for(lambda: True if self.link.reachable else None, timeout)

    async def wait_for(self, check: Callable[[], T | None], timeout: float = PATIENCE_SECONDS) -> T:
        """Return the first value of ``check`` that is not None, looking again on every change."""
        return await self.feed.wait_until(check, timeout)

    # What goes wrong

    def fail_next(
        self,
        method: str,
        failure: Failure,
        times: int = 1,
        *,
        performed: bool | None = None,
        retry_after: int = 1,
    ) -> None:
        """Let the next calls of a method fail: an error name, ``"lost"``, 429, 500 or another status.

        A ``"lost"`` call does its work and loses its answer; ``performed`` says otherwise, or makes
        other failures do their work first.
        """
        self.faults.add(method, failure, times, performed=performed, retry_after=retry_after)

    def hold(self, method: str) -> Hold:
        """Let calls of a method wait (a slow Slack) until ``release()`` of the answer is called."""
        return self.faults.hold(method)

    def revoke_token(self, error: str = "token_revoked") -> None:
        """Let every call with the bot token fail: token_revoked, account_inactive, invalid_auth."""
        self.tokens.state = error

    def restore_token(self) -> None:
        """Let the bot token work again."""
        self.tokens.state = None

    def set_request_url(self, url: str | None) -> None:
        """Set the address that commands, interactions and events go to by HTTP."""
        self.link.set_request_url(url)

    async def verify_request_url(self) -> bool:
        """Send url_verification; whether the app answered with the challenge."""
        return await self.link.verify_url()

    async def _authorize(self, request: web.Request) -> web.Response:
        """The consent page, agreed to at once: back to the app with a code."""
        redirect = request.query.get("redirect_uri") or next(iter(self.workspace.app.redirect_urls), "")
        if request.query.get("client_id") != self.tokens.client_id or not redirect:
            return web.json_response({"ok": False, "error": "invalid_client_id"}, status=400)
        query = {"code": self.tokens.new_code(redirect), "state": request.query.get("state", "")}
        raise web.HTTPFound(f"{redirect}?{urlencode(query)}")


async def _permalink(request: web.Request) -> web.Response:
    digits = request.match_info["ts"]
    query = {"channel": request.match_info["channel"], "ts": f"{digits[:-6]}.{digits[-6:]}"}
    raise web.HTTPFound(f"/?{urlencode(query)}")


def _used(blocks: list[Json], action_id: str, value: str | None) -> Json:
    """Return what the page would send for the use of an element."""
    found = [(b, e) for b in blocks for e in elements_of(b) if e.get("action_id") == action_id]
    if value is not None and len(found) > 1:
        found = [(b, e) for b, e in found if e.get("value") == value]
    if not found:
        raise NotPossibleError("action_not_found", f"There is no {action_id} here.")
    block, element = found[0]
    used: Json = {"block_id": block["block_id"], "action_id": action_id, "type": element["type"]}
    return used if element["type"] == "button" else used | inputs.chosen(element, value)


def _state(view: View, values: Mapping[str, Any]) -> dict[str, dict[str, Json]]:
    state: dict[str, dict[str, Json]] = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            for name in (block["block_id"], element["action_id"]):
                if name in values:
                    state[block["block_id"]] = {element["action_id"]: inputs.chosen(element, values[name])}
    return state
