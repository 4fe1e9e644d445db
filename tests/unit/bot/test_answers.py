"""Lists and answers: always what Slack takes, however long or hostile the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.blocks import answers, mailbox_reports, mailbox_status, mailbox_words, outreach_status, settings_list
from bot.slack.blocks.connect_link import connect_link
from bot.slack.blocks.help import help_card
from bot.slack.blocks.home import home_view, modal
from bot.slack.blocks.kit import Card
from bot.slack.command_parser import MAILBOX, OUTREACH, VERBS, Hint
from core.domain.account import MailboxStatus, SyncFault
from core.domain.campaign import CampaignStatus
from core.domain.enrollment import ProspectStatus
from core.domain.people import Person, PersonAddress
from core.domain.workspace_settings import ALL, BY_KEY
from core.ports.storage import Activity, StageCount, SyncLogEntry
from sandbox.slack.block_kit import check_view
from tests.fakes.services import NOW, a_campaign, a_mailbox, a_row, broken
from tests.unit.bot.facts import TEXTS
from tests.unit.bot.test_cards import all_text, assert_slack_takes, buttons, markup_of


def no_bell(card: Card) -> None:
    for text in [card.text, *markup_of(card.blocks)]:
        assert "<!channel" not in text
        assert "<!here" not in text
        assert "<http" not in text


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 300))
def test_any_number_of_hostile_mailboxes_fits(address: str, raw: str, number: int) -> None:
    one = replace(broken(), address=address, fault=SyncFault(raw, raw, raw, NOW))
    for card in (
        mailbox_status.mailbox_list("All mailboxes", [one] * number),
        mailbox_status.mailbox_detail(one),
        mailbox_reports.mailbox_log(one, [SyncLogEntry("m", NOW, raw, raw, raw)] * number),
        mailbox_status.outcomes("Resync", {f"{address}{index}": raw for index in range(number)}),
        answers.ask_disconnect(one),
        connect_link("http://127.0.0.1:1/connect/t", address, secure=False),
    ):
        assert_slack_takes(card)
        no_bell(card)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(0, 200), st.sampled_from(ProspectStatus))
def test_any_number_of_hostile_campaigns_and_people_fits(text: str, number: int, status: ProspectStatus) -> None:
    campaign = replace(a_campaign(), name=text)
    row = replace(a_row(status, person=text), email=text, reason_text=text, reason_fix=text)
    mail = Activity(NOW, "in", "reply", text, text, None, text, "reply", None)
    person = Person("p", "T", text, text, "", "", NOW, (PersonAddress(text, text, text, True, NOW),) * 30)
    cards = [
        outreach_status.campaign_list([(campaign, {status: number})] * number),
        outreach_status.start_offer([(replace(campaign, status=CampaignStatus.DRAFT), {status: number})] * number),
        outreach_status.campaign_report(
            campaign, [row] * number, [StageCount(1, number, 1)] * number, people=number, replied=1
        ),
        outreach_status.retried(text, number, [(text, text)] * number),
        outreach_status.person_report(person, [mail] * number, [(text, text, 1, text)] * number),
        answers.error(text or "x", text, quoted=text, reference="r-1"),
        answers.said(text, text),
        answers.hint(Hint(text, text)),
    ]
    for card in cards:
        assert_slack_takes(card)
        no_bell(card)
        assert check_view(modal(card)) == []
    view = home_view(
        [replace(broken(), address=text)] * number, [(text, row)] * number, [(campaign, {status: number})] * number
    )
    assert check_view(view) == []


@pytest.mark.parametrize("status", MailboxStatus)
def test_each_light_is_said_in_words(status: MailboxStatus) -> None:
    mailbox = a_mailbox(status=status)
    said = all_text(mailbox_status.mailbox_detail(mailbox).blocks)
    assert mailbox.light in said
    assert len(mailbox_words.state_in_words(mailbox)) > len("(green)")


@pytest.mark.parametrize(
    ("send", "capture", "words"),
    [
        (True, True, "Sends outreach ✓, reads replies ✓"),
        (False, True, "Does not send outreach ✗, reads replies ✓"),
        (True, False, "Sends outreach ✓, does not read replies ✗"),
    ],
)
def test_a_mailbox_says_what_it_is_connected_for(send: bool, capture: bool, words: str) -> None:
    card = mailbox_status.mailbox_list("Your mailboxes", [a_mailbox(send=send, capture=capture)])
    assert words in all_text(card.blocks)


@pytest.mark.parametrize(
    ("status", "counts", "words", "step"),
    [
        (CampaignStatus.DRAFT, {ProspectStatus.ACTIVE: 6}, ("not started", "6 people enrolled"), "/outreach start"),
        (CampaignStatus.PAUSED, {ProspectStatus.ACTIVE: 6}, ("paused", "6 Active"), "/outreach start"),
        (CampaignStatus.ACTIVE, {ProspectStatus.ACTIVE: 6}, ("running", "6 Active"), "/outreach status"),
        (CampaignStatus.ACTIVE, {ProspectStatus.BOUNCED: 1}, ("running", "1 Bounced"), "/outreach retry"),
    ],
)
def test_each_campaign_of_a_list_says_how_it_stands_and_what_to_type_next(
    status: CampaignStatus, counts: dict[ProspectStatus, int], words: tuple[str, ...], step: str
) -> None:
    campaign = replace(a_campaign(), status=status)
    said = all_text(outreach_status.campaign_list([(campaign, counts)]).blocks)
    assert all(one in said for one in words)
    assert f'{step} "{campaign.name}"' in said


def test_a_persons_history_leaves_out_what_a_reply_quotes() -> None:
    text = "Yes, gladly.\n\nOn Sat, 21 Nov 2026, Rita Reed <rita@agency.test> wrote:\n> Hi Ben,\n> shall we talk?\n"
    mail = Activity(NOW, "in", "reply", "Re: a role", text, None, "rita@agency.test", "reply", None)
    person = Person("p", "T", "Ben", "Carter", "", "", NOW, ())
    said = all_text(outreach_status.person_report(person, [mail], []).blocks)
    assert "Yes, gladly." in said
    assert "shall we talk" not in said


def test_the_broken_ones_come_first_and_carry_their_buttons() -> None:
    card = mailbox_status.mailbox_list("Your mailboxes", [a_mailbox("a@agency.test"), broken("b@agency.test")])
    said = all_text(card.blocks)
    assert said.index("b@agency.test") < said.index("a@agency.test")
    assert set(buttons(card)) == {"Resync", "Reconnect", "Refresh", "Pause"}
    assert "2 mailboxes, 1 broken" in card.text


def test_what_does_not_fit_is_counted() -> None:
    card = mailbox_status.mailbox_list("All mailboxes", [a_mailbox()] * 200)
    assert " more. See one with /mailbox status address." in all_text(card.blocks)


def test_the_link_card_says_where_the_password_goes_and_warns_without_https() -> None:
    safe = connect_link("https://x.test/connect/t", "rita@agency.test", secure=True)
    assert "never in Slack" in all_text(safe.blocks)
    assert "not HTTPS" not in all_text(safe.blocks)
    assert buttons(safe)["Open the page"]["url"] == "https://x.test/connect/t"
    assert "not HTTPS" in all_text(connect_link("http://x.test/connect/t", None, secure=False).blocks)


@pytest.mark.parametrize("command", [MAILBOX, OUTREACH])
def test_help_lists_every_verb(command: str) -> None:
    card = help_card(command)
    assert_slack_takes(card)
    said = all_text(card.blocks)
    assert all(f"{command} {verb.name}" in said for verb in VERBS[command])


def test_settings_show_value_default_and_meaning() -> None:
    card = settings_list.settings_list([(one, one.default, True) for one in ALL])
    assert_slack_takes(card)
    said = all_text(card.blocks)
    assert all(one.key in said and one.meaning in said for one in ALL)


@pytest.mark.parametrize("is_default", [True, False])
def test_a_changed_setting_says_its_new_value(is_default: bool) -> None:
    for one in ALL:
        assert_slack_takes(settings_list.setting_changed(one, one.default, is_default))


def test_a_changed_setting_says_what_else_it_changed() -> None:
    """A lower limit on mailboxes makes some of them wait: whoever set it hears which."""
    note = "Waiting for a seat from now on: omar@agency.test."
    card = settings_list.setting_changed(BY_KEY["mailbox_limit"], 1, False, note)
    assert_slack_takes(card)
    assert note in all_text(card.blocks)
    assert note in card.text


def test_an_error_shows_the_server_words_the_fix_and_the_reference() -> None:
    card = answers.error("The mail server did not do it.", "Try later.", quoted="535 no", reference="r-3fa9c1")
    said: Any = all_text(card.blocks)
    assert "535 no" in said
    assert "Try later." in said
    assert "r-3fa9c1" in said


def test_without_a_free_seat_nobody_is_told_that_it_goes_on_now() -> None:
    """R35, R214: resuming, or a resync after two days, may mean waiting."""
    waits, goes = a_mailbox(status=MailboxStatus.PENDING), a_mailbox(status=MailboxStatus.CONNECTING)
    for answer, now in ((answers.resumed, "connecting now"), (answers.resyncing, "Resync started")):
        assert "seat" in answer(waits).text
        assert now not in answer(waits).text
        assert now in answer(goes).text
