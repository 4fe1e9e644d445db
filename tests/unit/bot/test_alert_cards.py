"""Cards of broken mailboxes, alone and together: what they say, who is named, what they offer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.slack.action_ids import MUTE_HOURS, decode
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import own_limits
from bot.slack.blocks.cards import present
from bot.slack.blocks.kit import Card
from bot.slack.blocks.recovery_card import review
from core.domain.provider_help import help_of
from tests.fakes.services import Failed
from tests.unit.bot.facts import AT, EXPIRY, RECOVERY, REMINDER, STORM, SYNC
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_cards import assert_slack_takes, buttons, menus

FEW = [
    {"mailbox_id": f"m-{number}", "address": f"rec{number}@agency.test", "owner": "U0RITA", "state": "broken"}
    for number in range(50)
]


def row_id(card: Card) -> str:
    """The id of the card's row of buttons."""
    return str(next(block["block_id"] for block in card.blocks if block["type"] == "actions" and "block_id" in block))


@pytest.mark.parametrize(
    ("facts", "title", "words", "color"),
    [
        ({}, "Sync broken: rita@agency.test", "@U0RITA can mend this.", kit.RED),
        (
            {"side": "sending", "status": "active"},
            "Sending broken: rita@agency.test",
            "It reads mail, but cannot send",
            kit.RED,
        ),
        (
            {"status": "partial"},
            "Partial sync: rita@agency.test",
            "It sends, but does not read: replies are not seen",
            kit.GREY,
        ),
        (
            {"status": "connection_issue"},
            "Sync broken, no longer tried: rita@agency.test",
            "It failed for two days, so Rethread has stopped trying.",
            kit.RED,
        ),
    ],
)
def test_which_half_is_broken_is_said_in_words_and_colour(
    facts: dict[str, Any], title: str, words: str, color: str
) -> None:
    """R12, R13, R33, R223."""
    card = present("sync", SYNC | facts)
    assert aloud(card).startswith(title)
    assert card.text.startswith(title)
    assert words in aloud(card)
    assert card.color == color


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("recruiter", "@U0RITA can mend this."),
        ("mail_admin", "Whoever runs the mail server can mend this."),
        ("nobody", "Nobody needs to act: Rethread keeps trying."),
        ("operator", "Contact support: that is whoever runs Rethread"),
        ("vendor", "The makers of Rethread have to mend this."),
    ],
)
def test_who_must_act_is_named(who: str, words: str) -> None:
    """R26, R207."""
    assert words in aloud(present("sync", SYNC | {"who": who}))


def test_outdated_advice_stands_beside_todays() -> None:
    """R226."""
    facts = SYNC | {"obsolete": "Older guides choose Exchange. Today's way is Microsoft sign-in."}
    said = aloud(present("sync", facts))
    assert said.index("How to fix it: ") < said.index("Outdated advice: Older guides choose Exchange.")
    assert "Outdated" not in aloud(present("sync", SYNC))


@pytest.mark.parametrize(
    ("cause", "provider", "words"),
    [
        ("rate_limited", "google", "Google's own limits"),
        ("bandwidth_quota", "microsoft", "Microsoft's own limits"),
        ("sending_quota", "microsoft", "Microsoft's own limits"),
        ("rate_limited", "yahoo", ""),
        ("credentials_rejected", "google", ""),
    ],
)
def test_where_a_limit_is_the_cause_the_providers_own_page_is_a_click_away(
    cause: str, provider: str, words: str
) -> None:
    """R47, R48."""
    for kind, facts in (("sync", SYNC), ("storm", STORM)):
        card = present(kind, facts | {"cause": cause, "provider": provider})
        assert_slack_takes(card)
        assert ("own limits" in aloud(card)) == bool(words)
        assert words in aloud(card)


def test_a_limit_on_reading_leads_to_another_page_than_one_on_sending() -> None:
    """Where the provider has two; both are its own, and stand in one table."""
    pages = [json.dumps(own_limits(cause, "google")) for cause in ("bandwidth_quota", "sending_quota")]
    assert help_of("google").traffic_url in pages[0]
    assert help_of("google").limits_url in pages[1]
    assert pages[0] != pages[1]
    assert own_limits("bandwidth_quota", "microsoft") == own_limits("sending_quota", "microsoft")


def test_text_for_the_administrator_is_set_apart_to_be_copied() -> None:
    card = present("sync", SYNC | {"forward": "Please allow IMAP for rita@agency.test."})
    assert "For the mail administrator, to copy and send:\nPlease allow IMAP for rita@agency.test." in aloud(card)
    assert "Please allow" not in aloud(card, quoted=False)


def test_who_has_taken_it_up_and_until_when_it_is_quiet() -> None:
    facts = {"acknowledged_by": "U0ADA", "acknowledged_at": AT, "assigned_to": "U0OMAR", "muted_until": AT}
    card = present("sync", SYNC | facts | {"reminders": 2, "folded": "alert-9"})
    assert (
        "Acknowledged by @U0ADA, (time) · assigned to @U0OMAR · muted until (time) · 2 reminders · "
        "told on one card with others of the same cause"
    ) in aloud(card)
    assert "Acknowledge" not in buttons(card)
    assert "1 reminder\n" in aloud(present("sync", SYNC | {"reminders": 1}))


def test_each_button_and_menu_carries_what_it_acts_on() -> None:
    card = present("sync", SYNC)
    for label in ("Resync", "Reconnect"):
        assert (decode(buttons(card)[label]["value"]).id, decode(buttons(card)[label]["value"]).version) == (
            "mailbox-1",
            2,
        )
    acknowledge = decode(buttons(card)["Acknowledge"]["value"])
    assert (acknowledge.id, acknowledge.version) == ("alert-1", 2)
    assert (decode(row_id(card)).id, decode(row_id(card)).version) == ("alert-1", 2)
    more = [decode(option["value"]) for option in menus(card)["alert.more"]["options"]]
    assert [(one.id, one.version, one.choice) for one in more] == [
        ("alert-1", 2, choice) for choice in (*MUTE_HOURS, "escalate")
    ]


def test_the_assignees_copy_offers_what_the_assignee_may_do() -> None:
    """Resync, but no Reconnect: whoever owns the mailbox signs in to it."""
    card = present("sync", SYNC | {"reader": "assignee", "assigned_to": "U0OMAR"})
    assert set(buttons(card)) == {"Resync", "Acknowledge"}
    assert "Only @U0RITA can reconnect it, by signing in to the mailbox." in aloud(card)
    for reader in ("owner", "admins"):
        others = present("sync", SYNC | {"reader": reader})
        assert "Reconnect" in buttons(others)
        assert "can reconnect it" not in aloud(others)


def test_whom_it_was_assigned_to_before_sees_whose_it_is_and_nothing_to_press() -> None:
    card = present("sync", SYNC | {"reader": "onlooker", "assigned_to": "U0ADA"})
    assert "signed to @U0ADA" in aloud(card)
    assert not [block for block in card.blocks if block["type"] == "actions"]


@pytest.mark.parametrize(("sign_in", "spoken"), [("password", "new password"), ("google", "signing in with Google")])
def test_reconnect_says_to_screen_readers_what_awaits(sign_in: str, spoken: str) -> None:
    card = present("sync", SYNC | {"sign_in": sign_in, "address": "r@a.test"})
    assert spoken in buttons(card)["Reconnect"]["accessibility_label"]


def test_an_alert_of_the_first_release_is_still_a_card() -> None:
    """The outbox may hold facts that know nothing of sides, providers and reminders."""
    new = ("side", "status", "provider", "sign_in", "forward", "obsolete", "acknowledged_by", "acknowledged_at")
    newer = ("assigned_to", "muted_until", "reminders", "folded", "reader")
    card = present("sync", {name: value for name, value in SYNC.items() if name not in (*new, *newer)})
    assert "Sync broken: rita@agency.test" in aloud(card)


@pytest.mark.parametrize(
    ("failed", "words"),
    [
        (1, "1 stage failed while it was down. To try it again, type /outreach retry all"),
        (3, "3 stages failed while it was down. To try them again, type /outreach retry all"),
    ],
)
def test_what_failed_meanwhile_is_counted(failed: int, words: str) -> None:
    facts = SYNC | {"state": "recovered", "recovered_at": AT, "down_minutes": 130, "failed_meanwhile": failed}
    said = aloud(present("sync", facts))
    assert words in said
    assert "It was broken for 2 h 10 min" in said


def test_a_storm_is_one_card_with_its_mailboxes_and_how_many_are_back() -> None:
    """X10."""
    card = present("storm", STORM | {"mailboxes": FEW, "who": "recruiter", "provider": "google"})
    said = aloud(card)
    assert said.startswith("Sync broken: 40 mailboxes at Google")
    assert "12 of 40 back." in said
    assert set(buttons(card)) == {"Resync all", "Acknowledge"}
    assert "40 mailboxes at Google" in buttons(card)["Resync all"]["confirm"]["text"]["text"]
    assert decode(buttons(card)["Resync all"]["value"]).id == "alert-2"


@pytest.mark.parametrize("total", [50, 51, 4_000])
def test_the_mailboxes_that_do_not_fit_are_counted(total: int) -> None:
    said = aloud(present("storm", STORM | {"mailboxes": FEW, "total": total}))
    shown = said.count("@agency.test")
    assert shown == 50
    rest = f"and {total - shown:,} more" if total > shown else ""
    assert rest in said


def test_the_broken_ones_of_a_storm_stand_before_those_that_are_back() -> None:
    trying = [{"mailbox_id": "m", "address": "ada@agency.test", "owner": "U0ADA", "state": "resyncing"}]
    said = aloud(present("storm", STORM | {"mailboxes": [*STORM["mailboxes"][::-1], *trying]}))
    assert "Broken: rita@agency.test\nTrying now: ada@agency.test\nBack: omar@agency.test\nand 37 more" in said


def test_addresses_too_long_for_a_card_are_counted_too() -> None:
    long = [one | {"address": f"{'x' * 90}{number}@agency.test"} for number, one in enumerate(FEW)]
    card = present("storm", STORM | {"mailboxes": long, "total": 50})
    assert_slack_takes(card)
    shown = aloud(card).count("xxx@") + aloud(card).count("x" * 90)
    assert 20 < shown < 50
    assert f"and {50 - shown} more" in aloud(card)


def test_what_only_support_can_mend_says_connection_interrupted() -> None:
    """R26: not self-service, and what the operator has to do."""
    card = present("storm", STORM)
    assert card.text.startswith("Connection interrupted: 40 mailboxes at Microsoft.")
    said = aloud(card)
    assert "Contact support: that is whoever runs Rethread" in said
    assert "What support has to do: The operator makes a new secret" in said


@pytest.mark.parametrize(
    ("provider", "whose"),
    [
        ("microsoft", "40 mailboxes at Microsoft"),
        ("other", "40 mailboxes\n"),
        ("network", "40 mailboxes at several providers"),
        ("imap.agency.test", "40 mailboxes at imap.agency.test"),
    ],
)
def test_a_storm_says_where(provider: str, whose: str) -> None:
    assert whose in aloud(present("storm", STORM | {"provider": provider}))


def test_a_storm_that_is_over_has_no_buttons() -> None:
    over = present("storm", STORM | {"state": "recovered", "recovered_at": AT, "down_minutes": 30, "actor": "U0ADA"})
    assert "All of them are back. They were down for 30 min." in aloud(over)
    assert "resync by @U0ADA" in aloud(over)
    for card in (over, present("storm", STORM | {"state": "closed"})):
        assert buttons(card) == {}
        assert menus(card) == {}


def test_what_failed_while_it_was_down_is_offered_for_another_try() -> None:
    """X3."""
    card = present("recovery", RECOVERY)
    said = aloud(card)
    assert said.startswith("3 stages failed while rita@agency.test was down")
    assert "• Backend engineers, autumn: 2 stages\n• Spring: 1 stage" in said
    assert set(buttons(card)) == {"Retry all", "Review", "Leave"}
    assert "confirm" in buttons(card)["Retry all"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "retried", "retried": 3}, "3 stages are in line to be sent again."),
        ({"state": "retried", "retried": 1, "refused": 2}, "1 stage is in line to be sent again.\n2 stages could not"),
        ({"state": "retried", "refused": 3}, "None of them could be tried again.\nSee why with /outreach status."),
        ({"state": "left"}, "To try again later, type /outreach retry all."),
    ],
)
def test_a_recovery_says_what_was_decided_and_by_whom(facts: dict[str, Any], words: str) -> None:
    card = present("recovery", RECOVERY | facts | {"actor": "U0OMAR", "actor_at": AT})
    assert words in aloud(card)
    assert "Decided by @U0OMAR, (time)" in aloud(card)
    assert buttons(card) == {}


def test_the_review_lists_whom_where_and_when_and_counts_the_rest() -> None:
    card = review([Failed()])
    assert "Ben Carter, ben@candidates.example\nStage 2 of Backend engineers, autumn, failed (time)" in aloud(card)
    assert card.window == "Failed stages"
    assert "more" in aloud(review([Failed()] * 500))
    assert "Nothing is left" in aloud(review([]))


@pytest.mark.parametrize(("days", "words"), [(0, "today"), (1, "tomorrow"), (5, "in 5 days")])
def test_the_end_of_a_sign_in_is_told_ahead(days: int, words: str) -> None:
    """R28."""
    card = present("expiry", EXPIRY | {"days_left": days})
    assert f"Sign-in may end {words}: rita@agency.test" in aloud(card)
    assert "Microsoft may want a new sign-in" in aloud(card)
    assert set(buttons(card)) == {"Reconnect"}


def test_a_sign_in_whose_time_is_over_is_overdue_and_a_disconnected_one_is_nobodys_work() -> None:
    overdue = present("expiry", EXPIRY | {"state": "ended", "days_left": 0})
    assert "Sign-in overdue: rita@agency.test" in aloud(overdue)
    assert set(buttons(overdue)) == {"Reconnect"}
    assert buttons(present("expiry", EXPIRY | {"state": "ended", "days_left": 3})) == {}


def test_a_reminder_is_short_and_says_how_to_end_it() -> None:
    card = present("sync_reminder", REMINDER)
    assert aloud(card).startswith("Still broken on day 3: rita@agency.test")
    assert "Acknowledge or Mute on its card ends these reminders" in aloud(card)
    assert set(buttons(card)) == {"Resync", "Reconnect"}
    assert "another reason now" in aloud(present("sync_reminder", REMINDER | {"changed": True}))


def test_a_reminder_of_a_storm_counts_its_mailboxes() -> None:
    storm = REMINDER | {"mailbox_id": "", "address": "", "owner": "", "mailboxes": 12}
    card = present("sync_reminder", storm)
    assert_slack_takes(card)
    assert "Still broken on day 3: 12 mailboxes at Google" in aloud(card)
    assert buttons(card) == {}
