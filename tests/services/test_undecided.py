"""Sends of unknown outcome: evidence settles them, absence only where it proves something, else a person."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.enrollment import ProspectEvent
from core.errors import OutcomeUnknownError, RefusedError, UnreachableError
from tests.services.rig import CAMPAIGN, FILE, RITA, Rig, answer, message_id, report

LOST = OutcomeUnknownError("connection closed after the last byte", layer="smtp")


async def lose(rig: Rig, *, taken: bool, **settings: Any) -> None:
    """One mail whose fate nobody knows; the server has it, or not."""
    await rig.open(**settings)
    await rig.launch()
    rig.provider.outcomes, rig.provider.takes_lost = [LOST], taken
    await rig.send_due()
    assert await rig.states() == ["1.1 unknown"]


async def look(rig: Rig, times: int = 1, minutes: float = 20) -> None:
    for _ in range(times):
        rig.clock.pass_time(minutes=minutes)
        await rig.undecided.settle_due("T1")


async def accept_one(rig: Rig) -> None:
    """A mail that the server acknowledged: what lies in Sent now proves its filing."""
    await rig.launch(2, file=FILE)
    assert await rig.send_due() >= 1


async def test_found_in_sent_means_sent(rig: Rig) -> None:
    """The copy is proof: the next stage is queued, nothing is sent twice."""
    await lose(rig, taken=True)
    await look(rig)
    assert await rig.states() == ["1.1 sent", "2.1 queued"]
    assert await rig.shows() == "Active 2"
    assert len(rig.provider.accepted) == 1


async def test_a_look_before_its_time_is_not_taken(rig: Rig) -> None:
    """Servers file with a delay: the first look is after a minute."""
    await lose(rig, taken=True)
    rig.clock.pass_time(seconds=59)
    assert await rig.undecided.settle_due("T1") == 0
    rig.clock.pass_time(seconds=1)
    assert await rig.undecided.settle_due("T1") == 1


async def test_absent_beside_a_control_mail_is_sent_again_once_under_the_same_id(rig: Rig) -> None:
    """The server files what it takes, three looks found nothing: it has not gone out."""
    await rig.open()
    await accept_one(rig)
    rig.provider.outcomes, rig.provider.takes_lost = [LOST], False
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    (one, *_) = await rig.claim(limit=1)
    await rig.outreach.deliver(one)
    await look(rig, 2)
    assert len(rig.provider.accepted) == 2
    async with rig.store.read("T1") as uow:
        delivery = await uow.deliveries.get(one.delivery.id)
    assert delivery is not None
    assert (delivery.state.value, delivery.checks) == ("unknown", 2)
    await look(rig)
    await rig.read_mail()
    assert await rig.send_due() >= 1
    sent = [message_id(raw) for raw in rig.provider.accepted]
    assert sent.count(f"<{delivery.message_id}>") == 1
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("files_sent", [True, False])
async def test_absent_without_control_is_held_with_its_card(rig: Rig, files_sent: bool) -> None:
    """Absence proves nothing where nothing shows that this server files: a person decides."""
    rig.provider.files_sent = files_sent
    await lose(rig, taken=not files_sent)
    await look(rig, 9)
    assert await rig.states() == ["1.1 unknown"]
    await look(rig)
    assert await rig.states() == ["1.1 held"]
    assert await rig.shows() == "Pending 1 delivery_unknown"
    card = await rig.card("uncertain:")
    assert (card.facts["state"], card.kind, card.destination) == ("held", "uncertain", "C0REPLIES")
    assert len(rig.provider.accepted) == (0 if files_sent else 1)


async def test_a_sent_folder_that_cannot_be_read_is_held_after_patience(rig: Rig) -> None:
    """The host is away: ten looks, then the card says that Sent could not be read."""
    await lose(rig, taken=True)
    rig.provider.trouble = UnreachableError("no route to host", layer="socket", host="mail.agency.test")
    await look(rig, 10)
    assert await rig.states() == ["1.1 held"]
    assert "could not be read" in (await rig.card("uncertain:")).facts["evidence"]


async def test_a_mailbox_without_sent_folder_is_held(rig: Rig) -> None:
    """There is nowhere to look."""
    await lose(rig, taken=True)
    del rig.provider.folders["Sent"]
    await look(rig, 10)
    assert await rig.states() == ["1.1 held"]


async def test_a_disconnected_mailbox_does_not_stop_the_settling(rig: Rig) -> None:
    """Its credentials are gone, so nothing can be read: patience, then the card."""
    await lose(rig, taken=True)
    mailbox = await rig.mailboxes.find(RITA, "rita@agency.test")
    await rig.mailboxes.disconnect(RITA, mailbox.id)
    await look(rig, 10)
    assert await rig.states() == ["1.1 held"]


@pytest.mark.parametrize(
    ("policy", "states", "copies"), [("assume_sent", ["1.1 sent", "2.1 queued"], 0), ("resend", ["1.1 queued"], 1)]
)
async def test_policies(rig: Rig, policy: str, states: list[str], copies: int) -> None:
    """A workspace may decide beforehand; a resend keeps its Message-ID and passes the gates."""
    await lose(rig, taken=False, undecided_policy=policy)
    await look(rig, 10)
    assert await rig.states() == states
    await rig.read_mail()
    first = (await rig.deliveries())[0].message_id
    await rig.send_due()
    assert [message_id(raw) for raw in rig.provider.accepted].count(f"<{first}>") == copies


async def test_resending_by_policy_ends(rig: Rig) -> None:
    """Three times; then a person looks at it."""
    await lose(rig, taken=False, undecided_policy="resend")
    for _ in range(4):
        await look(rig, 10)
        rig.provider.outcomes = [LOST]
        await rig.read_mail()
        await rig.send_due()
    assert await rig.states() == ["1.1 held"]


async def test_the_copy_that_turns_up_late_stops_the_second_send(rig: Rig) -> None:
    """Believed absent and queued again: the copy in Sent comes just in time."""
    await lose(rig, taken=False, undecided_policy="resend")
    (one,) = await rig.deliveries()
    async with rig.store.read("T1") as uow:
        raw = await uow.deliveries.raw(one.id)
    assert raw is not None
    await look(rig, 10)
    assert await rig.states() == ["1.1 queued"]
    rig.provider.take(raw)
    await rig.read_mail()
    assert await rig.states() == ["1.1 sent", "2.1 queued"]
    assert [one.delivery.stage for one in await rig.claim()] == [2]


async def test_an_answer_settles_what_was_unknown(rig: Rig) -> None:
    """Who answers has received."""
    await lose(rig, taken=True)
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    rig.provider.folders["Sent"].messages.clear()
    await rig.read_mail()
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert await rig.shows() == "Replied 2"


async def test_a_bounce_settles_what_was_unknown(rig: Rig) -> None:
    """What came back had gone out."""
    await lose(rig, taken=True)
    rig.provider.arrive(report(rig.provider.accepted[0]))
    rig.provider.folders["Sent"].messages.clear()
    await rig.read_mail()
    assert await rig.states() == ["1.1 failed", "2.1 cancelled"]
    assert await rig.shows() == "Bounced 1 invalid_recipient"


async def held(rig: Rig) -> tuple[str, int]:
    """A held delivery, with the version on its card."""
    rig.provider.files_sent = False
    await lose(rig, taken=False)
    await look(rig, 10)
    card = await rig.card("uncertain:")
    return str(card.facts["delivery_id"]), int(card.facts["version"])


@pytest.mark.parametrize(
    ("decision", "states", "shows", "card"),
    [
        ("sent", ["1.1 sent", "2.1 queued"], "Active 2", "sent"),
        ("resend", ["1.1 queued"], "Active 1", "resent"),
        ("drop", ["1.1 cancelled"], "Not Delivered 1 canceled", "dropped"),
    ],
)
async def test_a_person_decides_once(rig: Rig, decision: str, states: list[str], shows: str, card: str) -> None:
    """The card shows who did; a second press hears that it is settled."""
    delivery_id, version = await held(rig)
    await rig.prospects.settle(RITA, decision, delivery_id, version)
    assert await rig.states() == states
    assert await rig.shows() == shows
    facts = (await rig.card("uncertain:")).facts
    assert (facts["state"], facts["actor"]) == (card, "U0RITA")
    for again in ("sent", "resend", "drop"):
        with pytest.raises(RefusedError, match="already"):
            await rig.prospects.settle(RITA, again, delivery_id, version)
    assert await rig.states() == states


async def test_a_mail_is_not_sent_again_to_somebody_who_has_answered(rig: Rig) -> None:
    """A reply to an earlier stage came: "Send again" is refused with the reason, "It was sent" still settles."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    rig.provider.outcomes, rig.provider.takes_lost, rig.provider.files_sent = [LOST], False, False
    rig.provider.folders["Sent"].messages.clear()
    await rig.send_due()
    await look(rig, 10)
    card = await rig.card("uncertain:")
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    delivery_id, version = str(card.facts["delivery_id"]), int(card.facts["version"])
    with pytest.raises(RefusedError, match="Replied"):
        await rig.prospects.settle(RITA, "resend", delivery_id, version)
    await rig.prospects.settle(RITA, "drop", delivery_id, version)
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert await rig.shows() == "Replied 2"


async def test_a_reply_cancels_what_policy_would_send_again(rig: Rig) -> None:
    """Absent on evidence, but the person has answered an earlier stage: it need not go any more."""
    await rig.open(undecided_policy="resend")
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    rig.provider.outcomes, rig.provider.takes_lost = [LOST], False
    await rig.send_due()
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    await look(rig, 12)
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]


async def test_a_paused_prospects_resend_waits_for_unpause(rig: Rig) -> None:
    """It keeps its Message-ID and goes when the person is unpaused."""
    await lose(rig, taken=False, undecided_policy="resend")
    await rig.act(ProspectEvent.PAUSE)
    await look(rig, 10)
    (delivery,) = await rig.deliveries()
    assert (delivery.state.value, delivery.waiting_for) == ("queued", "paused")
    await rig.read_mail()
    assert await rig.claim() == []
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.send_due() == 1
    assert message_id(rig.provider.accepted[0]) == f"<{delivery.message_id}>"


async def test_unpausing_over_an_undecided_mail_shows_what_it_waits_for(rig: Rig) -> None:
    """Not Active: nothing goes until that is settled."""
    await lose(rig, taken=True)
    await rig.act(ProspectEvent.PAUSE)
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.shows() == "Pending 1 delivery_unknown"


async def test_skipping_a_held_mail_closes_its_card(rig: Rig) -> None:
    """The question is answered; its buttons are gone."""
    delivery_id, version = await held(rig)
    await rig.act(ProspectEvent.SKIP)
    assert (await rig.card("uncertain:")).facts["state"] == "dropped"
    with pytest.raises(RefusedError, match="already"):
        await rig.prospects.settle(RITA, "resend", delivery_id, version)
    assert await rig.states() == ["1.1 skipped", "2.1 queued"]


async def test_what_may_be_out_cannot_be_cancelled_or_retried(rig: Rig) -> None:
    """R218: cancelled, or refused because it is on its way; and no second try beside an open one."""
    await lose(rig, taken=True)
    (delivery,) = await rig.deliveries()
    with pytest.raises(RefusedError, match="may have gone out"):
        await rig.campaigns.cancel_delivery(RITA, delivery.id)
    with pytest.raises(RefusedError, match="not settled"):
        await rig.act(ProspectEvent.RETRY)
    await rig.campaigns.stop(RITA, CAMPAIGN)
    assert await rig.states() == ["1.1 unknown"]
