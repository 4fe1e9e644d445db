"""What every Web API method gets: the arguments, who calls, and the workspace."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sandbox.slack.config import Json
from sandbox.slack.events import Events
from sandbox.slack.files import Files
from sandbox.slack.model import Channel, Message, User
from sandbox.slack.posting import RefusedError, invalid_arguments
from sandbox.slack.sockets import SocketHub
from sandbox.slack.state import Workspace
from sandbox.slack.tokens import Tokens

T = TypeVar("T")
TokenKind = Literal["bot", "app", "none"]


@dataclass(frozen=True)
class Services:
    """The parts of the stand-in that methods use."""

    workspace: Workspace
    events: Events
    sockets: SocketHub
    tokens: Tokens
    files: Files
    base_url: Callable[[], str]


@dataclass(frozen=True)
class Call:
    """One API call; ``token`` is what it came with, empty if none."""

    services: Services
    method: str
    arguments: Json
    token: str = ""

    @property
    def workspace(self) -> Workspace:
        """The workspace the call is about."""
        return self.services.workspace

    @property
    def bot(self) -> str:
        """The bot's user id."""
        return self.workspace.app.bot_user_id

    def need_scope(self, *scopes: str) -> None:
        """Refuse with missing_scope unless the token has one of ``scopes``."""
        granted = self.services.tokens.scopes
        if not any(scope in granted for scope in scopes):
            raise RefusedError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(granted)))

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string argument; invalid_arguments if it is missing and has no default."""
        value = self.arguments.get(name)
        if value in (None, ""):
            if default is None:
                raise invalid_arguments(f"missing required field: {name}")
            return default
        if isinstance(value, dict | list):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean argument, given as JSON or as form text."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int = 1000) -> int:
        """Return a whole-number argument between 1 and ``most``; invalid_limit otherwise."""
        value = self.text(name, str(default))
        if not value.isdecimal() or not 1 <= int(value) <= most:
            raise RefusedError("invalid_limit")
        return int(value)

    def user(self, name: str = "user") -> User:
        """Return the user an argument names; user_not_found."""
        user = self.workspace.users.get(self.text(name))
        if user is None:
            raise RefusedError("user_not_found")
        return user

    def channel(self, name: str = "channel") -> Channel:
        """Return a conversation the bot may know of; channel_not_found for private ones it is not in."""
        channel = self.workspace.channels.get(self.text(name))
        if channel is None or not self.workspace.sees(self.bot, channel):
            raise RefusedError("channel_not_found")
        return channel

    def destination(self) -> Channel:
        """Return where to post: a conversation's id, a channel's name, or a user's id for a DM."""
        wanted = self.text("channel")
        workspace = self.workspace
        if wanted in workspace.users and wanted != self.bot:
            return workspace.direct_message(wanted)[0]
        channel = workspace.channels.get(wanted) or workspace.channel_by_name(wanted.removeprefix("#"))
        if channel is None or not workspace.sees(self.bot, channel):
            raise RefusedError("channel_not_found")
        return channel

    def own_message(self, channel: Channel, ts: str, refusal: str) -> Message:
        """Return a stored message the bot wrote; message_not_found, or ``refusal`` for others'."""
        message = self.workspace.message(channel.id, ts)
        if message is None:
            raise RefusedError("message_not_found")
        if not message.by_bot:
            raise RefusedError(refusal)
        return message


Handler = Callable[[Call], Awaitable[Json]]


@dataclass(frozen=True)
class Method:
    """One method: its handler, the scopes any of which it needs, its token and its rate tier."""

    handler: Handler
    scopes: tuple[str, ...] = ()
    token: TokenKind = "bot"
    per_minute: int = 50


def page_of(call: Call, items: list[T], key: str, render: Callable[[T], Any], default: int = 100) -> Json:
    """Return one page of a list with Slack's cursor; invalid_cursor."""
    limit = call.number("limit", default)
    cursor = call.text("cursor", "")
    start = 0
    if cursor:
        number = cursor.removeprefix("dXNlcjp")
        if number == cursor or not number.isdecimal() or int(number) > len(items):
            raise RefusedError("invalid_cursor")
        start = int(number)
    end = start + limit
    following = f"dXNlcjp{end}" if end < len(items) else ""
    return {
        "ok": True,
        key: [render(item) for item in items[start:end]],
        "response_metadata": {"next_cursor": following},
    }
