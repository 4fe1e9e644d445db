"""A mailbox's life, whatever happens in whatever order: always a light, always a word, always a way on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import (
    BROKEN_STATUSES,
    LIGHTS,
    SEATED_STATUSES,
    SYNCED_STATUSES,
    TRANSITIONS,
    MailboxEvent,
    MailboxStatus,
    transition,
)
from core.errors import RefusedError
from tests.stores import make_mailbox

S, E = MailboxStatus, MailboxEvent
events = st.lists(st.sampled_from(list(MailboxEvent)), max_size=40)


def moved(status: MailboxStatus, event: MailboxEvent) -> MailboxStatus:
    """Where an event leads; one that is refused leaves all as it is, with a sentence and a reason."""
    try:
        return transition(status, event)
    except RefusedError as refused:
        assert refused.message.startswith("The mailbox ")  # noqa: PT017 - every refusal must be a sentence
        assert refused.message.endswith(".")  # noqa: PT017
        assert refused.reason == f"mailbox_{status.value}"  # noqa: PT017
        return status


@given(events)
def test_whatever_happens_there_is_a_light_and_a_word(happens: list[MailboxEvent]) -> None:
    status = S.CONNECTING
    for event in happens:
        status = moved(status, event)
        assert status in MailboxStatus
        assert make_mailbox(status=status).light == LIGHTS[status]
        assert LIGHTS[status] in ("green", "grey", "red")
        assert status.value.replace("_", "").isalpha()


@given(events)
def test_green_comes_of_reading_alone_and_red_goes_by_it_alone(happens: list[MailboxEvent]) -> None:
    """R8, R126: no login, click or promise turns a red light off, unless the mailbox is taken out of sync."""
    status = S.CONNECTING
    for event in happens:
        before, status = status, moved(status, event)
        if LIGHTS[status] == "green" and LIGHTS[before] != "green":
            assert event is E.CAUGHT_UP
        if LIGHTS[before] == "red" and LIGHTS[status] != "red":
            assert event in (E.CAUGHT_UP, E.CURRENT, E.HALF, E.NO_SEAT, E.PAUSE, E.DISCONNECT)


@given(events)
def test_what_was_disconnected_stays_so(happens: list[MailboxEvent]) -> None:
    """Only connecting again begins anew, and that is no event of this life (R52)."""
    status = S.DISCONNECTED
    for event in happens:
        status = moved(status, event)
    assert status is S.DISCONNECTED


@pytest.mark.parametrize("status", [status for status in S if status is not S.DISCONNECTED])
def test_every_state_but_the_last_can_be_left_and_green_be_reached(status: MailboxStatus) -> None:
    """Nobody is stuck for good."""
    reached, grown = {status}, True
    while grown:
        further = {moved(one, event) for one in reached for event in E}
        grown = not further <= reached
        reached |= further
    assert {S.ACTIVE, S.DISCONNECTED} <= reached


@pytest.mark.parametrize("status", S)
def test_every_state_can_be_reached(status: MailboxStatus) -> None:
    """None stands in the table for nothing."""
    assert status is S.CONNECTING or any(status in table.values() for table in TRANSITIONS.values())


def test_every_event_and_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(E)
    assert set(LIGHTS) == set(S)


@given(st.sampled_from(sorted(SYNCED_STATUSES)), st.sampled_from([E.CAUGHT_UP, E.CURRENT, E.BROKE, E.HALF, E.PAUSE]))
def test_a_mailbox_in_sync_takes_whatever_its_session_finds(status: MailboxStatus, event: MailboxEvent) -> None:
    """A session must never be stopped by the table."""
    assert transition(status, event) in MailboxStatus


def test_giving_up_follows_on_a_break() -> None:
    """R33: whatever was found, the break comes first."""
    for status in SYNCED_STATUSES:
        for event in (E.BROKE, E.HALF):
            assert transition(transition(status, event), E.GAVE_UP) is S.CONNECTION_ISSUE


def test_who_waits_and_who_was_given_up_holds_no_seat() -> None:
    """R33, R35, R214."""
    assert set(S) - SEATED_STATUSES == {S.CONNECTION_ISSUE, S.PENDING, S.PAUSED, S.DISCONNECTED}
    assert BROKEN_STATUSES <= SYNCED_STATUSES
