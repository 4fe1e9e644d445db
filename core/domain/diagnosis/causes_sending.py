"""Causes around sending: our limits and reputation, the recipient's mailbox, the message itself. Pure data."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.diagnosis.model import Cause, CauseClass, Who


def _pause(title: str, fix: str, who: Who, forward: str | None = None, *, transient: bool = False) -> Cause:
    return Cause(CauseClass.PAUSE_SENDING, title, fix, who=who, forward=forward, transient=transient)


def _recipient(title: str, fix: str) -> Cause:
    return Cause(CauseClass.RECIPIENT, title, fix)


def _content(title: str, fix: str) -> Cause:
    return Cause(CauseClass.CONTENT, title, fix)


_PAUSE: dict[str, Cause] = {
    "relay_denied": _pause(
        "Server does not send for this address",
        "The outgoing server does not pass on mail for this sender or without a login; replies still arrive. Press "
        "Reconnect and check the outgoing server, or add the address as an alias of the account.",
        Who.RECRUITER,
    ),
    "not_authenticated": _pause(
        "Outgoing server wants a login",
        "The outgoing server was asked to send without a valid login; replies still arrive. Press Reconnect and enter "
        "the login for sending as well.",
        Who.RECRUITER,
    ),
    "ip_no_ptr": _pause(
        "Sending server has no reverse DNS",
        "Recipients refuse the sending server because its address has no name in DNS. Send the text below to your mail "
        "administrator, then press Resync.",
        Who.MAIL_ADMIN,
        "Our outgoing mail server's IP address has no PTR (reverse DNS) record that matches its name. Please add one.",
    ),
    "sending_quota": _pause(
        "Daily sending limit reached",
        "The mailbox has sent as much as its provider allows for now; that is the provider's limit, not Rethread's. "
        "Sending goes on by itself when it ends, usually after 24 hours.",
        Who.RECRUITER,
        transient=True,
    ),
    "sender_blocked": _pause(
        "Provider has blocked sending",
        "The provider stopped this mailbox from sending because it suspects spam or a break-in. Sign in to webmail and "
        "follow what it says, or send the text below to your administrator; then press Resync.",
        Who.MAIL_ADMIN,
        "The mailbox is blocked from sending (suspected spam or break-in). Please check it, change its password and "
        "release it; in Microsoft 365 that is Defender, Restricted entities.",
    ),
    "sender_not_allowed": _pause(
        "Mailbox may not use this From address",
        "The From address is not one this sign-in may send as. Choose the right mailbox as sender, or add the address "
        "as an alias or “Send As” right, then press Resync.",
        Who.RECRUITER,
        "Please let this user send as the address named in the server's reply.",
    ),
    "sender_mailbox_full": _pause(
        "Your own mailbox is full",
        "The provider stops sending because the sender's mailbox has no space left. Delete or archive mail, then press "
        "Resync.",
        Who.RECRUITER,
    ),
    "sender_unauthenticated": _pause(
        "Domain does not prove its mail (SPF, DKIM)",
        "Recipients refuse the mail because the sending domain's SPF or DKIM is missing or wrong. Send the text below "
        "to whoever runs the domain; press Resync once DNS has changed.",
        Who.MAIL_ADMIN,
        "Mail from our domain fails SPF or DKIM. Please publish the SPF record our mail provider names and turn on "
        "DKIM signing.",
    ),
    "dmarc_fail": _pause(
        "Mail fails the domain's DMARC rule",
        "The From domain and the domain that SPF or DKIM vouch for differ, so recipients refuse it. Send from the "
        "mailbox of that domain, or send the text below to whoever runs it; then press Resync.",
        Who.MAIL_ADMIN,
        "Mail from our domain fails DMARC: neither SPF nor DKIM aligns with the From domain. Please correct this.",
    ),
    "ip_reputation": _pause(
        "Sending server has a bad reputation",
        "Recipients hold back mail because of the sending server's address. Pause bulk mail and send the text below to "
        "your administrator.",
        Who.MAIL_ADMIN,
        "Recipients refuse our outgoing server's IP address for its reputation. Please check blocklists and ask the "
        "recipient's postmaster to lift it.",
    ),
    "sender_reputation": _pause(
        "Domain has a bad reputation",
        "Recipients take mail of this domain for spam because of what was sent before. Stop bulk mail, raise the "
        "volume slowly later, and let the administrator check SPF, DKIM and DMARC.",
        Who.MAIL_ADMIN,
        "Recipients rate our domain's reputation as very low. Please check SPF, DKIM, DMARC and complaint rates.",
    ),
}

_RECIPIENT: dict[str, Cause] = {
    "recipient_unknown": _recipient(
        "Address does not exist",
        "The recipient's server knows no such mailbox. Correct the address on the profile, then press Retry.",
    ),
    "recipient_disabled": _recipient(
        "Mailbox is switched off",
        "The recipient's mailbox is disabled or abandoned. Use another address for this person.",
    ),
    "recipient_domain_unknown": _recipient(
        "Domain takes no mail",
        "The part after the @ does not exist or takes no mail. Correct the address, then press Retry.",
    ),
    "recipient_syntax": _recipient(
        "Address is not written correctly",
        "The recipient's address is not a valid one. Correct it on the profile, then press Retry.",
    ),
    "recipient_mailbox_full": _recipient(
        "Recipient's mailbox is full",
        "The recipient has no space left for mail. Try again in two days or use another address.",
    ),
    "recipient_rejects_sender": _recipient(
        "Recipient does not take your mail",
        "The recipient's server refuses mail from outside or from you; its words are shown. Use another address or "
        "another way to reach the person.",
    ),
    "delivery_expired": _recipient(
        "Could not be delivered in time",
        "The recipient's server did not answer for days, so delivery was given up. Check the domain, then press Retry "
        "once.",
    ),
    "routing_loop": _recipient(
        "Mail goes round in circles",
        "The recipient's servers pass the mail on to each other without end. Use another address; only their "
        "administrator can mend it.",
    ),
}

_CONTENT: dict[str, Cause] = {
    "content_rejected": _content(
        "Refused as spam by its content",
        "The recipient's server took the message for unwanted mail and did not accept it. Rewrite it more personally, "
        "with fewer links, then press Retry.",
    ),
    "attachment_blocked": _content(
        "Attachment refused",
        "The recipient's server does not take this kind of attachment or link. Remove it or share it as a link, then "
        "press Retry.",
    ),
    "message_too_large": _content(
        "Message is too large",
        "The message with its attachments is larger than the server takes. Make them smaller or share a link, then "
        "press Retry.",
    ),
    "too_many_recipients": _content(
        "Too many recipients at once",
        "The message names more recipients than the server takes. Send it to fewer at a time, then press Retry.",
    ),
}

SENDING_CAUSES: Mapping[str, Cause] = {**_PAUSE, **_RECIPIENT, **_CONTENT}
