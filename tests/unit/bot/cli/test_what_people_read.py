"""Results and refusals as people read them."""

from __future__ import annotations

from bot.cli.command_error import CommandError, command_error_of
from bot.cli.render import plain, render, words_of
from core.domain.campaign_file import Fault
from core.domain.diagnosis import Failure, diagnose
from core.errors import SettingsError
from core.services.campaigns import CampaignFileError
from core.services.connecting import ConnectRefusedError
from core.services.mailboxes import SendRefusedError
from tests.stores import make_mailbox

ERROR = {
    "cause": "password_changed",
    "raw": "NO \x1b]0;pwned\x07 bad",
    "fix": "Press Reconnect.",
    "at": "2026-09-01T09:00:00Z",
}
ROW = {
    "address": "rita@agency.test",
    "status": "error",
    "light": "red",
    "send": True,
    "capture": False,
    "last_sync_at": None,
    "lag": "the password was changed",
    "history_left": 1_200,
    "matched": None,
    "strangers": None,
    "seat": "held",
    "seats": {"used": 1, "limit": 0, "waiting": 0},
    "note": "",
    "error": ERROR,
    "broken": "reading",
}


def test_hostile_words_cannot_drive_the_terminal() -> None:
    """Escape sequences, line ends and direction marks become spaces."""
    assert plain("a\x1b[2J\u202eb\r\nc\x9b1m\u2028") == "a [2J b c 1m"
    assert "\x1b" not in render("mailbox list", [ROW])


def test_a_red_mailbox_says_why_and_what_to_do() -> None:
    """Light, cause, the server's words and the fix."""
    text = render("mailbox list", [ROW])

    assert text.splitlines()[1].split() == ["red", "rita@agency.test", "error", "yes", "no", "–", "1200"]
    assert "password_changed" in text
    assert "Press Reconnect." in text
    assert "sending broken" not in text


def test_what_rethread_found_out_itself_is_not_put_into_a_servers_mouth() -> None:
    found = ERROR | {"cause": "silent_break", "raw": "check mail of today did not arrive"}
    assert "Rethread saw: check mail" in render("mailbox list", [ROW | {"error": found}])
    assert "The server said: NO" in render("mailbox list", [ROW])


def test_where_only_sending_is_broken_that_is_said() -> None:
    """As the card and /mailbox status say it: mail is read as before."""
    text = render("mailbox list", [ROW | {"broken": "sending"}])
    assert "rita@agency.test: sending broken, mail is read; password_changed since" in text


def test_seats_are_told_where_there_is_a_limit() -> None:
    """How many are in use, how many wait, and what a mailbox waits for."""
    assert "seats" not in render("mailbox list", [ROW])
    limited = {"used": 1, "limit": 1, "waiting": 1}
    waiting = {
        **ROW,
        "seat": "waits",
        "seats": limited,
        "error": None,
        "note": "waits for a seat: 1 of 1 seat is used",
    }
    said = render("mailbox list", [waiting])
    assert "rita@agency.test waits for a seat: 1 of 1" in said
    assert said.endswith("1 of 1 seat is in use, 1 waiting.")


def test_one_mailbox_is_shown_with_how_far_it_is_read() -> None:
    """Why new mail is late, how much old mail is to come, and its seat."""
    said = render("mailbox show", [ROW])
    assert said.endswith("the password was changed; 1,200 old mails to read; has a seat")
    counted = render("mailbox show", [ROW | {"matched": 12, "strangers": 3_400}])
    assert "12 mails of people on profiles, 3,400 of nobody known (nothing is kept of those)" in counted


def test_a_test_mail_in_words() -> None:
    """Where nobody could look, the person is asked to."""
    result = {"to": "omar@agency.test", "server_said": "250 \x1b[2J ok", "arrival": ""}
    said = render("mailbox test", result)
    assert "\x1b" not in said
    assert said.endswith("Look there whether it has arrived, also in spam.")
    arrived = render("mailbox test", {**result, "arrival": "It arrived in omar@agency.test, folder INBOX."})
    assert arrived.endswith("folder INBOX.")


def test_the_facts_for_help_keep_their_lines_and_drive_nothing() -> None:
    """Indentation stays, escape sequences do not."""
    assert render("mailbox escalate", {"text": "a\n  b\x1b[2J"}) == "a\n  b [2J"


def test_what_a_change_of_the_limit_moved_is_said() -> None:
    row = {
        "key": "mailbox_limit",
        "value": 1,
        "default": 0,
        "is_default": False,
        "meaning": "Most.",
        "note": "Waiting: x.",
    }
    assert render("settings set", row).endswith("Waiting: x.")


def test_addresses_to_copy_are_never_cut() -> None:
    """A redirect address may be long."""
    address = f"https://{'x' * 80}.agency.test/oauth/google/callback"
    row = {"name": "Google sign-in", "ok": False, "detail": f"redirect address {address}", "fix": "Register it."}
    said = render("check", [row])
    assert said.startswith("NO")
    assert address in said
    assert said.endswith("      Register it.")


def test_faults_of_a_file_stand_in_lines_of_their_own() -> None:
    """Line, field and reason of each."""
    error = CampaignFileError([Fault(3, "delay", "is no time"), Fault(9, "kind", "is unknown")])

    words = words_of(command_error_of(error))

    assert words.splitlines()[1:3] == ["  line 3, delay: is no time", "  line 9, kind: is unknown"]


def test_a_refused_login_shows_the_servers_words() -> None:
    """And they cross the control channel as facts."""
    verdict = diagnose(Failure("imap", "NO [AUTHENTICATIONFAILED] nope", "imap.agency.test"))
    failure = command_error_of(ConnectRefusedError("imap", verdict))

    assert failure.facts["side"] == "imap"
    assert "The server said: NO [AUTHENTICATIONFAILED] nope" in words_of(failure)
    assert failure.exit_status == 1


def test_sending_that_is_not_switched_on_shows_the_servers_words() -> None:
    """It was tried first (R43)."""
    verdict = diagnose(Failure("smtp", "535 5.7.139 SmtpClientAuthentication is disabled", "smtp.office365.com"))
    failure = command_error_of(SendRefusedError(make_mailbox(send=False), verdict))

    assert (failure.code, failure.facts["side"], failure.facts["cause"]) == ("send_refused", "smtp", verdict.cause)
    assert "The server said: 535 5.7.139 SmtpClientAuthentication is disabled" in words_of(failure)
    assert failure.exit_status == 1


def test_all_mistakes_in_settings_are_told_and_exit_with_2() -> None:
    """One line each."""
    failure = command_error_of(SettingsError(["A is missing.", "B is wrong."]))

    assert words_of(failure) == "A is missing.\nB is wrong."
    assert failure.exit_status == 2


def test_what_nobody_expected_gets_a_reference_and_no_details() -> None:
    """The details are in the log."""
    failure = command_error_of(ZeroDivisionError("secret"))

    assert "secret" not in words_of(failure)
    assert failure.facts["reference"] in words_of(failure)
    assert isinstance(failure, CommandError)
