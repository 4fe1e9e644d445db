"""What one pass over a folder has to read (sync.md of the design: state per folder, pass). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class FolderState:
    """What we know of a folder. ``uidnext`` is the first UID not read yet (1 before the first pass).

    ``read_through_at`` is when the folder was last read to its end; the freshness gate lives on it.
    ``history_below``: old mail with a UID below this is still to be read, newest first (None: all is read), about
    ``history_left`` messages of it. ``parked_until``: the folder failed ``error_count`` times and rests until then.
    """

    id: str
    mailbox_id: str
    name: str
    role: str
    uidvalidity: int | None = None
    uidnext: int = 1
    highestmodseq: int | None = None
    exists: int = 0
    read_through_at: datetime | None = None
    resets: int = 0
    error_count: int = 0
    parked_until: datetime | None = None
    history_below: int | None = None
    history_left: int = 0


class Reading(StrEnum):
    """Why a range is read."""

    NOTHING = "nothing"
    FIRST = "first"  # never read before
    NEW = "new"  # mail arrived since
    DOUBTED = "doubted"  # the server's numbers contradict ours: is the last message that we read still there?
    RENUMBERED = "renumbered"  # UIDVALIDITY changed: read all again, log nothing twice


@dataclass(frozen=True, slots=True)
class Plan:
    """Read UIDs from ``first_uid`` to the end, under ``uidvalidity``."""

    reading: Reading
    first_uid: int
    uidvalidity: int


MOST_RESETS = 5
"""UIDVALIDITY changes in a row after which a folder is not believed any more."""

MOST_FAILURES = 3
"""Failures in a row after which a folder is parked, and the others go on."""

_LAST_UID = 2**32 - 1


def believed_uidnext(uidnext: int, exists: int) -> int:
    """UIDNEXT where it can be true, else 0 as if it had not been told: every message has a UID of its own below it, so
    it lies above their number, and below the end of all numbers (RFC 3501 2.3.1.1)."""
    return uidnext if exists < uidnext < _LAST_UID else 0


def plan(
    state: FolderState, *, uidvalidity: int, uidnext: int, exists: int = 0, highestmodseq: int | None = None
) -> Plan:
    """Compares what we know with what SELECT or STATUS says; ``exists`` is how many messages there are.

    A server may say UIDVALIDITY 0, or a UIDNEXT that stands still or falls: a folder that grew or fell behind ours is
    looked into from the last message read, because a second reading is harmless and a skipped message is a lost
    reply. One that tells no UIDNEXT is asked for what follows the checkpoint, unless its mod-sequence says that
    nothing has changed.
    """
    if state.uidvalidity is None:
        return Plan(Reading.FIRST, 1, uidvalidity)
    if state.uidvalidity != uidvalidity:
        return Plan(Reading.RENUMBERED, 1, uidvalidity)
    told, grown = believed_uidnext(uidnext, exists), exists > state.exists
    if told > state.uidnext:
        return Plan(Reading.NEW, state.uidnext, uidvalidity)
    if grown or 0 < told < state.uidnext:
        return Plan(Reading.DOUBTED, max(state.uidnext - 1, 1), uidvalidity)
    unchanged = told or (highestmodseq is not None and highestmodseq == state.highestmodseq)
    return Plan(Reading.NOTHING if unchanged else Reading.NEW, state.uidnext, uidvalidity)


def is_renumbered(state: FolderState, *, exists: int, highest: int) -> bool:
    """Whether a doubted folder bears other numbers than ours: from the last message read on, the highest UID found is
    ``highest`` (0: none), or none is new although there are more messages."""
    return highest == 0 or (exists > state.exists and highest < state.uidnext)


def reads_history(reading: Reading) -> bool:
    """Whether all that lies in the folder is old mail, to be read newest first behind what arrives from now on."""
    return reading in (Reading.FIRST, Reading.RENUMBERED)


def has_history(state: FolderState) -> bool:
    return state.history_below is not None
