"""One prospect, the failed stage's card, the Email Log, blocks, stops and what is left, on the real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.slack import action_ids
from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.slack_app import SlackFace
from core.clock import SystemClock
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus
from sandbox.slack import Message, SlackSandbox
from storage.sql_store import SqlStore
from tests.fakes.services import TEAM, FirstTimes
from tests.integration.slack.conftest import access
from tests.integration.slack.prospect_rig import NAME, ProspectRig, prospect_rig, said, words
from tests.integration.slack.real_engine import RITA
from tests.unit.bot.facts import STAGE

P = ProspectStatus
ONE = "person1@candidates.example"


@pytest.fixture
async def rig(sqlite_store: SqlStore, slack: SlackSandbox) -> ProspectRig:
    return await prospect_rig(sqlite_store, slack)


@pytest.fixture
async def face(rig: ProspectRig, slack: SlackSandbox) -> AsyncIterator[SlackFace]:
    made = SlackFace(access(slack), rig.services, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    await made.start()
    await slack.wait_connected()
    yield made
    await made.stop()


async def replaced(rig: ProspectRig, message: Message, *parts: str) -> str:
    """The same answer, once it says this."""

    def look() -> str | None:
        found = next((one for one in rig.slack.ephemerals("U0RITA") if one.ts == message.ts), None)
        text = said(found) if found else ""
        return text if all(part in text for part in parts) else None

    return await rig.slack.wait_for(look)


async def stage_card(rig: ProspectRig, face: SlackFace, number: int = 1) -> Message:
    """The card of a failed stage, as the engine posts it."""
    one = await rig.prospect(number)
    async with rig.store.read(TEAM) as uow:
        attempt = await uow.deliveries.latest_of(one.id, one.stage)
    assert attempt is not None
    facts: dict[str, Any] = STAGE | {
        "delivery_id": attempt.id,
        "version": one.version,
        "status": one.status.value,
        "person": f"P{number}",
    }
    ref = await face.notifier.post(
        TEAM, destination="C0ALERTS", kind="stage_failed", facts=facts, key=f"stage:{number}"
    )
    return next(message for message in rig.slack.messages(ref.channel) if message.ts == ref.ts)


# /outreach person


async def test_buttons_depend_on_the_status(rig: ProspectRig, face: SlackFace) -> None:
    """R133: what could only be refused is not offered."""
    await rig.launch([P.ACTIVE, P.BOUNCED])
    active = said(await rig.told(f"person {ONE}"))
    assert ids.PERSON_PAUSE in active
    assert ids.PERSON_RETRY not in active
    bounced = said(await rig.told("person person2@candidates.example"))
    assert ids.PERSON_RETRY in bounced
    assert ids.PERSON_SKIP not in bounced


async def test_paused_and_unpaused_in_place(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE])
    card = await rig.told(f"person {ONE}")
    await rig.presses(card, ids.PERSON_PAUSE)
    await replaced(rig, card, "Paused: nothing goes")
    assert await rig.statuses(1) == ["Paused"]
    await rig.presses(card, ids.PERSON_UNPAUSE)
    await replaced(rig, card, "Unpaused:")
    assert await rig.statuses(1) == ["Active"]


async def test_a_click_on_an_old_card_is_told_who_was_faster(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE])
    card = await rig.told(f"person {ONE}")
    await rig.put(1, P.REPLIED)
    await rig.presses(card, ids.PERSON_PAUSE)
    answer = await rig.slack.wait_ephemeral("U0RITA", lambda one: "out of date" in said(one))
    assert answer is not None
    assert await rig.statuses(1) == ["Replied"]


async def test_finish_is_undone_until_it_is_final(rig: ProspectRig, face: SlackFace) -> None:
    """X8."""
    await rig.launch([P.ACTIVE])
    card = await rig.told(f"person {ONE}")
    await rig.presses(card, ids.PERSON_FINISH)
    await replaced(rig, card, "can be undone until <!date^")
    await rig.presses(card, ids.PERSON_UNDO)
    await replaced(rig, card, "Undone:")
    assert await rig.statuses(1) == ["Active"]


async def test_they_called_pauses_and_the_history_tells(rig: ProspectRig, face: SlackFace) -> None:
    """R97, X7, X9."""
    await rig.launch([P.ACTIVE])
    card = await rig.told(f"person {ONE}")
    one = await rig.prospect(1)
    await rig.presses(card, ids.PERSON_MORE, value=encode(one.id, one.version, "they_called"))
    await replaced(rig, card, "Noted that they called", "They called.")
    one = await rig.prospect(1)
    await rig.presses(card, ids.PERSON_MORE, value=encode(one.id, one.version, "history"))
    shown = words(await rig.window("History"))
    assert "They called by <@U0RITA>: Active → Paused" in shown


async def test_removed_is_gone_with_its_progress(rig: ProspectRig, face: SlackFace) -> None:
    """R134: asked first, then said."""
    await rig.launch([P.ACTIVE])
    card = await rig.told(f"person {ONE}")
    assert "their progress in it is lost for good" in said(card)
    await rig.presses(card, ids.PERSON_REMOVE)
    await replaced(rig, card, "Removed from the campaign")
    async with rig.store.read(TEAM) as uow:
        person = await uow.people.by_address(ONE)
        assert person is not None
        assert await uow.enrollments.of_person(person.id) == []


async def test_a_retry_that_will_hardly_help_is_asked_about(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.BOUNCED])
    card = await rig.told(f"person {ONE}")
    await rig.presses(card, ids.PERSON_RETRY)
    await replaced(rig, card, "it is still the one to write to", "Retry all the same")
    assert await rig.statuses(1) == ["Bounced"]
    await rig.presses(card, ids.PERSON_RETRY_ANYWAY)
    await replaced(rig, card, "The stage is tried again.")
    assert await rig.statuses(1) == ["Active"]


async def test_from_the_list_a_prospect_opens_and_leads_back(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE, P.ACTIVE])
    view, one = await rig.opens_list(), await rig.prospect(2)
    await rig.clicks(view, ids.PERSON_OPEN, encode(one.id, one.version))
    view = await rig.window("person2@candidates.example (personal)")
    await rig.clicks(view, ids.PERSON_PAUSE)
    view = await rig.window("Paused: nothing goes")
    await rig.clicks(view, ids.LIST_BACK)
    await rig.window("1 to 2 of 2", "*Paused*")


# The failed stage's card


async def test_a_bounced_address_is_replaced_and_the_stage_retried(
    rig: ProspectRig, face: SlackFace, slack: SlackSandbox
) -> None:
    """R139: one window from the card to the retry."""
    await rig.launch([P.BOUNCED])
    card = await stage_card(rig, face)
    await rig.presses(card, action_ids.FIX_ADDRESS)
    form = await rig.window("New address")
    refused = await slack.submit_view("U0RITA", form.id, {"address": "nonsense"})
    assert refused["errors"] == {"address": "Type one e-mail address, such as name@company.example."}
    await slack.submit_view("U0RITA", form.id, {"address": "new@candidates.example"})
    shown = words(await rig.window("The address is on the profile. The stage is tried again."))
    assert "new@candidates.example (personal)" in shown
    assert "person1@" not in shown
    person = (await rig.engine.uses.people.show(RITA, "new@candidates.example")).person
    assert [one.address for one in person.addresses] == ["new@candidates.example"]


async def test_the_card_asks_before_a_retry_that_will_hardly_help(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.SPAM])
    card = await stage_card(rig, face)
    await rig.presses(card, action_ids.RETRY)
    warning = await rig.slack.wait_ephemeral("U0RITA", lambda one: "taken for spam again" in said(one))
    await rig.presses(warning, action_ids.RETRY_ANYWAY)
    await replaced(rig, warning, "The stage is tried again.")
    assert await rig.statuses(1) == ["Active"]


async def test_finish_on_the_card_answers_with_undo(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.NOT_DELIVERED])
    card = await stage_card(rig, face)
    await rig.presses(card, action_ids.FINISH)
    answer = await rig.slack.wait_ephemeral("U0RITA", lambda one: "can be undone until" in said(one))
    await rig.presses(answer, ids.PERSON_UNDO)
    await replaced(rig, answer, "Undone:")
    assert await rig.statuses(1) == ["Not Delivered"]


# The Email Log


async def test_the_log_cancels_what_waits_and_retries_past_validation(rig: ProspectRig, face: SlackFace) -> None:
    """R163..R166, R218, R143."""
    await rig.launch([P.ACTIVE])
    assert await rig.slack.command("U0RITA", "C0ALERTS", "/outreach", f'log "{NAME}"') == {"ok": True}
    view = await rig.window("*Waiting*", "answer from your own mailbox", "it cannot be recalled")
    await rig.clicks(view, ids.LOG_CANCEL)
    view = await rig.window("Cancelled in time", "Canceled: this send was cancelled")
    assert await rig.statuses(1) == ["Not Delivered"]
    await rig.clicks(view, ids.LOG_RETRY)
    await rig.window("Tried again, whatever the check of the address says.")
    assert await rig.statuses(1) == ["Active"]


async def test_a_cancel_that_comes_too_late_says_so(rig: ProspectRig, face: SlackFace) -> None:
    """R218's other outcome; Sent has no button (R165)."""
    await rig.launch([P.ACTIVE])
    assert await rig.slack.command("U0RITA", "C0ALERTS", "/outreach", "log") == {"ok": True}
    view = await rig.window("*Waiting*", "All campaigns")
    one = await rig.prospect(1)
    async with rig.store.write(TEAM) as uow:
        attempt = await uow.deliveries.open_of(one.id)
        assert attempt is not None
        assert await uow.deliveries.save(replace(attempt, state=DeliveryState.SENT))
    await rig.clicks(view, ids.LOG_CANCEL)
    shown = words(await rig.window("Not cancelled:", "*Sent*"))
    assert ids.LOG_CANCEL not in shown
    assert ids.LOG_RETRY not in shown


async def test_the_log_is_narrowed_by_status(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE, P.NOT_DELIVERED])
    assert await rig.slack.command("U0RITA", "C0ALERTS", "/outreach", "log") == {"ok": True}
    view = await rig.window("*Waiting*", "*Not Delivered*")
    assert "&lt;b&gt;here&lt;/b&gt;" in words(view)
    await rig.clicks(view, ids.LOG_STATUS, encode("status", 0, "waiting"))
    # The window showed both before: only the narrowed one shows the first alone.
    narrowed = await rig.slack.wait_view("U0RITA", lambda view: "person2@" not in words(view))
    assert "person1@" in words(narrowed)


# Blocks, stops, limits, signature


async def test_an_address_is_blocked_by_command_and_listed(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE])
    assert "1 prospect in running campaigns stopped" in said(await rig.told(f"block {ONE}"))
    listed = said(await rig.told("block"))
    assert f"*{ONE}*" in listed
    assert ids.BLOCK_REMOVE not in listed
    assert await rig.statuses(1) == ["Complete"]


async def test_a_list_is_blocked_in_a_window_and_only_an_admin_takes_off(
    rig: ProspectRig, face: SlackFace, slack: SlackSandbox
) -> None:
    card = await rig.told("block")
    await rig.presses(card, ids.BLOCK_ADD)
    form = await rig.window("Addresses and @domains")
    await slack.submit_view("U0RITA", form.id, {"lines": "kim@candidates.example, asked\n@rival.example\nnonsense"})
    shown = words(await rig.window("2 entries added"))
    assert "Line 3" in shown
    assert "admin" in said(await rig.told("block remove @rival.example"))
    assert "is off the do-not-contact list" in said(await rig.told("block remove @rival.example", user="U0ADA"))


async def test_everything_is_stopped_and_let_go_on_by_admins(rig: ProspectRig, face: SlackFace) -> None:
    assert "admin" in said(await rig.told("stop everything")).lower()
    ask = await rig.told("stop everything", user="U0ADA")
    await rig.presses(ask, ids.STOP_EVERYTHING, user="U0ADA")
    await rig.slack.wait_ephemeral("U0ADA", lambda one: "Everything is stopped" in said(one))
    assert "has stopped everything" in said(await rig.told("left"))
    again = await rig.told("resume everything", user="U0ADA")
    await rig.presses(again, ids.RESUME_EVERYTHING, user="U0ADA")
    await rig.slack.wait_ephemeral("U0ADA", lambda one: "Everything goes on" in said(one))


async def test_away_and_back(rig: ProspectRig, face: SlackFace) -> None:
    away = await rig.told("away 3 days")
    assert "the follow-ups from your mailboxes wait until <!date^" in said(away)
    await rig.presses(away, ids.COME_BACK)
    await replaced(rig, away, "Welcome back")
    assert "is no day that I understand" in said(await rig.told("away someday"))


async def test_what_is_left_names_the_limit_of_each_mailbox(rig: ProspectRig, face: SlackFace) -> None:
    shown = said(await rig.told("left"))
    assert "5,000 mails left: 0 of 5,000 used" in shown
    assert "rita@agency.test" in shown
    assert "omar@agency.test" not in shown


async def test_a_signature_is_typed_saved_and_shown(rig: ProspectRig, face: SlackFace, slack: SlackSandbox) -> None:
    assert await slack.command("U0RITA", "C0ALERTS", "/mailbox", "signature") == {"ok": True}
    form = await rig.window("Signature as text")
    values = {"text": "Rita Reed\nAgency", "aliases": "rita.reed@agency.test"}
    await slack.submit_view("U0RITA", form.id, values)
    shown = words(await rig.window("the signature is saved, as text only"))
    assert "Rita Reed" in shown
    assert "rita.reed@agency.test" in shown
