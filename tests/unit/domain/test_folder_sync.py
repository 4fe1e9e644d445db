"""What a pass reads, by what we know of a folder and what the server says of it."""

from __future__ import annotations

import pytest

from core.domain.folder_sync import FolderState, Plan, Reading, believed_uidnext, is_renumbered, plan

LAST = 2**32 - 1


def folder(uidvalidity: int | None = 7, uidnext: int = 10, exists: int = 3, modseq: int | None = None) -> FolderState:
    return FolderState(
        "f1", "mb1", "INBOX", "inbox", uidvalidity=uidvalidity, uidnext=uidnext, exists=exists, highestmodseq=modseq
    )


@pytest.mark.parametrize(
    ("known", "told", "planned"),
    [
        ((None, 1, 0), (7, 1, 0), Plan(Reading.FIRST, 1, 7)),
        ((None, 1, 0), (7, 10, 3), Plan(Reading.FIRST, 1, 7)),
        ((7, 10, 3), (7, 10, 3), Plan(Reading.NOTHING, 10, 7)),
        ((7, 10, 3), (7, 12, 5), Plan(Reading.NEW, 10, 7)),
        ((7, 1, 0), (7, 12, 5), Plan(Reading.NEW, 1, 7)),
        ((7, 10, 3), (8, 12, 5), Plan(Reading.RENUMBERED, 1, 8)),
        ((7, 10, 3), (8, 10, 3), Plan(Reading.RENUMBERED, 1, 8)),
        ((0, 5, 3), (0, 5, 3), Plan(Reading.NOTHING, 5, 0)),
    ],
)
def test_what_a_pass_reads(known: tuple[int | None, int, int], told: tuple[int, int, int], planned: Plan) -> None:
    """New numbers, new mail or nothing; a skipped message would be a lost reply."""
    assert plan(folder(*known), uidvalidity=told[0], uidnext=told[1], exists=told[2]) == planned


@pytest.mark.parametrize(
    ("uidnext", "exists", "why"),
    [
        (10, 4, "a message came and UIDNEXT stands still"),
        (2, 4, "UIDNEXT is below the number of messages, and there are more of them"),
        (LAST, 4, "UIDNEXT is stuck at the end of all numbers"),
        (0, 4, "UIDNEXT is not told"),
        (5, 3, "UIDNEXT fell below what was read"),
    ],
)
def test_numbers_that_contradict_ours_are_looked_into(uidnext: int, exists: int, why: str) -> None:
    """From the last message read on: whether it is still there tells whose numbers hold."""
    assert plan(folder(), uidvalidity=7, uidnext=uidnext, exists=exists) == Plan(Reading.DOUBTED, 9, 7), why


def test_a_folder_that_was_emptied_and_filled_is_looked_into_from_its_first_number() -> None:
    """There is no UID 0."""
    assert plan(folder(uidnext=1, exists=0), uidvalidity=7, uidnext=1, exists=1).first_uid == 1


@pytest.mark.parametrize("uidnext", [0, 2, 3, LAST])
def test_a_server_that_tells_no_uidnext_is_asked_for_what_is_new(uidnext: int) -> None:
    """What cannot be true counts as not told: reading on from the checkpoint costs one empty answer."""
    assert plan(folder(), uidvalidity=7, uidnext=uidnext, exists=3) == Plan(Reading.NEW, 10, 7)


def test_without_uidnext_a_mod_sequence_that_stands_still_says_that_nothing_changed() -> None:
    """But never against the number of messages."""
    known = folder(modseq=99)
    assert plan(known, uidvalidity=7, uidnext=0, exists=3, highestmodseq=99).reading is Reading.NOTHING
    assert plan(known, uidvalidity=7, uidnext=0, exists=3, highestmodseq=100).reading is Reading.NEW
    assert plan(known, uidvalidity=7, uidnext=0, exists=4, highestmodseq=99).reading is Reading.DOUBTED


def test_deleted_mail_alone_is_nothing_to_read() -> None:
    assert plan(folder(), uidvalidity=7, uidnext=10, exists=1).reading is Reading.NOTHING


@pytest.mark.parametrize(
    ("uidnext", "exists", "believed"),
    [(4, 3, 4), (3, 3, 0), (1, 0, 1), (0, 0, 0), (LAST, 3, 0), (LAST - 1, 3, LAST - 1)],
)
def test_uidnext_is_believed_where_it_can_be_true(uidnext: int, exists: int, believed: int) -> None:
    """RFC 3501 2.3.1.1: every message has a UID of its own below it."""
    assert believed_uidnext(uidnext, exists) == believed


@pytest.mark.parametrize(
    ("exists", "highest", "renumbered"),
    [
        (3, 0, True),  # not even the last message that we read is there
        (3, 9, False),  # it is there, and nothing is new
        (4, 10, False),  # it is there, and the new one is found
        (4, 9, True),  # one more, but none with a number above ours
    ],
)
def test_a_doubted_folder_was_renumbered_where_our_numbers_do_not_hold(
    exists: int, highest: int, renumbered: bool
) -> None:
    assert is_renumbered(folder(), exists=exists, highest=highest) is renumbered
