"""Why a prospect waits or failed: a code for machines, what happened, and what to press (R114..R132, R207). Pure."""

from __future__ import annotations

from typing import Final

from core.domain.enrollment import Reason
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
    "manual_stage": (
        "This stage is done by a person.",
        "Do it, then skip the stage so that the campaign goes on.",
    ),
}


def reason(code: str, detail: str = "") -> Reason:
    """The reason of a code, with a detail (a field's name, a note) behind what happened."""
    text, fix = _TABLE[code]
    return Reason(code, f"{text} {detail}".strip(), fix)


def reason_of_refusal(topic: Topic) -> Reason:
    """The reason that a server's refusal gives."""
    code = "_".join("".join(char if char.isalnum() else " " for char in topic.badge.lower()).split())
    return Reason(code or topic.klass, f"{topic.badge}.", topic.fix)
