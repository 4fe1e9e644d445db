"""Spacing and concurrency per mailbox, on values alone."""

from __future__ import annotations

from datetime import timedelta

from core.domain.throttle import AT_ONCE, Slots
from core.domain.workspace_settings import WorkspaceSettings
from tests.stores import NOW, make_mailbox

SPACED = WorkspaceSettings({"spacing_min_s": 60, "spacing_max_s": 120})
UNSPACED = WorkspaceSettings({"spacing_min_s": 0, "spacing_max_s": 0})
MAILBOX = make_mailbox()


def test_with_a_spacing_one_mail_goes_and_the_mailbox_rests_within_the_bounds() -> None:
    """R131: 60 to 120 seconds by default, drawn for each."""
    for random, rest in ((0.0, 60), (0.5, 90), (1.0, 120)):
        slots = Slots(SPACED, NOW, random, {})
        assert slots.free(MAILBOX)
        slots.take(MAILBOX)
        assert not slots.free(MAILBOX)
        assert slots.taken == {MAILBOX.id: NOW + timedelta(seconds=rest)}


def test_without_a_spacing_its_connections_are_kept_busy_and_no_more() -> None:
    slots = Slots(UNSPACED, NOW, 0.5, {MAILBOX.id: AT_ONCE - 2})
    slots.take(MAILBOX)
    assert slots.free(MAILBOX)
    slots.take(MAILBOX)
    assert not slots.free(MAILBOX)


def test_a_slow_server_does_not_stack_up_spaced_mails() -> None:
    assert not Slots(SPACED, NOW, 0.5, {MAILBOX.id: AT_ONCE}).free(MAILBOX)


def test_without_a_mailbox_the_gates_decide() -> None:
    assert Slots(SPACED, NOW, 0.5, {}).free(None)
