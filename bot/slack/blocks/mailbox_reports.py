"""Looking into one mailbox: its running log, a test mail, the facts for whoever helps (R17, R18, R25, R39). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.action_ids import POST_ALERT, POST_MAILBOX, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import clean, count
from bot.slack.read_models import EscalationPack, MailTest
from core.domain.account import Mailbox
from core.domain.diagnosis import CAUSES
from core.domain.diagnosis.causes_own import OWN_CAUSES
from core.domain.moment import iso
from core.domain.old_mail import LOG_CAUSE
from core.ports.storage import SyncLogEntry

_PIECE: Final = 2_400
_PIECES: Final = 5
_NOTES: Final = {LOG_CAUSE: "Search for old mail"}
_WINDOW: Final = "For support"


def mailbox_log(mailbox: Mailbox, entries: Sequence[SyncLogEntry]) -> Card:
    """Date and time, what the error was in people's and in the server's words, how best to fix it (R39)."""
    title = f"Recent errors: {mailbox.address}"
    if not entries:
        return Card(kit.fallback(f"{title}: none."), [kit.header(title), kit.note("None.")])
    stack = Stack(kit.header(title), most_blocks=kit.MOST_BLOCKS - 1, most_json=kit.MOST_JSON - 300)
    shown = 0
    for entry in entries:
        if not stack.add(_entry(entry)):
            break
        shown += 1
    older = [f"{count(len(entries) - shown, 'older one')} not shown"] if shown < len(entries) else []
    stack.blocks.append(kit.context("Newest first", *older))
    notes = sum(entry.cause in _NOTES for entry in entries)
    amount = [count(len(entries) - notes, "error")] if notes < len(entries) else []
    amount += [count(notes, "note")] if notes else []
    return Card(kit.fallback(f"{title}: {', '.join(amount)}."), stack.blocks)


def _entry(entry: SyncLogEntry) -> Json:
    if entry.cause in _NOTES:
        heading = kit.strong(f": {_NOTES[entry.cause]}")
        return kit.paragraph([kit.when(iso(entry.at)), heading], [kit.words(entry.raw, 300)])
    known = CAUSES.get(entry.cause)
    # Our own finding may quote a folder's name or a server, and stays our finding.
    seen = [kit.glue("What Rethread saw: "), kit.words(entry.raw, 300)]
    return kit.paragraph(
        [kit.when(iso(entry.at)), kit.strong(f": {known.title if known else 'Cause not known'}")],
        seen if entry.cause in OWN_CAUSES else kit.said(entry.raw, 300),
        [kit.glue("How to fix it: "), kit.words(entry.fix or "see the server's words", 300)],
    )


def mail_tested(mailbox: Mailbox, result: MailTest) -> Card:
    """What became of a test mail."""
    return _went(mailbox, result) if result.sent else _did_not_go(mailbox, result)


def _went(mailbox: Mailbox, result: MailTest) -> Card:
    title = f"Test mail sent from {mailbox.address}"
    arrived = result.arrival or "Look there whether it has arrived, in the spam folder too."
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.glue("The mail server took it for "), kit.bold(result.to, 254), kit.glue(".")],
            [kit.words(arrived, 500)],
        ),
    ]
    if result.raw.strip():
        blocks.append(kit.server_said(result.raw))
    return Card(kit.fallback(f"{title} to {result.to}.", arrived), blocks)


def _did_not_go(mailbox: Mailbox, result: MailTest) -> Card:
    title = f"Test mail not sent: {mailbox.address}"
    blocks = [kit.header(title), kit.paragraph([kit.bold(result.title or "The mail server did not take it")])]
    if result.raw.strip():
        blocks.append(kit.server_said(result.raw))
    if result.fix:
        blocks.append(kit.paragraph([kit.strong("How to fix it: "), kit.words(result.fix, 500)]))
    return Card(kit.fallback(f"{title}.", *([f"{result.title}."] if result.title else []), result.fix), blocks)


def escalation(pack: EscalationPack, identifier: str, mark: str, *, version: int | None = None) -> Card:
    """The collected facts to copy, with a button that posts them where the admins read. ``identifier`` is an alert's,
    with its ``version``, or else a mailbox's; ``mark`` tells this window from the next."""
    action, value = (POST_MAILBOX if version is None else POST_ALERT), encode(identifier, version or 0, mark)
    blocks = [
        kit.paragraph([kit.glue("Did a resync not help? Send this to whoever runs Rethread. It holds no password.")]),
        *_pieces(pack.text),
        kit.actions(kit.button("Post it to the alert channel", action, value, style="primary")),
        kit.context("To send it by other ways, copy the text"),
    ]
    return Card("The facts that Rethread has, to copy and send.", blocks, window=_WINDOW)


def escalation_posted(channel: str) -> Card:
    """For whoever posted it."""
    done = kit.paragraph([kit.glue("Posted to "), kit.channel(channel), kit.glue(". Answers come there.")])
    return Card("Posted to the alert channel.", [done], window=_WINDOW)


def escalated(pack: EscalationPack, user: str) -> Card:
    """For the alert channel: who asks for help, and the facts, as far as a message holds them."""
    asks = [kit.person(user), kit.glue(" asks for help with a mailbox. These are the facts that Rethread has:")]
    stack = Stack(kit.header("Help is needed"), kit.paragraph(asks), most_json=kit.MOST_JSON - 300)
    for piece in _pieces(pack.text):
        if not stack.add(piece):
            stack.blocks.append(kit.context("There is more: ask for the whole text"))
            break
    return Card("Somebody asks for help with a mailbox.", stack.blocks)


def _pieces(text: str) -> list[Json]:
    """A long text in several blocks, cut between lines where it can be."""
    rest, blocks = clean(text, _PIECE * _PIECES, lines=True), []
    while rest.strip():
        cut = len(rest) if len(rest) <= _PIECE else rest.rfind("\n", 1, _PIECE)
        cut = cut if cut > 0 else _PIECE  # one line, longer than a block
        blocks.append(kit.preformatted(rest[:cut]))
        rest = rest[cut:].lstrip("\n")
    return blocks or [kit.machine_words("")]
