"""Whose words a card shows: a server's answer is not our own finding, and JSON is no language (R43)."""

from __future__ import annotations

import pytest

from bot.slack.blocks.server_words import readable, speaker


@pytest.mark.parametrize(
    "raw",
    [
        "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        "BAD User is authenticated but not connected.",
        "* BYE Connection is closed. 13",
        "535 5.7.8 Username and Password not accepted.",
        "550-5.1.1 The account does not exist",
        "Junk: NO [SERVERBUG] Internal error occurred.",
    ],
)
def test_a_reply_is_the_mail_servers(raw: str) -> None:
    assert speaker(raw) == "The mail server said"
    assert readable(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "TimeoutError: no sign of life for 1080 s",
        "check mail of 2026-03-02T10:00:00Z did not arrive within 20 minutes",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
        "The DNS query name does not exist: imap.agency.test.",
        "[Errno 104] Connection reset by peer",
        "",
    ],
)
def test_what_we_found_out_ourselves_is_not_put_into_a_servers_mouth(raw: str) -> None:
    assert speaker(raw) == "What Rethread saw"


def test_a_sign_in_services_json_reads_as_its_code_and_its_words() -> None:
    raw = '{"error": "invalid_grant", "error_description": "AADSTS53003: Blocked.", "error_codes": [53003]}'
    assert speaker(raw) == "The sign-in service said"
    assert readable(raw) == "invalid_grant: AADSTS53003: Blocked."


@pytest.mark.parametrize(
    "raw", ['{"error": "invalid_grant", "err', '{"error": ["x"]}', "[]", '{"error_description": 5}']
)
def test_json_of_another_shape_stays_as_it_came(raw: str) -> None:
    assert readable(raw) == raw


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("TimeoutError: no sign of life for 1080 s", "no sign of life for 1080 s"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
            "certificate verify failed: certificate has expired",
        ),
        ("[Errno 104] Connection reset by peer", "Connection reset by peer"),
    ],
)
def test_a_programmers_notes_are_left_out_of_our_own_findings(raw: str, words: str) -> None:
    assert readable(raw) == words
