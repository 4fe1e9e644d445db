"""The state machines against the printed rules, move by move: what is not written there is refused in words."""

from __future__ import annotations

import pytest

from core.domain import account, campaign, delivery, enrollment
from core.domain.account import MailboxEvent, MailboxStatus
from core.domain.campaign import CampaignEvent, CampaignStatus
from core.domain.delivery import DeliveryEvent, DeliveryState
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.errors import RefusedError

COLUMNS = ("Active", "Pending", "Paused", "Replied", "Complete", "Bounced", "Spam", "Not Delivered")

# The rules' matrix of events and statuses; the cell names the status afterwards, "-" is refused.
MATRIX = """
pause         Paused   Paused   -        -        -        -        -        Paused
unpause       -        -        Active   Active   -        -        -        -
skip          Active   Active   Paused   -        -        -        Active   Active
retry         -        Active   -        -        -        Active   Active   Active
retry_bypass  -        Active   -        -        -        -        -        Active
finish        Complete Complete Complete Complete -        Complete Complete Complete
remove        Complete Complete Complete Complete Complete Complete Complete Complete
reply         Replied  Replied  Replied  Replied  Complete Replied  Replied  Replied
hard_bounce   Bounced  Bounced  Bounced  Replied  Bounced  Bounced  Bounced  Bounced
spam_block    Spam     Spam     Spam     Replied  Spam     Spam     Spam     Spam
not_delivered Failed   Failed   Failed   Replied  Failed   Failed   Failed   Failed
wait          Pending  Pending  -        -        -        -        -        -
release       Active   Active   -        -        -        -        -        -
completed     Complete Complete Complete -        -        -        -        -
opted_out     Complete Complete Complete Complete Complete Complete Complete Complete
they_called   Paused   Paused   Paused   -        -        -        -        Paused
they_texted   Paused   Paused   Paused   -        -        -        -        Paused
they_booked   Paused   Paused   Paused   -        -        -        -        Paused
undo_finish   -        -        -        -        Active   -        -        -
late_reply    -        -        -        -        Replied  -        -        -
"""


def moves() -> list[tuple[ProspectEvent, ProspectStatus, ProspectStatus | None]]:
    found = []
    for line in MATRIX.split("\n")[1:-1]:
        event, *cells = line.split()
        for before, after in zip(COLUMNS, cells, strict=True):
            name = "Not Delivered" if after == "Failed" else after
            found.append((ProspectEvent(event), ProspectStatus(before), None if after == "-" else ProspectStatus(name)))
    return found


@pytest.mark.parametrize(("event", "before", "after"), moves())
def test_a_prospect_moves_as_the_matrix_says(
    event: ProspectEvent, before: ProspectStatus, after: ProspectStatus | None
) -> None:
    """Every cell of the printed matrix: legal with this outcome, or refused with a sentence."""
    if after is not None:
        assert enrollment.transition(before, event) is after
        assert before in enrollment.may_follow(event)
        return
    assert before not in enrollment.may_follow(event)
    with pytest.raises(RefusedError) as refused:
        enrollment.transition(before, event)
    assert refused.value.message.endswith(".")
    assert refused.value.reason == f"prospect_{before.name.lower()}"


def test_the_matrix_has_a_row_for_every_event() -> None:
    """An event added to the code without its row here is noticed."""
    assert {event for event, _, _ in moves()} == set(ProspectEvent)
    assert len(moves()) == len(ProspectEvent) * len(ProspectStatus)


S, E = DeliveryState, DeliveryEvent
DELIVERY_MOVES = {
    (E.CLAIM, S.QUEUED): S.SENDING,
    (E.ACCEPTED, S.SENDING): S.SENT,
    (E.ACCEPTED, S.UNKNOWN): S.SENT,
    (E.REFUSED, S.QUEUED): S.FAILED,
    (E.REFUSED, S.SENDING): S.FAILED,
    (E.BOUNCED, S.SENT): S.FAILED,
    (E.PUT_BACK, S.SENDING): S.QUEUED,
    (E.LOST, S.SENDING): S.UNKNOWN,
    (E.FOUND, S.SENDING): S.SENT,
    (E.FOUND, S.UNKNOWN): S.SENT,
    (E.FOUND, S.HELD): S.SENT,
    (E.FOUND, S.QUEUED): S.SENT,
    (E.RESEND, S.UNKNOWN): S.QUEUED,
    (E.RESEND, S.HELD): S.QUEUED,
    (E.HOLD, S.UNKNOWN): S.HELD,
    (E.CANCEL, S.QUEUED): S.CANCELLED,
    (E.CANCEL, S.UNKNOWN): S.CANCELLED,
    (E.CANCEL, S.HELD): S.CANCELLED,
    (E.SKIP, S.QUEUED): S.SKIPPED,
    (E.SKIP, S.UNKNOWN): S.SKIPPED,
    (E.SKIP, S.HELD): S.SKIPPED,
    (E.SKIP, S.FAILED): S.SKIPPED,
    (E.RESTORE, S.CANCELLED): S.QUEUED,
    (E.DONE, S.QUEUED): S.SENT,
}


@pytest.mark.parametrize("event", DeliveryEvent)
@pytest.mark.parametrize("state", DeliveryState)
def test_a_delivery_moves_only_as_listed(event: DeliveryEvent, state: DeliveryState) -> None:
    """What is sent stays sent (but for a bounce), what is on the wire is not cancelled, nothing sends twice."""
    after = DELIVERY_MOVES.get((event, state))
    if after is not None:
        assert delivery.transition(state, event) is after
        assert state in delivery.may_follow(event)
        return
    with pytest.raises(RefusedError) as refused:
        delivery.transition(state, event)
    assert refused.value.reason == f"delivery_{state.value}"


def test_cancelling_says_why_it_cannot_be_done() -> None:
    """R165 and R218: out is out, on its way is on its way."""
    with pytest.raises(RefusedError, match="cannot be recalled"):
        delivery.transition(DeliveryState.SENT, DeliveryEvent.CANCEL)
    with pytest.raises(RefusedError, match="being sent right now"):
        delivery.transition(DeliveryState.SENDING, DeliveryEvent.CANCEL)


def test_every_delivery_state_has_its_word() -> None:
    """Shown as the Email Log shows it; open are exactly those whose outcome is open."""
    assert {state.value: shown for state, shown in delivery.SHOWN.items()} == {
        "queued": "Waiting",
        "sending": "Sending",
        "sent": "Sent",
        "unknown": "Uncertain",
        "held": "Uncertain",
        "failed": "Not Delivered",
        "cancelled": "Not Delivered",
        "skipped": "Skipped",
    }
    assert {state.value for state in delivery.OPEN_STATES} == {"queued", "sending", "unknown", "held"}


def test_a_call_is_done_and_not_sent() -> None:
    """R149, R150: in a person's words; one that held nobody up was only posted."""
    assert delivery.shown(DeliveryState.SENT, "call", "U0RITA") == "Done"
    assert delivery.shown(DeliveryState.SENT, "task", delivery.POSTED) == "Posted"
    assert delivery.shown(DeliveryState.SENT, "sms", "server") == "Sent"
    assert delivery.shown(DeliveryState.QUEUED, "call") == "Waiting"


def test_the_message_id_follows_from_stage_and_series_alone() -> None:
    """The same in every try of one series, another for every other stage, series and prospect."""
    first = delivery.message_id_for("e1", 1, 1, "agency.test")
    assert first == delivery.message_id_for("e1", 1, 1, "agency.test")
    others = {
        delivery.message_id_for(*key, "agency.test")
        for key in (("e1", 1, 2), ("e1", 2, 1), ("e2", 1, 1), ("e1", 11, 1))
    }
    assert len(others | {first}) == 5
    assert first.endswith("@agency.test")


@pytest.mark.parametrize("event", CampaignEvent)
@pytest.mark.parametrize("status", CampaignStatus)
def test_a_campaign_moves_only_as_the_rules_say(event: CampaignEvent, status: CampaignStatus) -> None:
    """draft to active; active and paused there and back; both to stopped, which is final; all but active archived."""
    legal = {
        ("start", "draft"): "active",
        ("start", "paused"): "active",
        ("pause", "active"): "paused",
        ("stop", "active"): "stopped",
        ("stop", "paused"): "stopped",
        ("archive", "draft"): "archived",
        ("archive", "paused"): "archived",
        ("archive", "stopped"): "archived",
    }
    after = legal.get((event.value, status.value))
    if after is not None:
        assert campaign.transition(status, event) is CampaignStatus(after)
    else:
        with pytest.raises(RefusedError, match=f"is {status.value}"):
            campaign.transition(status, event)


@pytest.mark.parametrize("status", MailboxStatus)
def test_a_mailbox_turns_green_only_by_a_finished_pass(status: MailboxStatus) -> None:
    """No promise, login or click gives a green light; red stays until everything was read."""
    for event in MailboxEvent:
        try:
            after = account.transition(status, event)
        except RefusedError as refused:
            assert refused.message.endswith(".")  # noqa: PT017 - every refusal must be a sentence
            continue
        if after is MailboxStatus.ACTIVE and status is not MailboxStatus.ACTIVE:
            assert event in (MailboxEvent.CAUGHT_UP, MailboxEvent.RESYNC, MailboxEvent.LOGGED_IN)
            assert event is MailboxEvent.CAUGHT_UP


@pytest.mark.parametrize("status", [MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE])
def test_resync_and_login_keep_the_red_light(status: MailboxStatus) -> None:
    """Nobody is told "fine" on a promise."""
    for event in (MailboxEvent.RESYNC, MailboxEvent.LOGGED_IN):
        assert account.LIGHTS[account.transition(status, event)] == "red"


@pytest.mark.parametrize("status", [MailboxStatus.PAUSED, MailboxStatus.DISCONNECTED, MailboxStatus.PENDING])
def test_what_is_switched_off_is_not_synced(status: MailboxStatus) -> None:
    """Paused, disconnected and seatless mailboxes refuse sync's events and say what to do first."""
    assert status not in account.SYNCED_STATUSES
    for event in (MailboxEvent.CAUGHT_UP, MailboxEvent.BROKE, MailboxEvent.RESYNC):
        with pytest.raises(RefusedError):
            account.transition(status, event)


def test_lights_are_as_the_contract_says() -> None:
    """Active green; error and connection issue red; all others grey."""
    lights = {status.value: account.LIGHTS[status] for status in MailboxStatus}
    assert {name for name, light in lights.items() if light == "green"} == {"active"}
    assert {name for name, light in lights.items() if light == "red"} == {"error", "connection_issue"}
    assert set(lights.values()) == {"green", "red", "grey"}
