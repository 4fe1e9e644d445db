"""How mailboxes are, state in words first, each with what fits its state to press (R6..R16, R33..R38, R223). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.slack.blocks import kit
from bot.slack.blocks import mailbox_words as words
from bot.slack.blocks.alert_parts import fix_label
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.mailbox_buttons import needs_a_person, state_buttons
from bot.slack.blocks.text import count, local_time
from bot.slack.read_models import Reading, Seats
from core.domain.account import Mailbox, SyncFault
from core.domain.account import MailboxStatus as Status
from core.domain.diagnosis import CAUSES
from core.domain.moment import iso
from core.ports.storage import SyncLogEntry

_SECURITY: Final = {"ssl": "TLS", "none": "no encryption"}
_SIGN_IN: Final = {
    "google": "signed in with Google",
    "microsoft": "signed in with Microsoft",
    "password": "by password",
}
_FEW: Final = 5
"""Up to so many mailboxes each have their buttons; in longer lists only those that wait for somebody."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known beside the mailboxes themselves: how far each is read, by id, and the workspace's seats.
    ``show_seats``: the reader is an admin, whose business they are."""

    readings: Mapping[str, Reading] = field(default_factory=dict)
    seats: Seats | None = None
    show_seats: bool = False


NOTHING_KNOWN: Final = Surroundings()


def mailbox_list(title: str, mailboxes: Sequence[Mailbox], around: Surroundings = NOTHING_KNOWN) -> Card:
    """The broken ones first; as many as fit, and how to see the rest."""
    if not mailboxes:
        empty = kit.paragraph([kit.glue("None yet. Connect one with "), kit.typed("/mailbox connect")])
        return Card(kit.fallback(f"{title}: none yet. Connect one with /mailbox connect."), [kit.header(title), empty])
    broken = sum(mailbox.light == "red" for mailbox in mailboxes)
    summary = f"{title}: {count(len(mailboxes), 'mailbox', 'mailboxes')}, {broken} broken."
    stack = Stack(kit.header(title), most_blocks=kit.MOST_BLOCKS - 1, most_json=kit.MOST_JSON - 400)
    if around.seats and around.show_seats:
        stack.add(kit.context(_seats(around.seats)))
    shown = add_mailboxes(stack, mailboxes, around)
    if shown < len(mailboxes):
        more = f"{len(mailboxes) - shown} more. See one with /mailbox status address."
        stack.blocks.append(kit.context(more))
    return Card(kit.fallback(summary), stack.blocks)


def _seats(seats: Seats) -> str:
    """``12 of 50 seats are taken``"""
    if not seats.limit:
        return f"{count(seats.used, 'mailbox', 'mailboxes')} synced; this workspace has no limit (mailbox_limit)"
    are = "is" if seats.used == 1 else "are"
    return f"{seats.used:,} of {count(seats.limit, 'seat')} {are} taken (mailbox_limit)"


def add_mailboxes(stack: Stack, mailboxes: Sequence[Mailbox], around: Surroundings = NOTHING_KNOWN) -> int:
    """Adds what fits, the broken ones first; returns how many mailboxes that were."""
    few = len(mailboxes) <= _FEW
    for shown, mailbox in enumerate(sorted(mailboxes, key=lambda one: not needs_a_person(one))):
        if not stack.add(*mailbox_blocks(mailbox, around, pressable=few or needs_a_person(mailbox))):
            return shown
    return len(mailboxes)


def mailbox_blocks(mailbox: Mailbox, around: Surroundings = NOTHING_KNOWN, *, pressable: bool = True) -> list[Json]:
    """One mailbox: state, check marks, what is under way or late, what broke and its fix, and its buttons."""
    reading = around.readings.get(mailbox.id)
    facts = [
        words.history_in_words(mailbox, reading),
        words.lag_in_words(mailbox, reading),
        words.counts_in_words(reading),
    ]
    lines = [
        [kit.bold(mailbox.address, 254), kit.glue(f": {words.state_in_words(mailbox)}")],
        [kit.glue(words.check_marks(mailbox))],
        *([kit.words(fact, 300)] for fact in facts if fact),
        [kit.glue("Last read "), kit.when(iso(mailbox.last_sync_at)), kit.glue(", owner "), kit.person(mailbox.owner)],
    ]
    for fault in _faults(mailbox):
        lines.extend(_fault(fault, support=words.for_support(mailbox)))
    step = words.next_step(mailbox, around.seats)
    if step:
        lines.append([kit.strong("Next: "), kit.glue(step)])
    buttons = state_buttons(mailbox) if pressable else []
    return [kit.paragraph(*lines), *([kit.actions(*buttons)] if buttons else [])]


def _faults(mailbox: Mailbox) -> list[SyncFault]:
    told = mailbox.status in (*words.BROKEN, Status.CONNECTING)
    reading = mailbox.fault if told and mailbox.fault != mailbox.send_fault else None
    return [fault for fault in (reading, mailbox.send_fault) if fault is not None]


def _fault(fault: SyncFault, *, support: bool) -> list[list[Json]]:
    known = CAUSES.get(fault.cause)
    return [
        *([[kit.strong(known.title)]] if known else []),
        kit.said(fault.raw, 200),
        [kit.glue(fix_label(support)), kit.words(fault.fix, 300)],
    ]


def mailbox_detail(mailbox: Mailbox, around: Surroundings = NOTHING_KNOWN, latest: SyncLogEntry | None = None) -> Card:
    """One mailbox with its servers and its most recent error, also where that is over (R40)."""
    facts = kit.paragraph(
        [kit.glue("Reading: "), kit.words(_server(mailbox.imap_host, mailbox.imap_port, mailbox.imap_tls))],
        [kit.glue("Sending: "), kit.words(_server(mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_tls))],
    )
    blocks = [*mailbox_blocks(mailbox, around), facts]
    if latest is not None and not _faults(mailbox):
        blocks.append(_most_recent(latest))
    sign_in = _SIGN_IN.get(mailbox.sign_in, _SIGN_IN["password"])
    blocks.append(
        kit.context(f"Connected {local_time(iso(mailbox.created_at))}, {sign_in}", "recent errors: /mailbox log")
    )
    return Card(kit.fallback(f"{mailbox.address}: {words.state_in_words(mailbox)}."), blocks)


def _most_recent(entry: SyncLogEntry) -> Json:
    return kit.paragraph(
        [kit.glue("Most recent error, "), kit.when(iso(entry.at)), kit.glue(": "), kit.words(entry.raw, 200)]
    )


def _server(host: str, port: int, tls: str) -> str:
    return f"{host}:{port} ({_SECURITY.get(tls, tls.upper())})"


def outcomes(title: str, results: Mapping[str, str]) -> Card:
    """What became of each of several mailboxes: address to sentence."""
    stack = Stack(kit.header(title))
    for address, outcome in results.items():
        if not stack.add(kit.note(f"{address}: {outcome}")):
            break
    return Card(kit.fallback(f"{title}."), stack.blocks)
