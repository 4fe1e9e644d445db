"""Names of buttons and what they carry. Pure.

A button's value holds the id of the thing it acts on and the version of the facts that the person saw, so that a
click on an old card cannot undo what somebody did since. Whatever comes back from Slack is checked here before any
service sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.errors import RefusedError

RESYNC: Final = "sync.resync"
RECONNECT: Final = "sync.reconnect"
RESYNC_HERE: Final = "mailbox.resync"
"""Where no card changes by itself: whoever presses hears that it was done."""

RETRY: Final = "stage.retry"
SKIP: Final = "stage.skip"
FINISH: Final = "stage.finish"
WAS_SENT: Final = "uncertain.was_sent"
SEND_AGAIN: Final = "uncertain.send_again"
DROP: Final = "uncertain.drop"
CONNECT: Final = "mailbox.connect"
DISCONNECT: Final = "mailbox.disconnect"
START: Final = "campaign.start"
OPEN_LINK: Final = "link.open"
"""A link button still tells us that it was pressed, and wants an answer."""

ALL: Final = (
    RESYNC,
    RECONNECT,
    RESYNC_HERE,
    RETRY,
    SKIP,
    FINISH,
    WAS_SENT,
    SEND_AGAIN,
    DROP,
    CONNECT,
    DISCONNECT,
    START,
    OPEN_LINK,
)

STALE: Final = "This button is from an older message and does nothing any more."
STALE_FIX: Final = "Type /mailbox status or /outreach status to see how things stand now."

_FORMAT: Final = "1"
_VALUE: Final = re.compile(r"1:([A-Za-z0-9_-]{1,64}):(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ButtonValue:
    """What a button acts on, and the version of it that its card showed."""

    id: str
    version: int


def encode(identifier: str, version: int = 0) -> str:
    """The text of a button's value, at most 76 characters. Raises ValueError where the id could not come back."""
    value = f"{_FORMAT}:{identifier}:{version}"
    if not _VALUE.fullmatch(value):
        raise ValueError("this id or version cannot be carried by a button")
    return value


def decode(value: object) -> ButtonValue:
    """The other way round. Raises RefusedError with a plain sentence for anything that ``encode`` did not make."""
    found = _VALUE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
    return ButtonValue(found[1], int(found[2]))
