"""What a text message provider's refusal means for a prospect (R130, R132). Pure data and one look-up.

Twilio's numbers: https://www.twilio.com/docs/api/errors. 2xxxx refuse a request; 3xxxx come later, with a message that
was taken and not delivered. Twilio adds numbers over time: what is not known here is shown in its own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.domain.enrollment import Reason
from core.domain.taxonomy import Next


@dataclass(frozen=True, slots=True)
class SmsVerdict:
    """``klass`` is the kind of refusal; ``transient``: the same message may go by itself later; ``next`` what follows;
    ``reason`` says it in a recruiter's words, its code beginning with sms_."""

    klass: str
    transient: bool
    next: Next
    reason: Reason


_KINDS: Final[dict[str, tuple[Next, str, str]]] = {
    "invalid_number": (
        Next.SUPPRESS_ADDRESS,
        "Invalid number: no telephone has the number on this profile.",
        "Correct the number on the profile, with its country code (+46 …), then press Retry.",
    ),
    "not_mobile": (
        Next.SUPPRESS_ADDRESS,
        "Not a mobile: the number belongs to a landline or another line that takes no texts.",
        "Put a mobile number on the profile, then press Retry; or call instead.",
    ),
    "unreachable": (
        Next.NOTHING,
        "Telephone unreachable: it is switched off, out of reach, or its network did not take the text.",
        "Press Retry later, or reach the person another way.",
    ),
    "no_route": (
        Next.NOTHING,
        "No route: your sending number cannot text this number.",
        "Reach the person another way, or ask your admin for a sending number that reaches their country.",
    ),
    "opted_out": (
        Next.SUPPRESS_ADDRESS,
        "Unsubscribed: the person answered STOP to your texts.",
        "Texts to this number stay blocked until the person texts START to your number. Reach them another way.",
    ),
    "country_off": (
        Next.ALERT_ADMIN,
        "Country not allowed: texting to this person's country is switched off at the text message provider.",
        "Ask your admin to allow the country in the provider's geographic permissions (Twilio: Messaging, Settings, "
        "Geo permissions), then press Retry.",
    ),
    "not_registered": (
        Next.ALERT_ADMIN,
        "Number not registered: networks in this person's country take business texts from approved senders only "
        "(A2P registration).",
        "Ask your admin to register the sending number or its messaging service (in the USA: A2P 10DLC, or toll-free "
        "verification), then press Retry.",
    ),
    "wrong_sender": (
        Next.ALERT_ADMIN,
        "Wrong sending number: the provider's account has no such number that can send texts.",
        "Ask your admin to correct TWILIO_FROM, or to add a number to the messaging service, then press Retry.",
    ),
    "filtered": (
        Next.EDIT_AND_RETRY,
        "Taken for spam: the person's network, or the provider, filtered the text out.",
        "Change the wording, and leave out shortened links; then press Retry. Do not resend it as it is.",
    ),
    "text": (
        Next.EDIT_AND_RETRY,
        "Text refused: it is empty or too long for a text message.",
        "Correct the stage's text, then press Retry.",
    ),
    "account": (
        Next.ALERT_ADMIN,
        "Provider refuses us: the account for text messages is not accepted, or is not active.",
        "Ask your admin to check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and that the account is active and paid; "
        "then press Retry.",
    ),
    "trial": (
        Next.ALERT_ADMIN,
        "Trial account: the text message provider lets it text verified numbers only.",
        "Ask your admin to upgrade the provider's account, then press Retry.",
    ),
    "busy": (
        Next.BACK_OFF,
        "Too many texts at once: the provider asks for a slower pace.",
        "Nothing to press: Rethread waits and goes on.",
    ),
    "daily_limit": (
        Next.WAIT_FOR_WINDOW,
        "Daily limit: the networks take no more texts from your sending number today.",
        "Nothing to press: Rethread waits until the limit frees. Your admin can ask the provider for a higher one.",
    ),
    "unavailable": (
        Next.BACK_OFF,
        "Provider out of order: the text message provider has a fault of its own.",
        "Nothing to press: Rethread tries again. If it stays, press Retry later.",
    ),
    "unknown": (
        Next.NOTHING,
        "Not delivered: the text message provider gave no reason that Rethread knows.",
        "Its own words are shown below. Press Retry later, or show them to your admin.",
    ),
}

REASONS: Final = {f"sms_{kind}": (text, fix) for kind, (_, text, fix) in _KINDS.items()}
"""What happened and what to press, by reason code: ``reasons.reason`` finds them too."""

_CODES: Final[dict[int, str]] = {
    14107: "busy",
    20003: "account",
    20005: "account",
    20006: "account",
    20008: "account",
    20404: "account",
    20429: "busy",
    20500: "unavailable",
    20503: "unavailable",
    21211: "invalid_number",
    21212: "wrong_sender",
    21217: "invalid_number",
    21266: "invalid_number",
    21408: "country_off",
    21603: "wrong_sender",
    21602: "text",
    21604: "invalid_number",
    21605: "text",
    21606: "wrong_sender",
    21608: "trial",
    21610: "opted_out",
    21611: "busy",
    21612: "no_route",
    21614: "not_mobile",
    21617: "text",
    21619: "text",
    21635: "not_mobile",
    21659: "wrong_sender",
    21660: "wrong_sender",
    21661: "wrong_sender",
    21701: "wrong_sender",
    21703: "wrong_sender",
    21704: "wrong_sender",
    30001: "busy",
    30002: "account",
    30003: "unreachable",
    30004: "filtered",
    30005: "invalid_number",
    30006: "not_mobile",
    30007: "filtered",
    30008: "unknown",
    30022: "busy",
    30023: "daily_limit",
    30032: "not_registered",
    30034: "not_registered",
}

_STATUSES: Final[dict[int, str]] = {401: "account", 403: "account", 408: "unavailable", 429: "busy"}
# Sending the same again by itself may help.
_TRANSIENT: Final = frozenset({"busy", "unavailable", "daily_limit"})


def classify(provider_code: int, *, status: int = 0) -> SmsVerdict:
    """The meaning of a provider's number; ``status`` (HTTP) is asked where the number says nothing."""
    kind = _CODES.get(provider_code) or _STATUSES.get(status, "unavailable" if status >= 500 else "unknown")
    follows, text, fix = _KINDS[kind]
    return SmsVerdict(kind, kind in _TRANSIENT, follows, Reason(f"sms_{kind}", text, fix))
