"""A campaign is built, looked at, started and changed in windows, on the real engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.slack.slack_app import SlackFace
from core.clock import SystemClock
from core.domain.campaign import CampaignStatus
from sandbox.slack import Message, SlackSandbox
from sandbox.slack.model import View
from storage.sql_store import SqlStore
from tests.fakes.services import FirstTimes
from tests.integration.slack.conftest import access
from tests.integration.slack.real_engine import FILE, RITA, RealEngine, real_engine

NAME = "Backend engineers, autumn"
CHANNEL = "C0ALERTS"


@pytest.fixture
async def engine(sqlite_store: SqlStore) -> RealEngine:
    return await real_engine(sqlite_store)


@pytest.fixture
async def face(slack: SlackSandbox, engine: RealEngine) -> AsyncIterator[SlackFace]:
    made = SlackFace(access(slack), engine.services, FirstTimes(), SystemClock(), public_url="http://127.0.0.1:3000")
    await made.start()
    await slack.wait_connected()
    yield made
    await made.stop()


def words(view: View) -> str:
    return json.dumps(view.content, ensure_ascii=False)


def said(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)


async def window(slack: SlackSandbox, *parts: str, user: str = "U0RITA") -> View:
    """The window on top, once it holds these words."""
    try:
        return await slack.wait_view(user, lambda view: all(part in words(view) for part in parts))
    except TimeoutError:
        shown = [words(view) for view in slack.views(user)]
        raise AssertionError(f"no window with {parts}, but {shown}") from None


async def types(slack: SlackSandbox, text: str, user: str = "U0RITA") -> None:
    assert await slack.command(user, CHANNEL, "/outreach", text) == {"ok": True}


async def told(slack: SlackSandbox, text: str, user: str = "U0RITA") -> str:
    """Types a command and returns the answer that only this person sees."""
    before = len(slack.ephemerals(user))
    await types(slack, text, user)
    return said(await slack.wait_for(lambda: next(iter(slack.ephemerals(user)[before:]), None)))


async def chooses(slack: SlackSandbox, view: View, action_id: str, choice: str, user: str = "U0RITA") -> None:
    """An entry of a menu of the window, whose value ends like this."""
    for block in view.content["blocks"]:
        for element in [block.get("accessory") or {}, *(block.get("elements") or [])]:
            for option in element.get("options", ()) if element.get("action_id") == action_id else ():
                if option["value"].endswith(f":{choice}"):
                    used = {"block_id": block["block_id"], "action_id": action_id, "type": element["type"]}
                    container = {"type": "view", "view_id": view.id}
                    await slack.interactions.act(user, container, used | {"selected_option": option})
                    return
    raise AssertionError(f"no {choice} in {action_id}")


async def fills(slack: SlackSandbox, view: View, user: str = "U0RITA", **values: Any) -> dict[str, Any]:
    """What was typed and chosen by name; ``from_`` is the input called from."""
    named = {name.rstrip("_"): value for name, value in values.items()}
    answer: dict[str, Any] = await slack.submit_view(user, view.id, named)
    return answer


async def test_a_campaign_is_built_from_nothing_to_a_start(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R149, R151, R153: each step is saved; the time zone is the one of the Slack profile, and is said."""
    await engine.people(2)
    await types(slack, "new")
    first = await window(slack, "New campaign", "from your Slack profile")
    await fills(slack, first, name="Spring", subject="{{first_name}}, hello", body="Hi {{first_name}}, a role for you?")
    overview = await window(slack, "The draft is saved", "at once")
    await chooses(slack, overview, "campaign.stage_new", "email")
    await fills(slack, await window(slack, "New: Email"), amount="3", unit="bd", body="Did you see my note?")
    overview = await window(slack, "Stage 2 is added", "3 business days later")
    await slack.click_view("U0RITA", overview.id, "campaign.add")
    adding = await window(slack, "E-mail addresses")
    pasted = "P One <person1@candidates.example>,\nperson2@candidates.example ghost@candidates.example"
    await fills(slack, adding, emails=pasted)
    result = await window(slack, "2 people were added to Spring", "ghost@candidates.example: nobody here has this")
    await slack.click_view("U0RITA", result.id, "campaign.preflight")
    report = await window(slack, "Preflight: Spring", "Forecast", "0 will fail", "Start now")
    await slack.click_view("U0RITA", report.id, "campaign.start")
    await window(slack, "Spring is running")
    campaign = (await engine.uses.campaigns.status(RITA, "Spring")).campaign
    assert campaign.status is CampaignStatus.ACTIVE
    assert campaign.owner == "U0RITA"
    assert campaign.senders == ("rita@agency.test",)


async def test_what_is_wrong_is_said_under_the_field_and_nothing_is_lost(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    await engine.campaign()
    await types(slack, "new")
    first = await window(slack, "New campaign")
    answer = await fills(slack, first, name="Spring", subject="Hello", body="Hi {{first name here!}}")
    assert "is not a merge field" in answer["errors"]["body"]
    assert await fills(slack, first, name=NAME.upper(), subject="Hello", body="Hi") == {
        "ok": True,
        "response_action": "update",
    }
    again = await window(slack, "Not done", "There is a campaign")
    inputs = {block["block_id"]: block["element"] for block in again.content["blocks"] if block["type"] == "input"}
    assert inputs["name"]["initial_value"] == NAME.upper()
    assert inputs["body"]["initial_value"] == "Hi"
    await fills(slack, again, name="Spring")
    await window(slack, "The draft is saved")
    assert len(await engine.uses.campaigns.list(RITA)) == 2


async def test_a_stage_is_shown_as_its_first_person_would_get_it_and_when(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R151, R152, X4."""
    await engine.campaign(people=1)
    await types(slack, f'open "{NAME}"')
    overview = await window(slack, "2 days later", "1 business day later, required", "1 person stands here")
    await chooses(slack, overview, "campaign.stage_more", "preview_1")
    preview = await window(slack, "P1, a role for you?", "Would go", "Europe/London, the campaign's")
    await slack.click_view("U0RITA", preview.id, "campaign.open")
    await chooses(slack, await window(slack, "2 days later"), "campaign.stage_more", "preview_2")
    await window(slack, "2 days by the calendar after the stage before", "Re: P1, a role for you?")


async def test_a_stage_is_edited_and_one_where_people_stand_is_not_deleted_under_them(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R154."""
    await engine.campaign(people=2)
    await types(slack, f'open "{NAME}"')
    await chooses(slack, await window(slack, "2 days later"), "campaign.stage_more", "edit_2")
    await fills(slack, await window(slack, "Edit: Email"), amount="5", unit="h", subject="Again", body="A last word")
    overview = await window(slack, "Stage 2 is saved", "5 hours later")
    await chooses(slack, overview, "campaign.stage_more", "delete_1")
    deleting = await window(slack, "2 people stand at this stage")
    await fills(slack, deleting)
    refused = await window(slack, "Not done", "2 people are at stage 1")
    await fills(slack, refused, skip=["skip"])
    await window(slack, "Stage 1 is deleted")
    assert [stage.get("body") for stage in await engine.stages(NAME)] == ["A last word", None]


async def test_settings_are_changed_in_the_words_of_the_file(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R160."""
    campaign_id = await engine.campaign()
    await types(slack, f'open "{NAME}"')
    overview = await window(slack, "Mon to Fri, 09:00 to 17:00 (Europe/London)")
    await slack.click_view("U0RITA", overview.id, "campaign.settings")
    settings = await window(slack, "Settings", "Time zone")
    wrong = await fills(slack, settings, start="18:00")
    assert wrong["errors"] == {"end": "It has to be later than the beginning."}
    await fills(
        slack, settings, start="08:00", end="12:00", days=["mon", "wed"], holidays="GB", job_stage="Sourcing",
        shared=["shared"], tracking=["opens"], timezone="Europe/Berlin", email_priority="work",
    )  # fmt: skip
    await window(slack, "The settings are saved", "Mon, Wed, 08:00 to 12:00 (Europe/Berlin)", "not on holidays of GB")
    campaign = await engine.uses.overviews.campaign(RITA, campaign_id)
    assert (campaign.shared, campaign.job, campaign.job_stage) == (True, "Backend engineer", "Sourcing")
    assert campaign.email_priority == ("work",)
    assert campaign.definition["tracking"] == {"opens": True, "clicks": False, "downloads": False}


async def test_a_draft_in_whose_way_something_stands_is_not_started_silently(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """X4, R216: the card names what will fail; who wants it all the same says so twice."""
    await engine.campaign()
    await engine.uses.campaigns.enroll(RITA, NAME, await engine.people(2, "nowhere.example"))
    answer = await told(slack, f'start "{NAME}"')
    assert "It was not started" in answer
    assert "2 of 2 people have an address that cannot take mail" in answer
    card = slack.ephemerals("U0RITA")[-1]
    before = len(slack.ephemerals("U0RITA"))
    await slack.click("U0RITA", CHANNEL, card.ts, "campaign.start_anyway")
    done = await slack.wait_for(lambda: next(iter(slack.ephemerals("U0RITA")[before:]), None))
    assert "is running" in said(done)


async def test_somebody_elses_campaign_is_seen_but_not_changed(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    await engine.campaign()
    await types(slack, f'open "{NAME}"', "U0OMAR")
    overview = await window(slack, "2 days later", user="U0OMAR")
    await slack.click_view("U0OMAR", overview.id, "campaign.settings")
    await window(slack, "belongs to <@U0RITA>", user="U0OMAR")


async def test_the_list_is_filtered_sorted_and_paged(slack: SlackSandbox, face: SlackFace, engine: RealEngine) -> None:
    """R157, R158."""
    await engine.campaign()
    for number in range(12):
        await engine.campaign(FILE.replace(NAME, f"Copy {number:02}").replace("job: B", "job: Z"))
    answer = await told(slack, "list sort:name")
    assert "Next (1 of 2)" in answer
    assert "Copy 11" not in answer
    card = slack.ephemerals("U0RITA")[-1]
    await slack.click("U0RITA", CHANNEL, card.ts, "campaigns.show_next")
    await slack.wait_ephemeral("U0RITA", lambda one: one.ts == card.ts and "Copy 11" in said(one))
    await slack.click("U0RITA", CHANNEL, card.ts, "campaigns.by_job", "Backend engineer")
    only = await slack.wait_ephemeral("U0RITA", lambda one: one.ts == card.ts and "Copy" not in said(one))
    assert NAME in said(only)
    assert "Show all 13" in said(only)
    assert "None is like that" in await told(slack, "list running")
    assert "None is like that" in await told(slack, "list mine paused")


async def test_a_campaign_is_copied_moved_stopped_and_put_away(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """R155, R156, R161."""
    await engine.campaign(people=2)
    assert f"{NAME} (copy) is a new draft" in await told(slack, f'duplicate "{NAME}"')
    await types(slack, f'move "{NAME}"')
    moving = await window(slack, "Move people")
    copy = (await engine.uses.campaigns.status(RITA, f"{NAME} (copy)")).campaign
    assert "same campaign" in (await fills(slack, moving, to=copy.id, from_=copy.id))["errors"]["to"]
    await fills(slack, moving, from_=(await engine.uses.campaigns.status(RITA, NAME)).campaign.id, to=copy.id)
    await window(slack, f"2 people moved from {NAME} to {NAME} (copy)")
    await engine.uses.campaigns.start(RITA, NAME)
    assert "is paused" in await told(slack, f'pause "{NAME}"')
    assert "is stopped for good" in await told(slack, f'stop "{NAME}"')
    assert "is archived" in await told(slack, f'archive "{NAME}"')
    assert "The campaign is archived" in await told(slack, f'start "{NAME}"')


async def test_a_campaign_file_with_faults_is_answered_line_by_line(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    await types(slack, "import")
    importing = await window(slack, "What is it?")
    assert (await fills(slack, importing))["errors"] == {"text": "Give a file, or paste its text."}
    await fills(slack, importing, text="name: X\nfrom: rita@agency.test\nstages:\n  - {kind: fax, body: a}\n")
    again = await window(slack, "line 4, stages[1].kind", "Correct these lines")
    await fills(slack, again, text=FILE)
    await window(slack, "is there as a draft with 3 stages")


async def test_a_list_of_people_is_pasted_and_bad_lines_are_named(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    campaign_id = await engine.campaign()
    await types(slack, "import")
    importing = await window(slack, "What is it?")
    text = "first_name,personal_email\nBen,ben@candidates.example\nCleo,no address\n"
    await fills(slack, importing, kind="people", text=text, campaign=campaign_id)
    await window(slack, "1 person is new", "Line 3:", f"1 person was added to {NAME}")


async def test_a_test_letter_goes_to_whoever_asks(slack: SlackSandbox, face: SlackFace, engine: RealEngine) -> None:
    """R170."""
    await engine.campaign()
    answer = await told(slack, f'test "{NAME}"')
    assert "The test is on its way to rita@agency.test" in answer
    assert "[Test] Sam, a role for you?" in answer


async def test_a_campaign_is_exported_as_a_file(slack: SlackSandbox, face: SlackFace, engine: RealEngine) -> None:
    await engine.campaign()
    assert "is in your direct messages" in await told(slack, f'export "{NAME}"')
    channel = slack.direct_message("U0RITA")
    assert "backend-engineers--autumn.yaml" in json.dumps([one.files for one in slack.messages(channel)])


async def test_a_window_that_takes_longer_than_slack_waits_says_so_first(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    """A trigger lives for three seconds: the window stands before its facts are there."""
    await engine.campaign()
    held = slack.hold("users.info")
    await types(slack, f'open "{NAME}"')
    await window(slack, "One moment")
    held.release()
    await window(slack, "2 days later")


async def test_files_are_given_in_windows(slack: SlackSandbox, face: SlackFace, engine: RealEngine) -> None:
    """A list of people goes in whole; a stage's attachment is there before the stage names it."""
    await engine.campaign()
    await types(slack, f'add "{NAME}"')
    adding = await window(slack, "Or a list of people")
    people = b"first_name,personal_email\nBen,ben@candidates.example\nCleo,cleo@candidates.example\n"
    await fills(slack, adding, file=[slack.hand_in("U0RITA", "people.csv", people)])
    await window(slack, "2 people are new", f"2 people were added to {NAME}")
    await types(slack, f'open "{NAME}"')
    await chooses(slack, await window(slack, "2 days later"), "campaign.stage_more", "edit_1")
    await fills(slack, await window(slack, "Attach files"), files=[slack.hand_in("U0RITA", "role.pdf", b"%PDF-1.4")])
    await window(slack, "Stage 1 is saved", "with role.pdf")
    assert await engine.uses.files.names(RITA, NAME) == {"role.pdf": True}


async def test_a_file_that_slack_does_not_let_us_read_is_asked_for_as_text(
    slack: SlackSandbox, face: SlackFace, engine: RealEngine
) -> None:
    slack.tokens.scopes.discard("files:read")
    await types(slack, "import")
    importing = await window(slack, "What is it?")
    await fills(slack, importing, file=[slack.hand_in("U0RITA", "campaign.yaml", FILE.encode())])
    await window(slack, "Not done", "Slack did not let Rethread read campaign.yaml", "Paste its text instead")
