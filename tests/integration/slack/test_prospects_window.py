"""/outreach status of a campaign and its Prospects window, on the real engine (R102..R115, R140..R146, R159)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.slack_app import SlackFace
from core.clock import SystemClock
from core.domain.enrollment import ProspectStatus
from sandbox.slack import SlackSandbox
from storage.sql_store import SqlStore
from tests.fakes.services import FirstTimes
from tests.integration.slack.conftest import access
from tests.integration.slack.prospect_rig import NAME, ProspectRig, prospect_rig, said, words
from tests.integration.slack.real_engine import FILE, RITA

P = ProspectStatus
MIXED = [P.NOT_DELIVERED, P.NOT_DELIVERED, P.ACTIVE, P.PENDING, P.BOUNCED]


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


async def test_status_says_who_is_where_and_why_some_failed(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch(MIXED)
    card = said(await rig.told(f'status "{NAME}"'))
    assert "The campaign is running: what is due goes" in card
    assert ":red_circle: *Not Delivered*: 2" in card
    assert "3 people need attention" in card
    assert "Email Not Synced" in card
    assert "Prospects (5)" in card
    assert "Failed (3)" in card


async def test_a_paused_campaign_says_that_nothing_goes(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE])
    await rig.engine.uses.campaigns.pause(RITA, NAME)
    assert "nothing goes until it is started again" in said(await rig.told(f'status "{NAME}"'))


async def test_the_window_shows_reason_next_send_and_a_red_mark(rig: ProspectRig, face: SlackFace) -> None:
    """R114, R115, R151, R152: the reason on the row, the next send as a time and as a distance."""
    await rig.launch(MIXED)
    shown = words(await rig.opens_list())
    assert ":red_circle: *Bounced* · stage 1 of 3 failed" in shown
    assert "The sending mailbox has sent what it may in 24 hours." in shown
    assert "next send <!date^" in shown
    assert "1 to 5 of 5" in shown


async def test_pages_and_statuses_are_asked_for_a_page_at_a_time(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE] * 12 + [P.PENDING])
    view = await rig.opens_list("1 to 10 of 13")
    await rig.clicks(view, ids.LIST_NEXT)
    view = await rig.window("11 to 13 of 13")
    await rig.clicks(view, ids.LIST_STATUS, encode("status", 0, "PENDING"))
    shown = words(await rig.window("1 to 1 of 1"))
    assert "P13" in shown
    assert "All statuses (13)" in shown


async def test_a_filter_keeps_reason_text_and_order(rig: ProspectRig, face: SlackFace, slack: SlackSandbox) -> None:
    await rig.launch(MIXED)
    await rig.clicks(await rig.opens_list(), ids.LIST_FILTER)
    form = await rig.window("Name or address holds", "Email Not Synced")
    values = {"reason": "email_not_synced", "sort": "name", "reverse": ["1"]}
    await slack.submit_view("U0RITA", form.id, values)
    shown = words(await rig.window("1 to 2 of 2"))
    assert "reason: Email Not Synced" in shown
    assert shown.index("person2@") < shown.index("person1@")


async def test_those_ticked_are_retried_and_the_number_is_asked_first(
    rig: ProspectRig, face: SlackFace, slack: SlackSandbox
) -> None:
    await rig.launch(MIXED)
    view = await rig.opens_list()
    await rig.ticks(view, 1, 3)
    await rig.clicks(view, ids.BULK_RETRY)
    ask = await rig.window("Retry the stage of 2 prospects of")
    await slack.submit_view("U0RITA", ask.id)
    shown = words(await rig.window("1 prospect tried again"))
    assert "person3@candidates.example: Nothing has failed" in shown
    assert await rig.statuses(5) == ["Active", "Not Delivered", "Active", "Pending", "Bounced"]


async def test_all_that_match_are_retried_in_one_step(rig: ProspectRig, face: SlackFace, slack: SlackSandbox) -> None:
    """R141, R217: with the filter that stands, and without what bounced unchanged until that is confirmed."""
    await rig.launch(MIXED)
    view = await rig.opens_list()
    await rig.clicks(view, ids.LIST_STATUS, encode("status", 0, "FAILED"))
    view = await rig.window("Select all 3 that match")
    await rig.chooses_all(view)
    await rig.clicks(view, ids.BULK_RETRY)
    await slack.submit_view("U0RITA", (await rig.window("Retry the stage of 3 prospects")).id)
    shown = words(await rig.window("2 prospects tried again"))
    assert "person5@candidates.example bounced, and it is still the one to write to" in shown
    await rig.clicks(await rig.window("Back to the prospects"), ids.LIST_BACK)
    view = await rig.window("Select all 1 that match")
    await rig.chooses_all(view)
    await rig.clicks(view, ids.BULK_RETRY)
    ask = await rig.window("Retry the stage of 1 prospect")
    await slack.submit_view("U0RITA", ask.id, {"confirmed": ["yes"]})
    await rig.window("1 prospect tried again")
    assert await rig.statuses(5) == ["Active", "Active", "Active", "Pending", "Active"]


async def test_nobody_ticked_is_said(rig: ProspectRig, face: SlackFace) -> None:
    await rig.launch([P.ACTIVE])
    await rig.clicks(await rig.opens_list(), ids.BULK_FINISH)
    await rig.window("Select somebody first")


async def test_whoever_changed_since_the_tick_is_left_alone(
    rig: ProspectRig, face: SlackFace, slack: SlackSandbox
) -> None:
    await rig.launch([P.ACTIVE, P.ACTIVE])
    view = await rig.opens_list()
    await rig.ticks(view, 1, 2)
    await rig.clicks(view, ids.BULK_FINISH)
    ask = await rig.window("Mark finished: 2 prospects")
    await rig.put(2, P.REPLIED)
    await slack.submit_view("U0RITA", ask.id)
    shown = words(await rig.window("1 prospect marked finished"))
    assert "has changed since you ticked it" in shown
    assert await rig.statuses(2) == ["Complete", "Replied"]


async def test_the_selection_is_exported_as_a_file(rig: ProspectRig, face: SlackFace, slack: SlackSandbox) -> None:
    await rig.launch(MIXED)
    view = await rig.opens_list()
    await rig.chooses_all(view)
    await rig.clicks(view, ids.BULK_EXPORT)
    await slack.submit_view("U0RITA", (await rig.window("Export 5 prospects")).id)
    await rig.window("5 prospects exported")
    message = await slack.wait_message(slack.direct_message("U0RITA"), lambda one: bool(one.files))
    kept = slack.files.get(message.files[0]["id"])
    assert kept is not None
    assert b"person5@candidates.example,Bounced" in (kept.content or b"")


async def test_people_are_moved_to_another_campaign(rig: ProspectRig, face: SlackFace, slack: SlackSandbox) -> None:
    """R146: there from the first stage, here finished."""
    await rig.launch([P.ACTIVE, P.ACTIVE])
    other = await rig.engine.campaign(FILE.replace(NAME, "Winter"))
    view = await rig.opens_list()
    await rig.ticks(view, 2)
    await rig.clicks(view, ids.BULK_MORE, encode("bulk", 0, "move"))
    ask = await rig.window("Move 1 prospect")
    await slack.submit_view("U0RITA", ask.id, {"to": other})
    await rig.window("1 prospect moved", "They are in Winter now.")
    assert await rig.statuses(2) == ["Active", "Complete"]


async def test_a_name_that_looks_like_markup_stays_words(rig: ProspectRig, face: SlackFace) -> None:
    await rig.engine.uses.people.import_csv(
        RITA, b"first_name,last_name,personal_email\n<!channel>,*_&,evil@candidates.example\n"
    )
    await rig.launch([P.ACTIVE])
    await rig.engine.uses.campaigns.enroll(RITA, NAME, ["evil@candidates.example"])
    shown = words(await rig.opens_list())
    assert "*<!channel>" not in shown
    assert "*&lt;!channel&gt;" in shown
