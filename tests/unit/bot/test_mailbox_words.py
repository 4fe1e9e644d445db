"""How a mailbox is, in words: check marks that say what works, what is late, what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.blocks import mailbox_reports, mailbox_status
from bot.slack.blocks.mailbox_status import Surroundings
from bot.slack.blocks.mailbox_words import check_marks, state_in_words
from bot.slack.listeners.mailbox_facts import latest_error
from bot.slack.read_models import Seats
from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.actor import Actor, Role
from core.domain.lag import Lag, LagKind
from core.ports.storage import SyncLogEntry
from tests.fakes.services import NOW, FakeMailboxes, Progress, a_mailbox, broken
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_cards import buttons

FAULT = SyncFault("smtp_auth_disabled", "535 5.7.139 disabled", "Ask the administrator, then press Resync.", NOW)
REFUSED = SyncFault("credentials_rejected", "NO [AUTHENTICATIONFAILED] wrong", "Press Reconnect.", NOW)
SECRET = SyncFault("oauth_client_secret_expired", "AADSTS7000222", "The operator makes a new secret.", NOW)
ONLY_SENDING: dict[str, Any] = {"status": MailboxStatus.ERROR, "fault": FAULT, "send_fault": FAULT}
BOTH: dict[str, Any] = {"status": MailboxStatus.ERROR, "fault": REFUSED, "send_fault": FAULT}


def told(mailbox: Mailbox, around: Surroundings = mailbox_status.NOTHING_KNOWN) -> str:
    return aloud(mailbox_status.mailbox_list("Your mailboxes", [mailbox], around))


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, "Sends outreach ✓, reads replies ✓"),
        ({"status": MailboxStatus.HISTORICAL}, "Sends outreach ✓, reads replies ✓"),
        ({"status": MailboxStatus.PARTIAL}, "Sends outreach ✓, cannot read replies now ✗"),
        ({"status": MailboxStatus.ERROR}, "Cannot send outreach now ✗, cannot read replies now ✗"),
        ({"status": MailboxStatus.PAUSED}, "Does not send outreach now ✗, does not read replies now ✗"),
        ({"send_fault": FAULT}, "Cannot send outreach now ✗, reads replies ✓"),
        (ONLY_SENDING, "Cannot send outreach now ✗, reads replies ✓"),
        (ONLY_SENDING | {"capture": False}, "Cannot send outreach now ✗, does not read replies ✗"),
        (BOTH, "Cannot send outreach now ✗, cannot read replies now ✗"),
        ({"capture": False}, "Sends outreach ✓, does not read replies ✗"),
        ({"send": False, "status": MailboxStatus.ERROR}, "Does not send outreach ✗, cannot read replies now ✗"),
    ],
)
def test_a_check_mark_is_there_only_where_it_is_switched_on_and_works(changes: dict[str, Any], marks: str) -> None:
    """R6..R9, R12."""
    assert check_marks(a_mailbox(**changes)) == marks


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (MailboxStatus.ACTIVE, "Syncing (green)"),
        (MailboxStatus.HISTORICAL, "Reading old mail (grey)"),
        (MailboxStatus.PARTIAL, "Partial sync (grey)"),
        (MailboxStatus.ERROR, "Sync broken (red)"),
        (MailboxStatus.CONNECTION_ISSUE, "Connection issue, no longer tried after two days of failure (red)"),
        (MailboxStatus.PENDING, "Pending, waits for a free seat (grey)"),
        (MailboxStatus.PAUSED, "Paused (grey)"),
    ],
)
def test_state_and_light_are_said_in_words(status: MailboxStatus, words: str) -> None:
    """R33..R37, R223."""
    assert state_in_words(a_mailbox(status=status)) == words


def test_where_only_sending_is_broken_the_state_says_so_as_its_card_does_and_tells_the_cause_once() -> None:
    """R33, R43: reading goes on, so nothing may say that sync is broken."""
    said = told(a_mailbox(**ONLY_SENDING))
    assert "rita@agency.test: Sending broken (red)" in said
    assert said.count("535 5.7.139 disabled") == 1
    assert state_in_words(a_mailbox(**BOTH)) == "Sync broken (red)"
    assert "NO [AUTHENTICATIONFAILED] wrong" in told(a_mailbox(**BOTH))


def test_what_only_support_can_mend_is_said_to_be_that() -> None:
    """R26."""
    said = told(a_mailbox(status=MailboxStatus.ERROR, fault=SECRET))
    assert "Connection interrupted, contact support (red)" in said
    assert "What support has to do: The operator makes a new secret." in said
    assert "Next: tell whoever runs Rethread; /mailbox escalate collects the facts" in said


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (12_300, "Reading old mail, newest first: about 12,300 mails to go; sending works."),
        (1, "about 1 mail to go"),
        (0, "Reading old mail, newest first; sending works. It turns green by itself."),
    ],
)
def test_old_mail_is_read_with_how_much_is_to_go(left: int, words: str) -> None:
    """R10, R11."""
    mailbox = a_mailbox(status=MailboxStatus.HISTORICAL)
    assert words in told(mailbox, Surroundings({mailbox.id: Progress(history_left=left)}))


def test_mail_of_nobody_known_is_counted_and_said_not_to_be_kept() -> None:
    """R81; where nobody counted, nothing is said."""
    mailbox = a_mailbox()
    said = told(mailbox, Surroundings({mailbox.id: Progress(matched=1, strangers=2_300)}))
    assert "1 mail to or from people on profiles and 2,300 to or from nobody known: of those nothing is kept." in said
    assert "nobody known" not in told(mailbox, Surroundings({mailbox.id: Progress()}))


def test_late_is_told_apart_from_broken_with_its_reason() -> None:
    """R19, R20."""
    lag = Lag(1_800.0, LagKind.LATE, "the provider asked to slow down")
    around = Surroundings({"mailbox-rita": Progress(lag=lag)})
    assert "Late, not broken: the provider asked to slow down." in told(a_mailbox(), around)
    assert "Late" not in told(a_mailbox(), Surroundings({"mailbox-rita": Progress()}))
    assert "Late" not in told(broken(), around)
    assert "Late" not in told(a_mailbox())


@pytest.mark.parametrize(
    ("seats", "words"),
    [
        (Seats(50, 50), "all 50 seats of this workspace are taken. It starts by itself when somebody disconnects"),
        (None, "no seat is free. It starts by itself"),
    ],
)
def test_a_mailbox_that_waits_for_a_seat_says_what_ends_the_wait(seats: Seats | None, words: str) -> None:
    """R35, R214."""
    said = told(a_mailbox(status=MailboxStatus.PENDING), Surroundings(seats=seats))
    assert words in said
    assert "raises mailbox_limit" in said


@pytest.mark.parametrize(
    ("seats", "words"),
    [
        (Seats(12, 50), "12 of 50 seats are taken"),
        (Seats(1, 1), "1 of 1 seat is taken"),
        (Seats(3, 0), "3 mailboxes synced; this workspace has no limit"),
    ],
)
def test_an_admin_sees_the_seats(seats: Seats, words: str) -> None:
    """R38."""
    assert words in told(a_mailbox(), Surroundings(seats=seats, show_seats=True))
    assert words not in told(a_mailbox(), Surroundings(seats=seats))


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({}, {"Refresh", "Pause"}),
        ({"status": MailboxStatus.ERROR}, {"Resync", "Reconnect"}),
        ({"status": MailboxStatus.PARTIAL}, {"Resync", "Reconnect"}),
        ({"send_fault": FAULT}, {"Resync", "Reconnect"}),
        ({"status": MailboxStatus.PAUSED}, {"Resume"}),
        ({"status": MailboxStatus.DISCONNECTED}, {"Reconnect"}),
        ({"status": MailboxStatus.PENDING}, set()),
        ({"status": MailboxStatus.CONNECTING}, set()),
    ],
)
def test_the_buttons_fit_the_state(changes: dict[str, Any], labels: set[str]) -> None:
    """R14, R15."""
    assert set(buttons(mailbox_status.mailbox_detail(a_mailbox(**changes)))) == labels


def test_in_a_long_list_only_what_waits_for_somebody_has_buttons() -> None:
    many = [a_mailbox(f"rec{number}@agency.test") for number in range(6)]
    card = mailbox_status.mailbox_list("All mailboxes", [*many, broken()])
    assert set(buttons(card)) == {"Resync", "Reconnect"}


def test_each_mailbox_is_told_on_its_own() -> None:
    """R16: one that works says nothing about the other."""
    said = aloud(mailbox_status.mailbox_list("Your mailboxes", [a_mailbox("a@agency.test"), broken("b@agency.test")]))
    assert "b@agency.test: Sync broken (red)" in said
    assert "a@agency.test: Syncing (green)" in said


def test_the_most_recent_error_is_shown_also_when_it_is_over() -> None:
    """R40."""
    entry = SyncLogEntry("m", NOW, "server_unavailable", "NO [UNAVAILABLE] later", "Nothing to do.")
    said = aloud(mailbox_status.mailbox_detail(a_mailbox(), latest=entry))
    assert "Most recent error, (time): NO [UNAVAILABLE] later" in said
    assert "Most recent" not in aloud(mailbox_status.mailbox_detail(broken(), latest=entry))


def test_the_log_tells_a_note_and_a_finding_of_our_own_from_what_a_server_said() -> None:
    """R39, R43: whose words they are, and no fix where nothing is broken."""
    note = SyncLogEntry("m", NOW, "old_mail", "Old mail of a@b.example could not be looked for: NO [X] later", "")
    finding = SyncLogEntry("m", NOW, "folder_renumbers", "UIDVALIDITY of A: NO B changed 5 times in a row", "Ask.")
    refusal = SyncLogEntry("m", NOW, "server_unavailable", "NO [UNAVAILABLE] later", "Nothing to do.")
    said = aloud(mailbox_reports.mailbox_log(a_mailbox(), [note]))
    assert "Search for old mail\nOld mail of a@b.example could not be looked for" in said
    for wrong in ("Cause not known", "How to fix it", "The mail server said"):
        assert wrong not in said
    assert "What Rethread saw: UIDVALIDITY of A" in aloud(mailbox_reports.mailbox_log(a_mailbox(), [finding]))
    card = mailbox_reports.mailbox_log(a_mailbox(), [refusal, note, note])
    assert "The mail server said: NO [UNAVAILABLE] later" in aloud(card)
    assert card.text == "Recent errors: rita@agency.test: 1 error, 2 notes."
    assert mailbox_reports.mailbox_log(a_mailbox(), [note]).text.endswith(": 1 note.")


async def test_a_note_is_not_the_most_recent_error() -> None:
    """R40: what became of a search for old mail is no fault of the mailbox."""
    mailbox = a_mailbox()
    refusal = SyncLogEntry(mailbox.id, NOW, "server_unavailable", "NO [UNAVAILABLE] later", "Nothing to do.")
    note = SyncLogEntry(mailbox.id, NOW, "old_mail", "No old mail of a@b.example was found.", "")
    rita = Actor(mailbox.workspace, mailbox.owner, Role.RECRUITER)
    assert await latest_error(FakeMailboxes([mailbox], entries=[note, refusal]), rita, mailbox) == refusal
    assert await latest_error(FakeMailboxes([mailbox], entries=[note]), rita, mailbox) is None
