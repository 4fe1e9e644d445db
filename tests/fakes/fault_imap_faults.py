"""Faults as data, to be laid over any provider's profile.

A ``Fault`` says where in the conversation something happens, and what. Points are named after commands: ``SELECT`` is
the moment before that command is answered, ``SELECT:tagged`` the moment before its last line. Lies are numbers that the
server tells instead of the true ones; ``Wire`` says into which pieces the stream is cut.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

COMMANDS = ("CAPABILITY", "LOGIN", "ENABLE", "LIST", "STATUS", "SELECT", "SEARCH", "FETCH", "NOOP", "IDLE", "DONE")
# Every place at which a session can break, in the order in which a session comes by.
POINTS = (
    "GREETING",
    *COMMANDS[:8],
    "FETCH:line",
    "FETCH:literal",
    *(f"{command}:tagged" for command in COMMANDS[:9]),
    "NOOP",
    "IDLE",
    "IDLE:waiting",
    "DONE",
)


class Deed(StrEnum):
    """What happens at a point."""

    STALL = "stall"  # not a word more, until the client goes
    DROP = "drop"  # the connection is reset
    HANG_UP = "hang_up"  # the connection is closed in order, without a word
    BYE = "bye"  # "* BYE text", then closed
    SAY = "say"  # text comes in between, as it is
    ANSWER = "answer"  # text ends the command in place of the true answer
    HOLD = "hold"  # the answer comes when the server's ``release`` is set
    WRONG_TAG = "wrong_tag"  # the last line bears a tag that nobody sent


ENDINGS = (Deed.STALL, Deed.DROP, Deed.HANG_UP, Deed.BYE)


@dataclass(frozen=True)
class Fault:
    """One deed at the ``nth`` passing of a point, counted over all connections, and at ``times - 1`` later ones."""

    at: str
    do: Deed
    text: bytes = b""
    nth: int = 1
    times: int = 1

    def due(self, passing: int) -> bool:
        return self.nth <= passing < self.nth + self.times

    def __str__(self) -> str:
        return f"{self.do.value}@{self.at}#{self.nth}"


@dataclass(frozen=True)
class Lies:
    """Numbers that are told instead of the true ones; None tells the truth. ``uidnext=0`` leaves UIDNEXT out.

    ``exists_more`` is added to EXISTS and MESSAGES, which stay above 0 for a folder that holds mail; ``stranger`` is a
    UID that no message has, sent with each FETCH; ``vanished`` is a sequence set that is told as VANISHED (EARLIER) at
    each SELECT.
    """

    uidvalidity: int | None = None
    uidnext: int | None = None
    exists_more: int = 0
    highestmodseq: int | None = None
    stranger: int | None = None
    vanished: str = ""

    def exists(self, truly: int) -> int:
        return max(min(truly, 1), truly + self.exists_more)


@dataclass
class Wire:
    """How the stream is cut: ``most`` bytes at a time at random by ``seed``, 0 for not at all, 1 for byte by byte."""

    most: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def cut(self, data: bytes) -> list[bytes]:
        if not self.most or not data:
            return [data]
        pieces, start = [], 0
        while start < len(data):
            size = self._random.randint(1, self.most)
            pieces.append(data[start : start + size])
            start += size
        return pieces
