"""Every refusal of the text message provider is a reason that a recruiter understands."""

from __future__ import annotations

import pytest

from core.domain.sms_codes import classify
from core.domain.taxonomy import Next

KNOWN = {
    21211: "sms_invalid_number",
    21212: "sms_wrong_sender",
    21408: "sms_country_off",
    21610: "sms_opted_out",
    21612: "sms_no_route",
    21614: "sms_not_mobile",
    21635: "sms_not_mobile",
    21606: "sms_wrong_sender",
    21659: "sms_wrong_sender",
    21617: "sms_text",
    21608: "sms_trial",
    21611: "sms_busy",
    30003: "sms_unreachable",
    30004: "sms_filtered",
    30005: "sms_invalid_number",
    30006: "sms_not_mobile",
    30007: "sms_filtered",
    30008: "sms_unknown",
    30034: "sms_not_registered",
    30032: "sms_not_registered",
    30023: "sms_daily_limit",
    20003: "sms_account",
    20429: "sms_busy",
}


@pytest.mark.parametrize(("number", "reason"), KNOWN.items())
def test_a_known_number_has_its_reason(number: int, reason: str) -> None:
    """Whatever the status beside it."""
    assert classify(number).reason.code == reason
    assert classify(number, status=400).reason.code == reason


@pytest.mark.parametrize(
    ("status", "klass"),
    [(429, "busy"), (401, "account"), (403, "account"), (500, "unavailable"), (503, "unavailable"), (400, "unknown"),
     (302, "unknown"), (0, "unknown")],
)  # fmt: skip
def test_without_a_known_number_the_status_speaks(status: int, klass: str) -> None:
    """Twilio adds numbers; a proxy before it knows none."""
    assert classify(0, status=status).klass == klass
    assert classify(99_999, status=status).klass == klass


@pytest.mark.parametrize("number", [*KNOWN, 0])
def test_every_reason_says_what_happened_and_what_to_do(number: int) -> None:
    """R207: a sentence each."""
    verdict = classify(number)
    assert verdict.reason.code == f"sms_{verdict.klass}"
    assert verdict.reason.text.endswith(".")
    assert verdict.reason.fix.endswith(".")


def test_only_what_goes_by_itself_is_transient() -> None:
    """A number that is wrong stays wrong; a fault after the handing over is a person's to judge."""
    assert {number for number in KNOWN if classify(number).transient} == {20429, 21611, 30023}
    assert classify(0, status=503).transient


def test_what_only_an_admin_can_mend_goes_to_the_admin() -> None:
    """R132: countries that are off, and senders that must be registered."""
    for number in (21408, 30034, 20003, 21606):
        assert classify(number).next is Next.ALERT_ADMIN
