"""Who asks, what they may do, and whether Slack has brought the same request before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks.forms import kept_in
from bot.slack.slack_errors import translate
from bot.slack.uses import Origin
from core.domain.actor import Actor, Role
from core.errors import NotAllowedError, RefusedError
from core.ports.clock import Clock

ROLE_SECONDS: Final = 300.0
_MOST_REMEMBERED: Final = 5_000

_GUEST: Final = "Guests of this workspace cannot use Rethread."
_STRANGER: Final = "You belong to another workspace; only members of this one can use Rethread here."
_ROBOT: Final = "Apps and bots cannot use Rethread."
_GONE: Final = "This account is deactivated."


@dataclass(frozen=True, slots=True)
class _Known:
    role: Role | None
    refusal: str
    until: float
    email: str = ""
    name: str = ""
    zone: str = ""


class RoleBook:
    """Roles by Slack's own word: admins and owners of the workspace and those named in the settings are admins,
    every full member a recruiter; guests, other workspaces' people and bots are refused (threat T8)."""

    def __init__(self, client: AsyncWebClient, admins: tuple[str, ...], clock: Clock) -> None:
        self._client, self._admins, self._clock = client, frozenset(admins), clock
        self._known: dict[tuple[str, str], _Known] = {}

    async def actor(self, workspace: str, user: str) -> Actor:
        """Raises NotAllowedError for whoever may not use Rethread, SlackError kinds where Slack does not say."""
        known = await self._lookup(workspace, user)
        if known.role is None:
            raise NotAllowedError(known.refusal, fix="Ask an admin of this Slack workspace.")
        return Actor(workspace, user, known.role, known.email, known.name)

    async def zone(self, workspace: str, user: str) -> str:
        """The time zone of a person's profile (IANA), empty where it says none. Raises SlackError kinds."""
        return (await self._lookup(workspace, user)).zone

    async def _lookup(self, workspace: str, user: str) -> _Known:
        known = self._known.get((workspace, user))
        if known is None or known.until < self._clock.monotonic():
            known = await self._ask(workspace, user)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[workspace, user] = known
        return known

    async def _ask(self, workspace: str, user: str) -> _Known:
        until = self._clock.monotonic() + ROLE_SECONDS
        try:
            answer = await self._client.users_info(user=user)
        except Exception as error:
            raise translate(error) from error
        profile: Mapping[str, Any] = answer.get("user") or {}
        refusal = _refusal(workspace, profile)
        if refusal:
            return _Known(None, refusal, until)
        admin = user in self._admins or bool(profile.get("is_admin") or profile.get("is_owner"))
        details = _mapping(profile.get("profile"))
        email, name = _text(details.get("email")), _text(profile.get("real_name") or details.get("real_name"))
        role, zone = Role.ADMIN if admin else Role.RECRUITER, _text(profile.get("tz"))
        return _Known(role, "", until, email or "", name or "", zone or "")


def _refusal(workspace: str, profile: Mapping[str, Any]) -> str:
    if profile.get("deleted"):
        return _GONE
    if profile.get("is_bot") or profile.get("id") == "USLACKBOT":
        return _ROBOT
    if profile.get("is_restricted") or profile.get("is_ultra_restricted"):
        return _GUEST
    grid = profile.get("enterprise_user")
    home_teams = {profile.get("team_id"), *(grid.get("teams", []) if isinstance(grid, Mapping) else [])}
    if profile.get("is_stranger") or workspace not in home_teams:
        return _STRANGER
    return ""


class Rush:
    """A bucket of requests per person, so that one key held down does not keep everybody else waiting (threat T26)."""

    def __init__(self, clock: Clock, *, most: float = 30.0, per_second: float = 1.0) -> None:
        self._clock, self._most, self._per_second = clock, most, per_second
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def admit(self, workspace: str, user: str) -> None:
        """Raises RefusedError where this person's bucket is empty."""
        now = self._clock.monotonic()
        left, since = self._left.get((workspace, user), (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        if len(self._left) >= _MOST_REMEMBERED:
            self._left.clear()
        self._left[workspace, user] = (max(0.0, left - 1), now)
        if left < 1:
            raise RefusedError("That was a lot at once.", reason="rush", fix="Wait a few seconds and try again.")


def origin_of(body: Mapping[str, Any]) -> Origin | None:
    """Who asked and how to answer, from a verified payload of any kind; None where no person is behind it."""
    event = _mapping(body.get("event"))
    view = _mapping(body.get("view") or event.get("view"))
    container = _mapping(body.get("container"))
    workspace = body.get("team_id") or _mapping(body.get("team")).get("id") or view.get("team_id")
    user = body.get("user_id") or _mapping(body.get("user")).get("id") or event.get("user")
    if not isinstance(workspace, str) or not isinstance(user, str) or not workspace or not user:
        return None
    channel = body.get("channel_id") or _mapping(body.get("channel")).get("id") or container.get("channel_id")
    channel = channel or _asked_in(view)
    return Origin(
        workspace=workspace,
        user=user,
        key=_repeat_key(body, view),
        channel=_text(channel),
        response_url=_text(body.get("response_url")),
        trigger_id=_text(body.get("trigger_id")),
        home=event.get("type") == "app_home_opened" or view.get("type") == "home",
        window=_text(view.get("id")) if body.get("type") == "block_actions" and view.get("type") == "modal" else None,
    )


def _repeat_key(body: Mapping[str, Any], view: Mapping[str, Any]) -> str | None:
    """What stays the same when Slack delivers once more: event_id, trigger_id, or the view and its hash."""
    if body.get("event_id"):
        return f"event:{body['event_id']}"[:200]
    if body.get("type") == "view_submission":
        return f"view:{view.get('id')}:{view.get('hash')}"[:200]
    return f"trigger:{body['trigger_id']}"[:200] if body.get("trigger_id") else None


def _asked_in(view: Mapping[str, Any]) -> str | None:
    """Where the window was asked for that something came from."""
    try:
        return kept_in(view)[1]
    except RefusedError:
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
