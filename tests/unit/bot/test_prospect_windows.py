"""Windows and cards around prospects: inside Slack's limits whatever stands in them; every button has a listener."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.slack import action_ids
from bot.slack import prospect_ids as ids
from bot.slack.blocks import blocklist, limits_left, prospect_sheet
from bot.slack.blocks.email_log import LogView, log_window
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card
from bot.slack.blocks.person_card import person_card
from bot.slack.blocks.prospect_bulk import ACTS, ask_form, result_window
from bot.slack.blocks.prospect_list import EVERYBODY, ListView, filter_form, list_window, of_filter, ticked
from bot.slack.blocks.prospect_status import campaign_status
from bot.slack.blocks.prospect_words import far_away
from bot.slack.blocks.signature_form import signature_form, signature_saved
from bot.slack.listeners.prospecting import prospect_buttons
from bot.slack.typed_dates import day_typed
from core.domain.delivery import DeliveryState
from core.domain.do_not_contact import RejectedEntry
from core.domain.enrollment import Enrollment, ProspectStatus, Reason
from core.domain.figures import CampaignFigures, StageFigures
from core.domain.people import Person, PersonAddress
from core.domain.prospect_query import Page, ProspectQuery, ProspectSort
from core.errors import InputError
from core.ports.storage import LogLine, LogPage, ProspectPage, Suppression
from core.services.holds import LimitLeft, LimitsLeft, MailboxLeft
from core.services.metrics import CampaignPage
from core.services.outcomes import Skipped
from core.services.prospect_sheets import ProspectSheet
from core.services.suppression_list import BlockList, BlockResult
from sandbox.slack.block_kit import check_blocks, check_view
from tests.fakes.services import FakeServices, a_campaign, a_mailbox, a_row

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)  # a Friday
HOSTILE = "<!channel> *bold* <@U0RITA> \u202e & " + "x" * 3_000
COUNTS = dict.fromkeys(ProspectStatus, 12_345)
VIEW = ListView(HOSTILE[:200], ProspectQuery(text=HOSTILE[:200], reason="suppressed", stage=2, page=Page(2, 10)))


def rows(number: int = 10) -> list[Any]:
    hostile = replace(a_row(), person=HOSTILE, email=HOSTILE, reason_text=HOSTILE, reason_fix=HOSTILE)
    return [replace(hostile, enrollment_id=f"enrollment-{one}") for one in range(number)]


def a_sheet(status: ProspectStatus = ProspectStatus.BOUNCED, *, undo: bool = False) -> ProspectSheet:
    reason = Reason("canceled", HOSTILE, HOSTILE)
    enrollment = Enrollment("enrollment-1", "T1", "campaign-1", "p1", None, status, 1, 3, NOW, reason, NOW)
    addresses = tuple(PersonAddress(f"a{n}@x.example", f"a{n}@x.example", "work", n == 0, NOW) for n in range(30))
    person = Person("p1", "T1", HOSTILE, HOSTILE, "", "", NOW, addresses)
    return ProspectSheet(
        NOW, enrollment, replace(a_campaign(), name=HOSTILE[:200]), person, None, NOW if undo else None
    )


def log_line(state: DeliveryState = DeliveryState.QUEUED, **changes: Any) -> LogLine:
    given: dict[str, Any] = {
        **{"id": "delivery-1", "enrollment_id": "e1", "campaign": HOSTILE, "email": HOSTILE, "person": HOSTILE},
        **{"stage": 1, "kind": "email", "state": state, "version": 1, "reason": "mailbox_limit"},
        **{"server_text": HOSTILE, "at": NOW, "due_at": NOW, "message_id": None, "subject": HOSTILE, "bypass": True},
        **changes,
    }
    fields = LogLine.__dataclass_fields__
    return LogLine(**{name: given.get(name) for name in fields})


def forms() -> list[Form]:
    campaign, page = replace(a_campaign(), name=HOSTILE[:200]), ProspectPage(rows(), 123_456)
    refused = [Skipped(HOSTILE, HOSTILE + str(number)) for number in range(300)]
    states = [log_line(state) for state in DeliveryState]
    sheets = [prospect_sheet.sheet_window(a_sheet(one, undo=True), VIEW.keep(), HOSTILE) for one in ProspectStatus]
    others = [(HOSTILE, f"campaign-{number}") for number in range(300)]
    return [
        list_window(VIEW, campaign, COUNTS, page, {}, NOW, HOSTILE),
        list_window(ListView("x"), campaign, {}, ProspectPage([], 0), {}, NOW),
        filter_form(VIEW, campaign, ["canceled", "of nobody", *(f"code{number}" for number in range(200))]),
        *(ask_form(act, 100_000, HOSTILE, VIEW.keep(), others=others) for act in ACTS),
        *(result_window(act, 3, refused, VIEW.keep(), HOSTILE) for act in ACTS),
        log_window(LogView(HOSTILE[:200], "Sent", 3), LogPage([*states, *states], more=True), HOSTILE),
        log_window(LogView(), LogPage([], more=False)),
        *sheets,
        prospect_sheet.address_form(a_sheet(), VIEW.keep()),
        prospect_sheet.warning_window(prospect_sheet.warning(HOSTILE, HOSTILE, _value()), VIEW.keep()),
        blocklist.add_form(),
        blocklist.remove_form(),
        signature_form(replace(a_mailbox(), signature_text="x" * 2_000, signature_html="y" * 9_000)),
    ]


def cards() -> list[Card]:
    limit = LimitLeft(5_000, 5_000, 0, HOSTILE, NOW)
    box = MailboxLeft("mailbox-1", HOSTILE, "U0RITA", limit, "mailbox_brake")
    left = LimitsLeft(NOW, NOW, limit, limit, (box,) * 60, stopped=True)
    figures = CampaignFigures("c", 9, 9, tuple(StageFigures(n, "email", sent=3) for n in range(1, 40)))
    whole = CampaignPage(replace(a_campaign(), name=HOSTILE), COUNTS, figures, [], 0, 0)
    entries = [Suppression(HOSTILE, "asked", "U0RITA", NOW, HOSTILE)] * 60
    rejected = BlockResult(0, 2, [no_entry(number) for number in range(50)])
    places = [prospect_sheet.sheet_blocks(a_sheet(one, undo=True)) for one in ProspectStatus] * 3
    return [
        campaign_status(whole, ProspectPage(rows(), 99)),
        prospect_sheet.sheet_card(a_sheet(undo=True), HOSTILE),
        prospect_sheet.warning_card(HOSTILE, prospect_sheet.warning(HOSTILE, HOSTILE, _value())),
        person_card(a_sheet().person, [], places),
        blocklist.block_list(BlockList(entries, 999), admin=True),
        blocklist.added(rejected),
        blocklist.taken_off(HOSTILE),
        limits_left.limits_left(left),
        *(limits_left.ask_stop(), limits_left.stopped(), limits_left.ask_resume(), limits_left.resumed(3)),
        *(limits_left.away(None), limits_left.back(2)),
        signature_saved(replace(a_mailbox(), signature_text=HOSTILE[:2_000], aliases=(HOSTILE,) * 20)),
    ]


def no_entry(number: int) -> RejectedEntry:
    return RejectedEntry(number, HOSTILE)


def _value() -> action_ids.ButtonValue:
    return action_ids.ButtonValue("enrollment-1", 3)


def test_every_window_is_inside_slacks_limits() -> None:
    for form in forms():
        assert check_view(form.view("C0ALERTS")) == [], form.title


def test_every_card_is_inside_slacks_limits() -> None:
    for card in cards():
        assert check_blocks(card.blocks) == [], card.text


def markup_of(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for one in node for text in markup_of(one)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if node.get("type") == "mrkdwn" else []
    return own + [text for one in node.values() for text in markup_of(one)]


def test_nothing_that_a_person_typed_becomes_markup() -> None:
    for shown in [*(form.blocks for form in forms()), *(card.blocks for card in cards())]:
        assert not any("<!channel>" in text or "<@U0RITA> \u202e" in text for text in markup_of(shown))


def pressed(node: Any) -> set[str]:
    if isinstance(node, list):
        return {name for one in node for name in pressed(one)}
    if not isinstance(node, dict) or node.get("type") == "input":
        return set()
    own = {node["action_id"]} if "action_id" in node else set()
    return own | {name for one in node.values() for name in pressed(one)}


def test_every_button_has_a_listener_and_every_listener_a_button() -> None:
    desk: Any = None
    outreach: Any = None
    listened = set(prospect_buttons(desk, FakeServices().uses, outreach)) | set(ids.ONLY_NOTED)
    shown = pressed([*(form.blocks for form in forms()), *(card.blocks for card in cards())])
    assert shown == listened


def test_the_question_of_a_window_survives_its_journey() -> None:
    assert ListView.kept(VIEW.keep()) == VIEW
    assert ListView.kept({"campaign": "x", "page": "-3", "statuses": "NOBODY", "sort": "magic"}).query.page.number == 1
    assert LogView.kept(LogView("Autumn", "Sent", 4).keep()) == LogView("Autumn", "Sent", 4)


def test_a_filter_begins_on_the_first_page() -> None:
    values = {"reason": "canceled", "stage": "2", "text": "kim", "sort": "name"}
    found = of_filter(VIEW, statuses=["PAUSED"], values=values, reverse=True).query
    expected = ProspectQuery((ProspectStatus.PAUSED,), "canceled", 2, "kim", ProspectSort.NAME, True, Page(1, 10))
    assert found == expected


def test_a_tick_that_stands_in_another_row_does_not_count() -> None:
    """What a window sends back may have been made by anybody."""
    option = {"value": "1:enrollment-9:1"}
    row = {ids.TICK: {"selected_options": [option]}}
    assert ticked({"row.1:enrollment-9:1": row}) == ("1:enrollment-9:1",)
    assert ticked({"row.1:enrollment-8:1": row}) == ()
    assert ticked({"row.1:enrollment-9:1": "nonsense"}) == ()
    assert ticked({"which": {ids.WHICH: {"selected_option": {"value": EVERYBODY}}}}) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "now"), (59, "now"), (300, "in 5 minutes"), (7_200, "in 2 hours"), (172_800, "in 2 days")],
)
def test_how_far_away_the_next_send_is(seconds: float, words: str) -> None:
    """R152."""
    assert far_away(seconds) == words


@pytest.mark.parametrize(
    ("text", "days"),
    [("tomorrow", 1), ("3 days", 3), ("3", 3), ("2 weeks", 14), ("monday", 3), ("fri", 7), ("2026-11-25", 5)],
)
def test_days_are_read_as_people_type_them(text: str, days: int) -> None:
    assert day_typed(text, NOW, "UTC") == datetime(2026, 11, 20, tzinfo=UTC) + timedelta(days=days)


def test_a_day_begins_in_the_persons_own_zone() -> None:
    assert day_typed("2026-11-25", NOW, "Asia/Tokyo") == datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_what_is_no_day_is_refused() -> None:
    with pytest.raises(InputError, match="is no day that I understand"):
        day_typed("someday", NOW, "UTC")
