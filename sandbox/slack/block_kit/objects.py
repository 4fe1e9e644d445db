"""Composition objects: texts, options, confirmations, filters (limits of @slack/types)."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.block_kit.checks import (
    Check,
    Field,
    Problem,
    any_one,
    anything,
    array,
    boolean,
    both,
    exactly_one,
    mapping,
    one_of,
    required,
    string,
    typed,
    url,
)

OPTIONS_PER_SELECT = 100
GROUPS_PER_SELECT = 100


def text(longest: int, *kinds: str) -> Check:
    """A text object of one of ``kinds`` (both if none is named) with 1 to ``longest`` characters."""
    allowed = kinds or ("plain_text", "mrkdwn")
    fields: dict[str, dict[str, Field | Check]] = {
        "plain_text": {"type": anything, "text": required(string(longest)), "emoji": boolean},
        "mrkdwn": {"type": anything, "text": required(string(longest)), "verbatim": boolean},
    }
    return typed({kind: mapping(fields[kind]) for kind in allowed})


def plain(longest: int) -> Check:
    """A plain_text object."""
    return text(longest, "plain_text")


def identifier(value: Any, pointer: str) -> Iterator[Problem]:
    """An action_id, block_id, callback_id or external_id."""
    return string(255)(value, pointer)


def workspace_id(value: Any, pointer: str) -> Iterator[Problem]:
    """The id of a user or conversation."""
    return string(64)(value, pointer)


CONFIRM = mapping(
    {
        "title": required(plain(100)),
        "text": required(text(300)),
        "confirm": required(plain(30)),
        "deny": required(plain(30)),
        "style": one_of("primary", "danger"),
    }
)


def option(*, markdown: bool = False, with_url: bool = False) -> Check:
    """One option; mrkdwn only in radio buttons and checkboxes, url only in overflow menus."""
    words = text(75) if markdown else plain(75)
    fields: dict[str, Field | Check] = {
        "text": required(words),
        "value": required(string(150)),
        "description": words,
    }
    if with_url:
        fields["url"] = url()
    return mapping(fields)


PLAIN_OPTION = option()
GROUP = mapping({"label": required(plain(75)), "options": required(array(PLAIN_OPTION, OPTIONS_PER_SELECT))})
PLACEHOLDER = plain(150)

OPTIONS: dict[str, Field | Check] = {
    "options": array(PLAIN_OPTION, OPTIONS_PER_SELECT),
    "option_groups": array(GROUP, GROUPS_PER_SELECT),
}
HAS_OPTIONS = exactly_one(("options", "option_groups"))

DISPATCH_CONFIG = mapping(
    {"trigger_actions_on": required(array(one_of("on_enter_pressed", "on_character_entered"), 2))}
)

CONVERSATION_FILTER = both(
    mapping(
        {
            "include": array(one_of("im", "mpim", "private", "public"), 4),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        }
    ),
    any_one(("include", "exclude_external_shared_channels", "exclude_bot_users")),
)

SLACK_FILE = both(mapping({"id": string(), "url": url()}), exactly_one(("id", "url")))


def options_of(element: dict[str, Any]) -> list[Any]:
    """Return the options of a select, whether grouped or not; lists in wrong places count as empty."""
    groups = [group for group in _listed(element.get("option_groups")) if isinstance(group, dict)]
    return [*_listed(element.get("options")), *(o for g in groups for o in _listed(g.get("options")))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def initial_among_options(value: Any, pointer: str) -> Iterator[Problem]:
    """What is chosen at first must be one of the options, in every field."""
    if not isinstance(value, dict):
        return
    offered = options_of(value)
    chosen = {"initial_option": value.get("initial_option")} if "initial_option" in value else {}
    several = value.get("initial_options")
    if isinstance(several, list):
        chosen |= {f"initial_options/{index}": entry for index, entry in enumerate(several)}
    for name, entry in chosen.items():
        if entry not in offered:
            words = "initial option must match one of the options"
            yield Problem(f"{pointer}/{name}", "failed_constraint", words)
