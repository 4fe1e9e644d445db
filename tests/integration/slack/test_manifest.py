"""manifest.yml against what is registered, typed and called: nothing promised that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack.command_parser import VERBS
from tests.integration.slack.conftest import MANIFEST

ROOT = MANIFEST.parent
LISTENERS = ROOT / "bot" / "slack"
NEEDED_BY = {
    "chat:write": "chat_postEphemeral",
    "commands": "app.command",
    "channels:read": "member_joined_channel",
    "groups:read": "member_joined_channel",
    "files:write": "files_upload_v2",
    "files:read": "url_private",
    "im:write": "conversations_open",
    "users:read": "users_info",
    "users:read.email": "users_info",
}


@pytest.fixture
def manifest() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return document


def source() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(Path(LISTENERS).rglob("*.py")))


def test_each_command_names_its_verbs_as_the_help_does(manifest: dict[str, Any]) -> None:
    offered = {one["command"]: one for one in manifest["features"]["slash_commands"]}
    assert set(offered) == set(VERBS)
    for command, verbs in VERBS.items():
        assert offered[command]["usage_hint"] == " | ".join(verb.name for verb in verbs)
        assert offered[command]["should_escape"] is True


def test_each_event_has_a_listener_and_each_listener_its_event(manifest: dict[str, Any]) -> None:
    listened = set(re.findall(r'@app\.event\("(\w+)"\)', source()))
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == listened


def test_each_scope_is_used_and_no_history_is_read(manifest: dict[str, Any]) -> None:
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    assert scopes == set(NEEDED_BY)
    assert not any(scope.endswith(":history") for scope in scopes)
    assert all(use in source() for use in NEEDED_BY.values())


def test_the_texts_are_as_long_as_slack_allows(manifest: dict[str, Any]) -> None:
    display = manifest["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert 174 <= len(display["long_description"]) <= 4_000
    assert re.fullmatch(r"#[0-9a-f]{6}", display["background_color"])
    assert all(len(one["usage_hint"]) <= 1_000 for one in manifest["features"]["slash_commands"])


def test_direct_messages_and_the_home_tab_are_open(manifest: dict[str, Any]) -> None:
    home = manifest["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
