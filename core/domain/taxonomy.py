"""What a refusal means for a prospect: the classes of refusals, the status each leads to, what to do next. Pure data.

Class names are those of the field's largest public sets. A *topic* is a class with a more exact cause, where the
cause changes the status or the advice (the mailbox's own daily limit is not the recipient's greylisting).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Next(StrEnum):
    """What follows a refusal by itself."""

    NOTHING = "nothing"
    SUPPRESS_ADDRESS = "suppress_address"
    SUPPRESS_PERSON = "suppress_person"
    RETRY_IN_DAYS = "retry_in_days"
    BACK_OFF = "back_off"
    WAIT_FOR_WINDOW = "wait_for_window"
    BRAKE_MAILBOX = "brake_mailbox"
    STOP_MAILBOX = "stop_mailbox"
    ALERT_ADMIN = "alert_admin"
    RESYNC = "resync"
    EDIT_AND_RETRY = "edit_and_retry"


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the taxonomy.

    ``status`` is the prospect's status as displayed, None where nothing changes; ``badge`` the reason beside it;
    ``fix`` says in a recruiter's words what happened and what to do.
    """

    klass: str
    status: str | None
    badge: str
    next: Next
    fix: str


NOT_DELIVERED: Final = "Not Delivered"
BOUNCED: Final = "Bounced"
SPAM: Final = "Spam"

TOPICS: Final[dict[str, Topic]] = {
    "invalid_recipient": Topic(
        "invalid_recipient", BOUNCED, "Invalid Recipient", Next.SUPPRESS_ADDRESS,
        "This mailbox does not exist. Check the address for typing errors or ask the person for another one.",
    ),
    "recipient_moved": Topic(
        "invalid_recipient", BOUNCED, "Recipient moved", Next.SUPPRESS_ADDRESS,
        "The person has moved to another address; the server's words below may name it. Put the new one on the "
        "profile.",
    ),
    "invalid_domain": Topic(
        "invalid_domain", BOUNCED, "Invalid domain", Next.SUPPRESS_ADDRESS,
        "The part after the @ takes no mail. Check it for typing errors or use another address of the person.",
    ),
    "mailbox_full": Topic(
        "mailbox_full", NOT_DELIVERED, "Mailbox full", Next.RETRY_IN_DAYS,
        "The person's mailbox is full. Rethread tries once more in a few days; another address may be quicker.",
    ),
    "mailbox_disabled": Topic(
        "mailbox_disabled", BOUNCED, "Mailbox disabled", Next.SUPPRESS_ADDRESS,
        "The mailbox exists but is switched off. Use another address of the person.",
    ),
    "filtered": Topic(
        "filtered", NOT_DELIVERED, "Blocked by recipient", Next.NOTHING,
        "A rule on the recipient's side does not accept this mail. Reach the person another way.",
    ),
    "spam_block": Topic(
        "spam_block", SPAM, "Taken for spam", Next.BRAKE_MAILBOX,
        "The recipient's server took the mail for spam. Change wording and links, then retry; do not resend it as it "
        "is.",
    ),
    "reputation_block": Topic(
        "reputation_block", SPAM, "Sender's reputation", Next.BRAKE_MAILBOX,
        "The recipient's server blocks your sending server or domain because of its reputation. Send less for some "
        "days "
        "and ask your mail administrator to look at the blocklist that the answer names.",
    ),
    "auth_block": Topic(
        "auth_block", SPAM, "Authentication", Next.ALERT_ADMIN,
        "Your domain's mail is not properly signed (SPF, DKIM, DMARC or reverse DNS). Ask your mail administrator to "
        "mend it; /mailbox check shows what is missing.",
    ),
    "policy_block": Topic(
        "policy_block", NOT_DELIVERED, "Refused by policy", Next.NOTHING,
        "A policy of the recipient's company refuses this mail. Reach the person another way.",
    ),
    "sender_rejected": Topic(
        "sender_rejected", NOT_DELIVERED, "Sender rejected", Next.ALERT_ADMIN,
        "The server does not accept your address as a sender. Check that the mailbox's address and its domain are "
        "right.",
    ),
    "sender_blocked": Topic(
        "sender_rejected", NOT_DELIVERED, "Sending account blocked", Next.STOP_MAILBOX,
        "Your mail provider has blocked this mailbox from sending. Ask your mail administrator to release it.",
    ),
    "content_rejected": Topic(
        "content_rejected", NOT_DELIVERED, "Content rejected", Next.EDIT_AND_RETRY,
        "The server refuses something in the mail, such as an attachment or a malformed part. Change it and retry.",
    ),
    "too_large": Topic(
        "too_large", NOT_DELIVERED, "Too large", Next.EDIT_AND_RETRY,
        "The mail is too large for the recipient. Remove or shrink the attachments, or send a link, and retry.",
    ),
    "protocol_error": Topic(
        "protocol_error", NOT_DELIVERED, "Host error", Next.NOTHING,
        "The two mail servers did not understand each other. Retry later; if it stays, tell your mail administrator.",
    ),
    "security_error": Topic(
        "security_error", NOT_DELIVERED, "Access denied", Next.NOTHING,
        "The server refused access without saying more. Retry later or reach the person another way.",
    ),
    "login": Topic(
        "security_error", NOT_DELIVERED, "Email Not Synced", Next.RESYNC,
        "Your mail provider refused the sign-in for sending. Reconnect the mailbox, then retry.",
    ),
    "relay_denied": Topic(
        "relay_denied", NOT_DELIVERED, "Email Not Synced", Next.RESYNC,
        "The server does not pass mail on for this mailbox. Press Resync; if it stays, check the outgoing server.",
    ),
    "own_limit": Topic(
        "rate_limited", "Pending", "Throttled", Next.WAIT_FOR_WINDOW,
        "This mailbox has reached its provider's sending limit. Rethread waits until the limit frees and goes on.",
    ),
    "rate_limited": Topic(
        "rate_limited", NOT_DELIVERED, "Too Many Retries", Next.BACK_OFF,
        "The recipient's server asks senders to slow down. Wait some hours, then retry.",
    ),
    "expired": Topic(
        "expired", NOT_DELIVERED, "Too Many Retries", Next.NOTHING,
        "The recipient's server could not be reached for too long. Check the address and retry.",
    ),
    "network_error": Topic(
        "network_error", NOT_DELIVERED, "Too Many Retries", Next.NOTHING,
        "The mail found no way to the recipient's server. Check the part after the @ and retry later.",
    ),
    "server_error": Topic(
        "server_error", NOT_DELIVERED, "Host error", Next.NOTHING,
        "The recipient's mail server has a fault of its own. Retry later.",
    ),
    "unknown": Topic(
        "unknown", NOT_DELIVERED, "Unknown", Next.NOTHING,
        "The server gave no reason that Rethread knows. Its own words are shown below.",
    ),
    "complaint": Topic(
        "complaint", "Complete", "Unsubscribed", Next.SUPPRESS_PERSON,
        "The person marked the mail as unwanted. They will not be written to again.",
    ),
    "delivered": Topic("delivered", None, "", Next.NOTHING, "The mail was delivered."),
    "auto_reply": Topic("auto_reply", None, "", Next.NOTHING, "An automatic answer; it does not count as a reply."),
}  # fmt: skip

# At submission these leave the prospect as it is: the same mail is tried again (a full mailbox is told at once).
_STANDS_WHEN_TRANSIENT: Final = frozenset({"mailbox_full", "own_limit"})


def prospect_effect(klass: str, *, transient: bool = False) -> Topic:
    """The row of a class or topic, the unknown one for names that are none.

    ``transient``: the server will be asked again (a 4xx answer, a delay notice), so no status changes; a final report
    of a 4.x.x code is not transient (rule b).
    """
    topic = TOPICS.get(klass, TOPICS["unknown"])
    if transient and klass not in _STANDS_WHEN_TRANSIENT:
        return replace(topic, status=None, next=Next.BACK_OFF)
    return topic
