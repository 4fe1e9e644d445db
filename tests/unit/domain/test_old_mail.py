"""Old mail of an added address: how much, in what order, in what words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.old_mail import MOST_MAILS, answer_words, runs, shares, told


@pytest.mark.parametrize(
    ("found", "most", "expected"),
    [
        ([], 10, []),
        ([3, 4], 10, [3, 4]),
        ([30, 40], 10, [5, 5]),
        ([2, 40], 10, [2, 8]),
        ([40, 0, 3], 10, [7, 0, 3]),
        ([9_000, 1], MOST_MAILS, [1_999, 1]),
    ],
)
def test_what_one_folder_does_not_need_goes_to_the_others(found: list[int], most: int, expected: list[int]) -> None:
    assert shares(found, most) == expected


@given(st.lists(st.integers(0, 10_000), max_size=30), st.integers(0, 3_000))
def test_never_more_than_the_bound_nor_than_there_is(found: list[int], most: int) -> None:
    taken = shares(found, most)
    assert sum(taken) == min(sum(found), most)
    assert all(part <= there for part, there in zip(taken, found, strict=True))


def test_neighbours_are_read_together_and_the_newest_first() -> None:
    assert list(runs([1, 2, 5, 100, 104])) == [[100, 104], [1, 2, 5]]


@given(st.sets(st.integers(1, 5_000), max_size=300))
def test_each_message_is_asked_for_once(uids: set[int]) -> None:
    found = list(runs(uids))
    assert sorted(uid for run in found for uid in run) == sorted(uids)
    assert [run[-1] for run in found] == sorted((run[-1] for run in found), reverse=True)
    assert all(run == sorted(run) and run[-1] - run[0] < 210 for run in found)


def test_what_a_person_is_told() -> None:
    """The bound is said where it was reached."""
    assert told("a@b.example", 0, 0, 0) == "No old mail of a@b.example was found."
    assert told("a@b.example", 12, 12, 9) == (
        "12 old mails of a@b.example were found, all were looked at, 9 stand on a profile."
    )
    assert told("a@b.example", 12, 12, 1).endswith("all were looked at, 1 stands on a profile.")
    assert told("a@b.example", 1, 1, 1) == "1 old mail of a@b.example was found and looked at; it stands on a profile."
    assert told("a@b.example", 1, 1, 0).endswith("found and looked at; it does not stand on a profile.")
    assert "the newest 2,000 were looked at" in told("a@b.example", 5_312, 2_000, 14)
    assert "not looked through" in answer_words(looks_back=False, mailboxes=3)
    assert "in 3 mailboxes" in answer_words(looks_back=True, mailboxes=3)
    assert "in one mailbox" in answer_words(looks_back=True, mailboxes=1)
    assert "no mailbox" in answer_words(looks_back=True, mailboxes=0)
