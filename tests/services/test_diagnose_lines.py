"""The rows that `diagnose` prints."""

from __future__ import annotations

import json

import pytest

from core.errors import InputError, LoginRefusedError
from core.services.diagnose import diagnose_error, diagnose_lines


def test_one_row_per_line_in_the_order_given() -> None:
    """Empty lines say nothing and get no row."""
    rows = diagnose_lines(["a NO [UNAVAILABLE]\n", "\n", "  * BYE Session expired\r\n"], "imap", "imap.gmail.com")
    assert [row["line"] for row in rows] == ["a NO [UNAVAILABLE]", "* BYE Session expired"]
    assert [row["cause"] for row in rows] == ["server_unavailable", "session_expired"]


def test_a_row_has_the_keys_that_scripts_rely_on() -> None:
    """Names of the contract, fit for JSON."""
    (row,) = json.loads(json.dumps(diagnose_lines(["535 5.7.8 Bad password"], "smtp")))
    assert {"line", "cause", "class", "transient", "who", "fix"} <= set(row)
    assert (row["cause"], row["class"], row["transient"], row["who"]) == (
        "credentials_rejected",
        "user reconnects",
        False,
        "recruiter",
    )


def test_an_unknown_layer_is_refused_with_the_list_of_layers() -> None:
    """A typing error is not an unknown cause."""
    with pytest.raises(InputError) as refused:
        diagnose_lines(["x"], "pop3")
    assert "imap" in refused.value.fix


def test_an_error_of_the_mail_layer_is_judged_with_its_host_and_code() -> None:
    """The code may stand beside the text in place of in it."""
    refused = LoginRefusedError("5.7.8 Bad password", layer="smtp", host="smtp.gmail.com", smtp_code=535)
    verdict = diagnose_error(refused)
    assert (verdict.cause, verdict.provider) == ("credentials_rejected", "google")
