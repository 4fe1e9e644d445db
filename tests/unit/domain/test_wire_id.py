"""The id that recipients got is read out of the server's answer, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.wire_id import learned_id

SES = "010001890f2a4c1d-6f0c2a3e-1111-4222-8333-abcdefabcdef-000000"


@pytest.mark.parametrize(
    ("reply", "host", "learned"),
    [
        (
            "250 2.0.0 OK <CH0PR11MB0001ABC@CH0PR11MB0001.namprd11.prod.outlook.com> [Hostname=CH0PR11MB0001]",
            "smtp.office365.com",
            "CH0PR11MB0001ABC@CH0PR11MB0001.namprd11.prod.outlook.com",
        ),
        (
            "250 2.6.0 <mail-1@agency.test> [InternalId=12345678, Hostname=EX1.agency.test] 1523 bytes in 0.1, 14 "
            "KB/sec Queued mail for delivery",
            "mail.agency.test",
            "mail-1@agency.test",
        ),
        (f"250 Ok {SES}", "email-smtp.us-east-1.amazonaws.com", f"{SES}@email.amazonses.com"),
        (f"250 Ok {SES}", "EMAIL-SMTP.eu-west-1.amazonaws.com.", f"{SES}@eu-west-1.amazonses.com"),
        (f"250 Ok {SES}", "email-smtp-fips.us-gov-west-1.amazonaws.com", f"{SES}@us-gov-west-1.amazonses.com"),
    ],
)
def test_a_replaced_id_is_learned(reply: str, host: str, learned: str) -> None:
    """Exchange and Outlook.com name it whole, Amazon SES without its domain."""
    assert learned_id(reply, host) == learned


@pytest.mark.parametrize(
    ("reply", "host"),
    [
        ("250 2.0.0 Ok: queued as 4Zx1yb2nTTz", "mail.agency.test"),
        ("250 2.0.0 OK 1762000000 a1b2c3-gsmtp", "smtp.gmail.com"),
        (f"250 Ok {SES}", "mail.agency.test"),
        (f"250 Ok {SES}", "email-smtp.us-east-1.amazonaws.com.evil.example"),
        ("250 Ok: queued as 0100018", "email-smtp.us-east-1.amazonaws.com"),
        ("550 2.6.0 <mail-1@agency.test> [InternalId=1] Queued mail for delivery", "mail.agency.test"),
        ("250 2.6.0 <a b@agency.test> [InternalId=1]", "mail.agency.test"),
        ("250 2.6.0 <a\r\nBcc: x@y.test> [InternalId=1]", "mail.agency.test"),
        ("250 2.6.0 <a@b@agency.test> [InternalId=1]", "mail.agency.test"),
        ("250 2.6.0 <é@agency.test> [InternalId=1]", "mail.agency.test"),
        ("250 2.0.0 OK <mail-1@agency.test>", "mail.agency.test"),
        ("", ""),
    ],
)
def test_what_is_no_id_stays_unlearned(reply: str, host: str) -> None:
    """Names of queues, other hosts' words and text that could not stand in a header."""
    assert learned_id(reply, host) is None


@given(st.text(max_size=300), st.text(max_size=60))
def test_hostile_answers_yield_nothing_that_breaks_a_header(reply: str, host: str) -> None:
    """Whatever a server says, an id is printable ASCII with one pair of halves."""
    learned = learned_id(f"250 2.6.0 <{reply}> [InternalId=1]", host)
    assert learned is None or (learned.isascii() and learned.isprintable() and " " not in learned and "@" in learned)


def test_an_endless_answer_takes_no_time() -> None:
    """Bounded patterns on a bounded text."""
    assert learned_id("250 2.6.0 <" + "a@" * 1_000_000, "mail.agency.test") is None
