"""Calls and tasks: who waits for whom, what the card says, who hears of it again (R97, R98, R137, R149, R150, X7)."""

from __future__ import annotations

import pytest

from core.domain.delivery import shown
from core.domain.enrollment import ProspectEvent
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import Suppression
from tests.services.rig import ADA, CAMPAIGN, OMAR, RITA, Rig, answer, email_of

CALL = f"""\
name: {CAMPAIGN}
from: rita@agency.test
owner: U0RITA
channel: C0REPLIES
stages:
  - subject: "{{{{first_name}}}}, a role"
    body: Hi
  - kind: call
    delay: 1h
    note: Ask about the notice period
    required: true
  - delay: 1h
    body: Last try
"""
TASK = CALL.replace("kind: call", "kind: task").replace("    required: true\n", "")
PEOPLE = f"first_name,personal_email,phone,company\nP1,{email_of(1)},+46701740605,Northwind\n".encode()


async def at_the_stage(rig: Rig, file: str = CALL) -> None:
    """One person, to whom the first mail has gone; the call is due."""
    await rig.open()
    await rig.people.import_csv(RITA, PEOPLE)
    await rig.campaigns.import_file(RITA, file)
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    await rig.campaigns.start(RITA, CAMPAIGN)
    await rig.send_due()
    rig.clock.pass_time(hours=1)


async def at_the_card(rig: Rig, file: str = CALL) -> str:
    """The card stands there; the id that its buttons carry."""
    await at_the_stage(rig, file)
    assert await rig.send_due() == 0
    return str((await rig.card("task:")).facts["delivery_id"])


async def state_of(rig: Rig) -> tuple[str, str | None]:
    facts = (await rig.card("task:")).facts
    return str(facts["state"]), facts["actor"]


async def test_a_due_call_is_asked_for_on_a_card(rig: Rig) -> None:
    """In the campaign's channel: whom, at which number, what is known of them, why, and since when."""
    await at_the_card(rig)
    card = await rig.card("task:")
    assert (card.kind, card.destination) == ("task", "C0REPLIES")
    told = {key: card.facts[key] for key in ("person", "phone", "kind", "note", "stage", "stages", "required", "state")}
    assert told == {
        "person": "P1",
        "phone": "+46701740605",
        "kind": "call",
        "note": "Ask about the notice period",
        "stage": 2,
        "stages": 3,
        "required": True,
        "state": "open",
    }
    assert ["company", "Northwind"] in card.facts["profile"]


async def test_a_required_call_blocks_what_follows(rig: Rig) -> None:
    """R150: however long it takes."""
    await at_the_card(rig)
    assert await rig.shows() == "Pending 2 manual_stage"
    rig.clock.pass_time(days=30)
    await rig.read_mail()
    assert await rig.send_due() == 0
    assert await rig.states() == ["1.1 sent", "2.1 queued"]


async def test_done_sends_the_campaign_on_from_now(rig: Rig) -> None:
    """The next delay counts from when it was done; it shows as done, by whom."""
    delivery_id = await at_the_card(rig)
    rig.clock.pass_time(days=2)
    await rig.tasks.done(RITA, delivery_id)
    assert await rig.shows() == "Active 3"
    _, call, last = await rig.deliveries()
    assert shown(call.state, call.kind, call.settled_by) == "Done"
    assert (call.settled_by, call.sent_at) == ("U0RITA", rig.clock.now())
    assert last.due_at is not None
    assert (last.due_at - rig.clock.now()).total_seconds() == 3_600
    assert await state_of(rig) == ("done", "U0RITA")
    assert await rig.follow_up() == 1


async def test_an_old_button_says_who_was_faster(rig: Rig) -> None:
    """The second press changes nothing."""
    delivery_id = await at_the_card(rig)
    await rig.tasks.done(ADA, delivery_id)
    for press in (rig.tasks.done, rig.tasks.skip):
        with pytest.raises(RefusedError, match="done already by <@U0ADA>"):
            await press(RITA, delivery_id)
    assert await rig.states() == ["1.1 sent", "2.1 sent", "3.1 queued"]


async def test_skip_goes_on_without_it(rig: Rig) -> None:
    """R137: the card says who skipped it."""
    delivery_id = await at_the_card(rig)
    await rig.tasks.skip(RITA, delivery_id)
    assert await rig.states() == ["1.1 sent", "2.1 skipped", "3.1 queued"]
    assert await state_of(rig) == ("skipped", "U0RITA")
    with pytest.raises(RefusedError, match="skipped already"):
        await rig.tasks.done(RITA, delivery_id)


async def test_a_task_that_is_not_required_holds_nobody_up(rig: Rig) -> None:
    """R150: the campaign goes on at once; that it was done is noted."""
    delivery_id = await at_the_card(rig, TASK)
    assert await rig.states() == ["1.1 sent", "2.1 sent", "3.1 queued"]
    task = (await rig.deliveries())[1]
    assert shown(task.state, task.kind, task.settled_by) == "Posted"
    await rig.tasks.done(RITA, delivery_id)
    assert (await rig.events())[-1] == "done"
    assert await state_of(rig) == ("done", "U0RITA")
    assert await rig.shows() == "Active 3"
    task = (await rig.deliveries())[1]
    assert shown(task.state, task.kind, task.settled_by) == "Done"
    with pytest.raises(RefusedError, match="done already by <@U0RITA>"):
        await rig.tasks.done(RITA, delivery_id)


@pytest.mark.parametrize("how", ["called", "texted", "booked"])
async def test_an_answer_that_no_mailbox_sees_pauses(rig: Rig, how: str) -> None:
    """R97, R98, X7: with that badge; unpaused, the card asks again."""
    delivery_id = await at_the_card(rig)
    await rig.tasks.they(RITA, how, delivery_id)
    assert await rig.shows() == f"Paused 2 they_{how}"
    assert await state_of(rig) == ("heard", "U0RITA")
    with pytest.raises(RefusedError, match="no longer needed"):
        await rig.tasks.done(RITA, delivery_id)
    await rig.act(ProspectEvent.UNPAUSE)
    await rig.send_due()
    assert await rig.shows() == "Pending 2 manual_stage"
    assert await state_of(rig) == ("open", None)
    await rig.tasks.done(RITA, delivery_id)
    assert await rig.shows() == "Active 3"


async def test_an_answer_of_no_known_kind_is_refused(rig: Rig) -> None:
    delivery_id = await at_the_card(rig)
    with pytest.raises(InputError):
        await rig.tasks.they(RITA, "whistled", delivery_id)


async def test_a_card_comes_only_inside_the_send_window(rig: Rig) -> None:
    """As mails do: nobody is asked to call at night."""
    window = 'window: {days: [mon, tue, wed, thu, fri], start: "09:00", end: "10:00"}\n'
    await at_the_stage(rig, window + CALL.replace("delay: 1h\n    note", "delay: 0s\n    note"))
    found = rig.clock.now()
    for _ in range(24 * 4):
        await rig.send_due()
        if await rig.cards("task:"):
            break
        rig.clock.pass_time(hours=1)
        await rig.read_mail()
    opened = rig.clock.now()
    assert opened > found
    assert opened.hour == 9
    assert opened.weekday() < 5


async def test_an_open_call_is_told_again_and_then_daily(rig: Rig) -> None:
    """First after the workspace's time; each time a message of its own; never once it is done."""
    delivery_id = await at_the_card(rig)
    await rig.settings.seed("T1", {"task_reminder_s": 7_200})
    assert await rig.manual.remind_due("T1") == 0
    rig.clock.pass_time(days=1)
    assert await rig.manual.remind_due("T1") == 1
    assert await rig.manual.remind_due("T1") == 0
    rig.clock.pass_time(hours=23)
    assert await rig.manual.remind_due("T1") == 0
    rig.clock.pass_time(hours=1)
    assert await rig.manual.remind_due("T1") == 1
    told = [card for card in await rig.cards("task:") if card.kind == "task_reminder"]
    assert sorted(card.facts["reminders"] for card in told) == [1, 2]
    await rig.tasks.done(RITA, delivery_id)
    rig.clock.pass_time(days=3)
    assert await rig.manual.remind_due("T1") == 0


@pytest.mark.parametrize(
    ("event", "state"),
    [(ProspectEvent.PAUSE, "paused"), (ProspectEvent.FINISH, "closed"), (ProspectEvent.REMOVE, "removed")],
)
async def test_what_a_person_ends_closes_the_card(rig: Rig, event: ProspectEvent, state: str) -> None:
    delivery_id = await at_the_card(rig)
    await rig.act(event)
    assert await state_of(rig) == (state, "U0RITA")
    with pytest.raises((RefusedError, NotFoundError)):
        await rig.tasks.done(RITA, delivery_id)
    rig.clock.pass_time(days=5)
    assert await rig.manual.remind_due("T1") == 0


async def test_a_reply_closes_the_card(rig: Rig) -> None:
    """No longer needed: nobody calls somebody who has just answered."""
    delivery_id = await at_the_card(rig)
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.read_mail()
    assert await rig.manual.close_over("T1") == 1
    assert await rig.manual.close_over("T1") == 0
    assert await state_of(rig) == ("closed", None)
    with pytest.raises(RefusedError, match="no longer needed: the prospect is Replied"):
        await rig.tasks.done(RITA, delivery_id)


async def test_the_end_of_the_campaign_closes_the_card(rig: Rig) -> None:
    await at_the_card(rig)
    await rig.campaigns.stop(RITA, CAMPAIGN)
    assert await rig.manual.close_over("T1") == 1
    assert await state_of(rig) == ("closed", None)


async def test_a_finish_that_is_undone_asks_again(rig: Rig) -> None:
    """X8: the card is open once more."""
    delivery_id = await at_the_card(rig)
    await rig.act(ProspectEvent.FINISH)
    await rig.manual.close_over("T1")
    await rig.act(ProspectEvent.UNDO_FINISH)
    await rig.send_due()
    assert await state_of(rig) == ("open", None)
    await rig.tasks.done(RITA, delivery_id)
    assert await rig.shows() == "Active 3"


async def test_only_those_whose_campaign_it_is_may_press(rig: Rig) -> None:
    delivery_id = await at_the_card(rig)
    with pytest.raises(NotAllowedError):
        await rig.tasks.done(OMAR, delivery_id)
    assert await state_of(rig) == ("open", None)


async def test_a_card_of_somebody_who_was_removed_does_nothing(rig: Rig) -> None:
    with pytest.raises(NotFoundError):
        await rig.tasks.done(RITA, "nobody")


async def test_nobody_is_asked_to_call_those_who_want_to_be_left_alone(rig: Rig) -> None:
    await at_the_stage(rig)
    async with rig.store.write("T1") as uow:
        key = (await rig.person()).addresses[0].key
        await uow.suppressions.put_many([Suppression(key, "unsubscribed", "recipient", rig.clock.now())])
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 2 suppressed"
    assert await rig.cards("task:") == []


async def test_the_history_is_told_on_demand(rig: Rig) -> None:
    """X9: oldest first."""
    delivery_id = await at_the_card(rig)
    lines = await rig.tasks.history(RITA, delivery_id)
    assert [line.event for line in lines] == ["release", "wait"]


async def test_a_campaign_may_begin_with_a_call(rig: Rig) -> None:
    """Without any mail before it, and before a sender is needed."""
    first = f"name: {CAMPAIGN}\nfrom: rita@agency.test\nowner: U0RITA\nstages:\n  - kind: call\n    required: true\n"
    await rig.open()
    await rig.people.import_csv(RITA, PEOPLE)
    await rig.campaigns.import_file(RITA, first)
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.send_due() == 0
    card = await rig.card("task:")
    assert card.destination == "user:U0RITA"
    await rig.tasks.done(RITA, str(card.facts["delivery_id"]))
    assert await rig.shows() == "Complete 1"
