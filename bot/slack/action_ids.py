"""Names of buttons and what they carry. Pure.

A button's value holds the id of the thing it acts on and the version of the facts that the person saw, so that a
click on an old card cannot undo what somebody did since. Whatever comes back from Slack is checked here before any
service sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from core.errors import RefusedError

RESYNC: Final = "sync.resync"
RECONNECT: Final = "sync.reconnect"
RESYNC_HERE: Final = "mailbox.resync"
"""Where no card changes by itself: whoever presses hears that it was done."""

ACKNOWLEDGE: Final = "alert.acknowledge"
ASSIGN: Final = "alert.assign"
MORE: Final = "alert.more"
"""A menu: the choice says whether to mute, and for how long, or to escalate."""

RESYNC_STORM: Final = "storm.resync"
RETRY_ALL: Final = "recovery.retry"
REVIEW: Final = "recovery.review"
LEAVE: Final = "recovery.leave"
POST_ALERT: Final = "escalation.post_alert"
POST_MAILBOX: Final = "escalation.post_mailbox"
RETRY: Final = "stage.retry"
RETRY_ANYWAY: Final = "stage.retry_anyway"
FIX_ADDRESS: Final = "stage.fix_address"
RETRY_HEAP: Final = "stages.retry"
SKIP: Final = "stage.skip"
FINISH: Final = "stage.finish"
WAS_SENT: Final = "uncertain.was_sent"
SEND_AGAIN: Final = "uncertain.send_again"
DROP: Final = "uncertain.drop"
CONNECT: Final = "mailbox.connect"
REFRESH: Final = "mailbox.refresh"
PAUSE: Final = "mailbox.pause"
RESUME: Final = "mailbox.resume"
DISCONNECT: Final = "mailbox.disconnect"
START: Final = "campaign.start"
LIFT_MAILBOX_BRAKE: Final = "brake.lift_mailbox"
LIFT_CAMPAIGN_BRAKE: Final = "brake.lift_campaign"
TASK_DONE: Final = "task.done"
TASK_SKIP: Final = "task.skip"
TASK_MORE: Final = "task.more"
"""A menu: an answer that no mailbox sees, or the prospect's history."""

CAMPAIGN_NEW: Final = "campaign.new"
CAMPAIGN_OPEN: Final = "campaign.open"
CAMPAIGN_PREFLIGHT: Final = "campaign.preflight"
CAMPAIGN_START_ANYWAY: Final = "campaign.start_anyway"
CAMPAIGN_PAUSE: Final = "campaign.pause"
CAMPAIGN_STOP: Final = "campaign.stop"
CAMPAIGN_ARCHIVE: Final = "campaign.archive"
CAMPAIGN_ADD: Final = "campaign.add"
CAMPAIGN_SETTINGS: Final = "campaign.settings"
CAMPAIGN_MORE: Final = "campaign.more"
"""A menu: copy it, move its people, get it as a file."""

STAGE_NEW: Final = "campaign.stage_new"
STAGE_MORE: Final = "campaign.stage_more"
"""Menus: the kind of a new stage; what to do with one that is there."""

LIST_SHOW: Final = tuple(f"campaigns.show_{what}" for what in ("back", "next", "all"))
"""The list as a button says: another page, or without filters."""

LIST_BY: Final = tuple(f"campaigns.by_{name}" for name in ("owner", "status", "shared", "job", "job_stage", "sort"))
"""Filters of the list; the list that they stand in carries the others."""

OPEN_LINK: Final = "link.open"
"""A link button still tells us that it was pressed, and wants an answer."""

ALL: Final = (
    RESYNC,
    RECONNECT,
    RESYNC_HERE,
    ACKNOWLEDGE,
    ASSIGN,
    MORE,
    RESYNC_STORM,
    RETRY_ALL,
    REVIEW,
    LEAVE,
    POST_ALERT,
    POST_MAILBOX,
    RETRY,
    RETRY_ANYWAY,
    FIX_ADDRESS,
    RETRY_HEAP,
    SKIP,
    FINISH,
    WAS_SENT,
    SEND_AGAIN,
    DROP,
    CONNECT,
    REFRESH,
    PAUSE,
    RESUME,
    DISCONNECT,
    START,
    LIFT_MAILBOX_BRAKE,
    LIFT_CAMPAIGN_BRAKE,
    TASK_DONE,
    TASK_SKIP,
    TASK_MORE,
    CAMPAIGN_NEW,
    CAMPAIGN_OPEN,
    CAMPAIGN_PREFLIGHT,
    CAMPAIGN_START_ANYWAY,
    CAMPAIGN_PAUSE,
    CAMPAIGN_STOP,
    CAMPAIGN_ARCHIVE,
    CAMPAIGN_ADD,
    CAMPAIGN_SETTINGS,
    CAMPAIGN_MORE,
    STAGE_NEW,
    STAGE_MORE,
    *LIST_SHOW,
    *LIST_BY,
    OPEN_LINK,
)

STALE: Final = "This button is from an older message and does nothing any more."
STALE_FIX: Final = "Type /mailbox status or /outreach status to see how things stand now."

MUTE_HOURS: Final = {"mute_24": 24, "mute_72": 72, "mute_168": 168}
"""Choices of the menu that silence an alert, and for how many hours."""

ESCALATE: Final = "escalate"
"""The menu's choice that collects the facts for whoever can help."""

_FORMAT: Final = "1"
_VALUE: Final = re.compile(r"1:([A-Za-z0-9_-]{1,64}):(\d{1,9})(?::([A-Za-z0-9_]{1,32}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ButtonValue:
    """What a button acts on, and the version of it that its card showed; ``choice`` is what a menu's reader chose."""

    id: str
    version: int
    choice: str = ""


def encode(identifier: str, version: int = 0, choice: str = "") -> str:
    """The text of a button's value, at most 109 characters. Raises ValueError where the id could not come back.

    A menu of people carries it in its block's id, because Slack gives such a menu no value.
    """
    value = f"{_FORMAT}:{identifier}:{version}" + (f":{choice}" if choice else "")
    if not _VALUE.fullmatch(value):
        raise ValueError("this id or version cannot be carried by a button")
    return value


def decode(value: object) -> ButtonValue:
    """The other way round. Raises RefusedError with a plain sentence for anything that ``encode`` did not make."""
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
    return ButtonValue(found[1], int(found[2]), found[3] or "")


def used(action: Mapping[str, Any]) -> ButtonValue:
    """What a person used, from the payload's action: a button, an option of a menu, or a person chosen in one.

    Raises RefusedError as ``decode`` does.
    """
    if action.get("type") in ("overflow", "static_select"):
        option = action.get("selected_option")
        return decode(option.get("value") if isinstance(option, Mapping) else None)
    if action.get("type") == "users_select":
        return replace(decode(action.get("block_id")), choice=str(action.get("selected_user") or ""))
    return decode(action.get("value"))
