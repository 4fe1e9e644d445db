"""Old mail of an address that was added to a profile: how much is looked at, in what order, what is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

MOST_MAILS: Final = 2_000
"""The newest mails of one address that are looked at in one mailbox."""

LOG_CAUSE: Final = "old_mail"
"""What a line of a mailbox's log bears in the cause's place, where it notes what became of a search."""

_MOST_IN_RUN: Final = 200
_WIDEST_GAP: Final = 8


def shares(found: Sequence[int], most: int = MOST_MAILS) -> list[int]:
    """How many of each folder's finds are looked at, ``most`` in all: equal parts, and what one folder does not need
    goes to the others."""
    taken, left = [0] * len(found), most
    in_order = sorted(range(len(found)), key=lambda index: found[index])
    for done, index in enumerate(in_order):
        taken[index] = min(found[index], left // (len(found) - done))
        left -= taken[index]
    return taken


def runs(uids: Iterable[int]) -> Iterator[list[int]]:
    """UIDs in runs that one question each can ask for, newest first, ascending within a run: reading a few messages
    too many costs less than asking again."""
    run: list[int] = []
    for uid in sorted(uids, reverse=True):
        if run and (run[0] - uid > _WIDEST_GAP or run[-1] - uid >= _MOST_IN_RUN):
            yield run
            run = []
        run.insert(0, uid)
    if run:
        yield run


def told(address: str, there: int, looked_at: int, logged: int) -> str:
    """What became of the search, in words."""
    if not there:
        return f"No old mail of {address} was found."
    if there == 1 and looked_at:
        stands = "stands" if logged else "does not stand"
        return f"1 old mail of {address} was found and looked at; it {stands} on a profile."
    which = "all were looked at" if looked_at >= there else f"the newest {looked_at:,} were looked at"
    stand = "stands" if logged == 1 else "stand"
    return f"{there:,} old mails of {address} were found, {which}, {logged:,} {stand} on a profile."


def answer_words(*, looks_back: bool, mailboxes: int) -> str:
    """What a person who added an address is told about its old mail (R80, R94)."""
    if not looks_back:
        return "Mail of this address is matched from now on; old mail is not looked through."
    if not mailboxes:
        return "Mail of this address is matched from now on; there is no mailbox to look for old mail in."
    where = "one mailbox" if mailboxes == 1 else f"{mailboxes:,} mailboxes"
    return f"Old mail of this address is being looked for in {where}, the newest {MOST_MAILS:,} in each."
