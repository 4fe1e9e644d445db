"""Short answers that one person sees: done, hint, error, private link, question, welcome. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.action_ids import DISCONNECT, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card
from bot.slack.blocks.text import escaped, sentence
from bot.slack.command_parser import MAILBOX, OUTREACH, Hint
from core.domain.account import Mailbox, MailboxStatus

_NOT_DELIVERED: Final = (
    "what falls due is shown as Not Delivered, and Retry sends it once sending and reading are both on."
)
_FOLLOWS: Final = {
    ("send", True): "The mail server was tried and lets Rethread send.",
    ("send", False): f"Campaigns send nothing from it: {_NOT_DELIVERED}",
    ("capture", True): "Mail that comes from now on is logged; what came while it was off is not.",
    ("capture", False): "Its mail is not logged any more and replies are not noticed, so its campaigns send nothing: "
    + _NOT_DELIVERED,
}
_WAITS: Final = "You are told in a direct message; /mailbox status says what would make room."
_LISTED: Final = 20
_BOTH: Final = "Campaigns need both switches: type /mailbox switch {} {} on."


def said(text: str, *details: str) -> Card:
    """One sentence, and further lines below."""
    return Card(sentence(text, kit.FALLBACK) or "–", [kit.note(text), *(kit.note(detail) for detail in details[:10])])


def refreshed(mailbox: Mailbox) -> Card:
    return said(f"{mailbox.address}: new mail is being read now.")


def paused(mailbox: Mailbox) -> Card:
    return said(f"{mailbox.address}: paused; nothing is read or sent until /mailbox resume.")


def resumed(mailbox: Mailbox) -> Card:
    if mailbox.status is MailboxStatus.PENDING:
        return said(f"{mailbox.address}: resumed; it waits for a free seat. {_WAITS}")
    return said(f"{mailbox.address}: resumed; connecting now.")


def resyncing(mailbox: Mailbox) -> Card:
    """One given up after two days has lost its seat, and may have to wait for another."""
    if mailbox.status is MailboxStatus.PENDING:
        return said(f"{mailbox.address}: it is tried again as soon as a seat is free. {_WAITS}")
    return said(f"Resync started: {mailbox.address}.")


def switched(before: Mailbox, mailbox: Mailbox, switch: str) -> Card:
    """``switch``, send or capture, as it is now, and what follows from that (R6..R9, R80)."""
    sending = switch == "send"
    what, on, other = ("sending", mailbox.send, "capture") if sending else ("reading", mailbox.capture, "send")
    is_now = f"{mailbox.address}: {what} is {'on' if on else 'off'}"
    if (before.send, before.capture) == (mailbox.send, mailbox.capture):
        return said(f"{is_now} already; nothing was changed.")
    both = on and not (mailbox.send and mailbox.capture)
    return said(f"{is_now}.", _FOLLOWS[switch, on], *([_BOTH.format(mailbox.address, other)] if both else []))


def hint(asked: Hint) -> Card:
    """What was not understood, and what to type."""
    blocks = [kit.paragraph([kit.words(asked.problem, 300)], [kit.glue("Type: "), kit.typed(asked.usage, 200)])]
    return Card(kit.fallback(asked.problem, "Type:", asked.usage), blocks)


def error(message: str, fix: str = "", *, quoted: str = "", reference: str = "", listed: Sequence[str] = ()) -> Card:
    """What went wrong, point by point where it is ``listed``, somebody else's own words where there are some, what to
    do, and, where asking somebody is what there is to do, the reference to quote."""
    blocks = [kit.note(message)]
    if listed:
        more = [f"and {len(listed) - _LISTED} more"] if len(listed) > _LISTED else []
        blocks.append(kit.bullets([*listed[:_LISTED], *more]))
    if quoted:
        blocks.append(kit.server_said(quoted))
    if fix:
        blocks.append(kit.note(fix))
    if reference:
        blocks.append(kit.context(f"Reference {escaped(reference, 40)}"))
    words = " ".join(part for part in (message, *listed[:3], fix) if part)
    return Card(sentence(words, kit.FALLBACK) or "–", blocks)


def ask_disconnect(mailbox: Mailbox) -> Card:
    """Asked once more, because the password is forgotten."""
    asked = kit.confirm(
        "Disconnect?",
        f"Rethread forgets the password of {mailbox.address}. The history stays.",
        "Disconnect",
        danger=True,
    )
    value = encode(mailbox.id, mailbox.version)
    blocks = [
        kit.paragraph(
            [kit.glue("Disconnect "), kit.bold(mailbox.address, 254), kit.glue("? Campaigns stop sending from it.")]
        ),
        kit.actions(kit.button("Disconnect", DISCONNECT, value, style="danger", confirm=asked)),
    ]
    return Card(kit.fallback(f"Disconnect {mailbox.address}?"), blocks)


def welcome() -> Card:
    """Once, when Rethread is added to a channel: what it does here, and how to begin."""
    blocks = [
        kit.header("Rethread is here"),
        kit.paragraph(
            [
                kit.glue(
                    "It tells this channel when a mailbox stops syncing, when a candidate replies, and when a mail of a"
                )
            ],
            [kit.glue("campaign could not be delivered: each on one card, with the buttons to put it right.")],
        ),
        kit.paragraph(
            [kit.glue("Begin with "), kit.typed(f"{MAILBOX} connect"), kit.glue(" or "), kit.typed(f"{OUTREACH} help")],
            [
                kit.glue("An admin makes this the channel for alerts with "),
                kit.typed(f"{MAILBOX} settings alert_channel #this-channel"),
            ],
        ),
    ]
    return Card("Rethread is here. Type /mailbox help or /outreach help to begin.", blocks)
