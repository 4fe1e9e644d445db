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


def plan(state: FolderState, *, uidvalidity: int, uidnext: int, highestmodseq: int | None = None) -> Plan:
    """Compares what we know with what SELECT or STATUS says.

    A server may say UIDVALIDITY 0 or a UIDNEXT below ours (rebuilt index): both are read again from the start,
    because unique keys make a second reading harmless and a skipped message is a lost reply. One that tells no
    UIDNEXT (0) is asked for what follows the checkpoint, unless its mod-sequence says that nothing has changed.
    """
    if state.uidvalidity is None:
        return Plan(Reading.FIRST, 1, uidvalidity)
    if state.uidvalidity != uidvalidity:
        return Plan(Reading.RENUMBERED, 1, uidvalidity)
    if uidnext <= 0 and highestmodseq is not None and highestmodseq == state.highestmodseq:
        return Plan(Reading.NOTHING, state.uidnext, uidvalidity)
    if uidnext > state.uidnext or uidnext <= 0:
        return Plan(Reading.NEW if state.uidnext > 1 else Reading.FIRST, state.uidnext, uidvalidity)
    if 0 < uidnext < state.uidnext:
        return Plan(Reading.RENUMBERED, 1, uidvalidity)
    return Plan(Reading.NOTHING, state.uidnext, uidvalidity)


def reads_history(reading: Reading) -> bool:
    """Whether all that lies in the folder is old mail, to be read newest first behind what arrives from now on."""
    return reading in (Reading.FIRST, Reading.RENUMBERED)


def has_history(state: FolderState) -> bool:
    return state.history_below is not None
