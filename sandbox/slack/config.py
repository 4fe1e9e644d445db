"""What a workspace starts with, and what the app's manifest asks of Slack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

ChannelKind = Literal["channel", "private", "dm"]
Json = dict[str, Any]

BOT_USER_ID = "U0RETHREAD"


@dataclass(frozen=True)
class UserSeed:
    """A person of the workspace."""

    id: str
    name: str
    real_name: str
    email: str
    title: str = ""
    is_admin: bool = False
    is_owner: bool = False
    color: str = "4bbe2e"
    tz: str = "Europe/London"
    tz_label: str = "Greenwich Mean Time"
    tz_offset: int = 0


@dataclass(frozen=True)
class ChannelSeed:
    """A channel of the workspace with the ids of the people and bots in it."""

    id: str
    name: str
    members: tuple[str, ...]
    kind: ChannelKind = "channel"
    topic: str = ""


_PEOPLE = ("U0RITA", "U0OMAR", "U0ADA")

DEFAULT_USERS = (
    UserSeed("U0RITA", "rita", "Rita Reed", "rita@agency.test", "Recruiter", color="9f69e7"),
    UserSeed("U0OMAR", "omar", "Omar Odell", "omar@agency.test", "Recruiter", color="4bbe2e"),
    UserSeed("U0ADA", "ada", "Ada Stone", "ada@agency.test", "Workspace admin", True, True, color="e7392d"),
)

DEFAULT_CHANNELS = (
    ChannelSeed(
        "C0ALERTS", "mailbox-alerts", (*_PEOPLE, BOT_USER_ID), topic="Mailboxes that need somebody's attention"
    ),
    ChannelSeed("C0REPLIES", "outreach", (*_PEOPLE, BOT_USER_ID), topic="Replies, and mail that did not go out"),
    ChannelSeed("C0GENERAL", "general", _PEOPLE, topic="Everybody at the agency"),
    ChannelSeed("G0LEADS", "leads", ("U0RITA", "U0ADA"), "private", topic="Team leads only"),
)


@dataclass(frozen=True)
class WorkspaceSeed:
    """The team, its people and its channels."""

    team_id: str = "T0AGENCY"
    team_name: str = "Agency"
    team_domain: str = "agency"
    users: tuple[UserSeed, ...] = DEFAULT_USERS
    channels: tuple[ChannelSeed, ...] = DEFAULT_CHANNELS


@dataclass(frozen=True)
class CommandConfig:
    """One slash command of the manifest."""

    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class AppConfig:
    """What an app's manifest configures at Slack (manifest schema v2)."""

    name: str
    bot_name: str
    scopes: frozenset[str]
    bot_events: frozenset[str]
    commands: tuple[CommandConfig, ...]
    home_tab: bool
    messages_tab: bool
    messages_read_only: bool
    interactivity: bool
    redirect_urls: tuple[str, ...] = ()
    app_id: str = "A0RETHREAD"
    bot_id: str = "B0RETHREAD"
    bot_user_id: str = field(default=BOT_USER_ID)

    def command(self, name: str) -> CommandConfig | None:
        """Return the command called ``name`` (with its slash), or None."""
        return next((c for c in self.commands if c.command == name), None)


class ManifestError(ValueError):
    """The manifest is not one that Slack would take; the text names the field."""


def load_manifest(path: Path) -> AppConfig:
    """Read a manifest from a YAML or JSON file.

    Raises ManifestError if the file is not a manifest.
    """
    document = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(document, dict):
        raise ManifestError("manifest: must be a mapping")
    return parse_manifest(document)


def parse_manifest(document: Mapping[str, Any]) -> AppConfig:
    """Read the parts of a manifest that change how Slack treats the app."""
    features = _section(document, "features")
    settings = _section(document, "settings")
    oauth = _section(document, "oauth_config")
    home = _section(features, "app_home")
    name = str(_section(document, "display_information").get("name", ""))
    if not 1 <= len(name) <= 35:
        raise ManifestError("display_information.name: must have 1 to 35 characters")
    return AppConfig(
        name=name,
        bot_name=str(_section(features, "bot_user").get("display_name", name)),
        scopes=frozenset(_section(oauth, "scopes").get("bot") or ()),
        bot_events=frozenset(_section(settings, "event_subscriptions").get("bot_events") or ()),
        commands=tuple(_command(entry) for entry in features.get("slash_commands") or ()),
        home_tab=bool(home.get("home_tab_enabled", False)),
        messages_tab=bool(home.get("messages_tab_enabled", False)),
        messages_read_only=bool(home.get("messages_tab_read_only_enabled", False)),
        interactivity=bool(_section(settings, "interactivity").get("is_enabled", False)),
        redirect_urls=tuple(oauth.get("redirect_urls") or ()),
    )


def _section(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, Mapping):
        raise ManifestError(f"{key}: must be a mapping")
    return value


def _command(entry: Mapping[str, Any]) -> CommandConfig:
    command = str(entry.get("command", ""))
    if not command.startswith("/") or not 2 <= len(command) <= 32:
        raise ManifestError(f"features.slash_commands: {command!r} must begin with / and have 2 to 32 characters")
    return CommandConfig(
        command=command,
        description=str(entry.get("description", "")),
        usage_hint=str(entry.get("usage_hint", "")),
        should_escape=bool(entry.get("should_escape", False)),
    )
