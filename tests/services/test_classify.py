"""The rows of the classify command."""

from __future__ import annotations

from core.services.classify import classify_files, classify_lines

REPLY = (
    b"From: Carla <carla@candidates.example>\nTo: rita@agency.test\nSubject: Re: Role\nIn-Reply-To: "
    b"<s1@agency.test>\n\n"
    b"Yes please.\n\nOn 2 Nov 2026 at 10:03 Rita <rita@agency.test> wrote:\n> Hi\n"
)
AWAY = (
    b"From: carla@candidates.example\nAuto-Submitted: auto-replied\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n"
    b"Subject: Away\n\nI am back on 9 November.\n"
)
BOUNCE = (
    b"From: mailer-daemon@mail.agency.test\nSubject: Undelivered Mail Returned to Sender\n\n"
    b"I could not deliver your message.\n\n<carla@candidates.example>: 550 5.1.1 User unknown\n\n"
    b"----- Original message -----\nMessage-ID: <s1@agency.test>\nTo: carla@candidates.example\n"
)


def test_a_row_has_the_promised_keys_in_the_order_given() -> None:
    """Scripts rely on them."""
    rows = classify_files([("a.eml", REPLY), ("b.eml", AWAY), ("c.eml", BOUNCE), ("d.eml", b"")])
    keys = "file kind class status recipients temporary_recipients original_message_id return_date visible_text".split()
    assert all(list(row) == keys for row in rows)
    assert [row["file"] for row in rows] == ["a.eml", "b.eml", "c.eml", "d.eml"]
    assert rows[0] == dict(zip(keys, ["a.eml", "reply", None, None, [], [], None, None, "Yes please."], strict=True))
    assert (rows[1]["kind"], rows[1]["class"], rows[1]["return_date"]) == ("auto_reply", "auto_reply", "2026-11-09")
    assert rows[2] == {
        "file": "c.eml",
        "kind": "bounce",
        "class": "invalid_recipient",
        "status": "Bounced",
        "recipients": ["carla@candidates.example"],
        "temporary_recipients": [],
        "original_message_id": "s1@agency.test",
        "return_date": None,
        "visible_text": "",
    }
    assert rows[3]["kind"] == "other"


def test_our_own_addresses_are_told() -> None:
    """--own A… names them, in any case."""
    assert classify_files([("a.eml", REPLY)], own_addresses=["Carla@Candidates.example"])[0]["kind"] == "own"


def test_answers_are_judged_line_by_line() -> None:
    """Empty lines are skipped, the order stays."""
    rows = classify_lines(["550 5.1.1 User unknown\n", "\n", "421 Please try again later"])
    assert [list(row) for row in rows] == [["line", "class", "status", "transient", "fix"]] * 2
    assert rows[0]["class"] == "invalid_recipient"
    assert (rows[0]["status"], rows[0]["transient"]) == ("Bounced", False)
    assert (rows[1]["class"], rows[1]["status"], rows[1]["transient"]) == ("rate_limited", None, True)
    assert rows[1]["fix"]
