"""Why a prospect waits or failed: a code for machines, what happened, and what to press (R114..R132, R207). Pure."""

from __future__ import annotations

from typing import Final

from core.domain.enrollment import Reason
from core.domain.sms_codes import REASONS as SMS_REASONS
from core.domain.taxonomy import Topic

_TABLE: Final[dict[str, tuple[str, str]]] = {
    "null_email": (
        "Null Email: the profile has no address of a type this campaign may use.",
        "Add an address to the profile (or allow its type in the campaign), then press Retry.",
    ),
    "email_not_synced": (
        "Email Not Synced: the sending mailbox is not in two-way sync.",
        "Mend the mailbox (Resync or Reconnect on its card, or /mailbox status), then press Retry.",
    ),
    "no_account_selected": (
        "No account selected: the campaign's From is not a connected mailbox.",
        "Connect that mailbox with /mailbox connect, then press Retry.",
    ),
    "too_many_retries": (
        "Too Many Retries: the mail server did not take the message after several tries.",
        "Press Retry later; if it stays, look at the server's words below.",
    ),
    "content_rejected": (
        "Content rejected: this mail cannot be written safely.",
        "Correct the template or the profile field named below, then press Retry.",
    ),
    "canceled": ("Canceled: this send was cancelled before it went out.", "Press Retry to send it after all."),
    "delivery_unknown": (
        "It is not certain whether the last mail went out.",
        "Nothing goes until that is settled: by the mailbox's Sent folder, or by you on the card.",
    ),
    "sync_behind": (
        "The sending mailbox has not been read to its end just now, so a reply may be waiting.",
        "Nothing to press: the mail goes as soon as the mailbox is read.",
    ),
    "host_away": (
        "The sending mailbox's server cannot be reached for the moment.",
        "Nothing to press: the mail goes when the server is back.",
    ),
    "mailbox_pending": (
        "The sending mailbox waits for a free seat.",
        "The mail goes by itself once a mailbox is disconnected or an admin raises the limit (/mailbox status all).",
    ),
    "sync_partial": (
        "The sending mailbox sends but does not read replies, so follow-ups wait.",
        "Press Resync on the mailbox (/mailbox resync).",
    ),
    "mailbox_paused": ("The sending mailbox was paused.", "Resume it with /mailbox resume."),
    "campaign": ("The campaign is not running.", "Start it with /outreach start."),
    "missing_variable": (
        "A merge field has no value on this profile and no fallback.",
        "Fill the field on the profile, or write {{field|fallback}} in the template.",
    ),
    "invalid_recipient": (
        "Invalid Recipient: the address does not look as if it could take mail.",
        "Correct the address on the profile and press Retry; if you trust it, retry from the Email Log.",
    ),
    "risky_address": (
        "The address is risky, so the mail waits.",
        "Correct the address on the profile, or send all the same: retry from the Email Log.",
    ),
    "address_check": (
        "The address is being checked.",
        "Nothing to press: the mail goes as soon as its domain has been looked up.",
    ),
    "suppressed": (
        "Do not contact: this address is on the workspace's do-not-contact list.",
        "Only an admin can take it off the list (/outreach block).",
    ),
    "email_limit": (
        "Email Limit: the workspace's limit of mails a day is reached.",
        "Press Retry tomorrow; what failed today is not sent by itself.",
    ),
    "mailbox_limit": (
        "The sending mailbox has sent what it may in 24 hours.",
        "Nothing to press: the mail goes as soon as there is room.",
    ),
    "minute_limit": (
        "The sending mailbox has sent what its host takes in a minute.",
        "Nothing to press: the mail goes in a moment.",
    ),
    "domain_limit": (
        "Your sending domain grows its volume by at most a tenth a day.",
        "Nothing to press: the mail goes as soon as there is room.",
    ),
    "company_limit": (
        "This company has got what one company may get in 24 hours.",
        "Nothing to press: the mail goes as soon as there is room.",
    ),
    "first_mails_limit": (
        "The campaign has sent its first mails of today.",
        "Nothing to press: the mail goes as soon as there is room.",
    ),
    "sms_limit": (
        "The workspace has sent the texts that it may in 24 hours.",
        "Nothing to press: the text goes as soon as there is room.",
    ),
    "provider_limit": (
        "The sending mailbox's host said that this was too much for now.",
        "Nothing to press: sending goes on, more slowly, when the host allows it.",
    ),
    "mailbox_brake": (
        "The sending mailbox is stopped: too many of its mails bounced.",
        "Look at the addresses, then an admin or the owner lifts the brake on its card.",
    ),
    "campaign_brake": (
        "The campaign is stopped: too many of its mails bounced.",
        "Look at the addresses, then lift the brake on its card.",
    ),
    "everything_stopped": (
        "An admin has stopped everything.",
        "An admin lets it go on with /outreach resume everything.",
    ),
    "owner_away": (
        "The recruiter's follow-ups wait while they are away.",
        "They go on by themselves on the day of return, or with /outreach back.",
    ),
    "out_of_office": (
        "This person is out of the office.",
        "Nothing to press: the next stage goes after their return.",
    ),
    "attachment_missing": (
        "An attachment of this stage is not there.",
        "Add the file to the campaign again, then press Retry.",
    ),
    "sms_off": (
        "Texts are not set up here.",
        "The operator gives Rethread an SMS account; or skip this stage.",
    ),
    "no_phone": (
        "The profile has no phone number that a text can go to.",
        "Add a number with its country code, then press Retry.",
    ),
    "sms_refused": (
        "The SMS provider refused the text.",
        "Look at its words below; correct the number and press Retry.",
    ),
    "unsubscribed": (
        "Unsubscribed: this person asked not to be written to.",
        "Nothing more goes to this address.",
    ),
    "they_called": ("They called.", "Unpause to go on with the campaign."),
    "they_texted": ("They texted.", "Unpause to go on with the campaign."),
    "they_booked": ("They booked a meeting.", "Unpause to go on with the campaign."),
    "manual_stage": (
        "This stage is done by a person.",
        "Press Done on its card once it is done, or Skip.",
    ),
}


CODES: Final = (*_TABLE, *SMS_REASONS)
"""Every code that ``reason`` knows."""

WAITS_OF_MAILBOX: Final = frozenset(
    "host_away mailbox_brake mailbox_paused mailbox_pending owner_away sync_behind sync_partial".split()
)
"""For what a stage waits because of the mailbox it goes from: with another sender it waits for that no more."""

_TEXT_UNKNOWN: Final = (
    "It is not certain whether the last text went out.",
    "Nothing goes until that is settled: by the text message provider's list, or by you on the card.",
)


def undecided(kind: str) -> Reason:
    """Why nothing more goes while the outcome of a stage of this kind is unknown."""
    return Reason("delivery_unknown", *_TEXT_UNKNOWN) if kind == "sms" else reason("delivery_unknown")


def reason(code: str, detail: str = "") -> Reason:
    """The reason of a code, with a detail (a field's name, a note) behind what happened."""
    text, fix = _TABLE[code] if code in _TABLE else SMS_REASONS[code]
    return Reason(code, f"{text} {detail}".strip(), fix)


def reason_of_refusal(topic: Topic) -> Reason:
    """The reason that a server's refusal gives."""
    code = "_".join("".join(char if char.isalnum() else " " for char in topic.badge.lower()).split())
    return Reason(code or topic.klass, f"{topic.badge}.", topic.fix)
