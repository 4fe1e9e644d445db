"""How mailboxes are, state in words first; their settings and running log (R8..R16, R39, R40). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.slack.action_ids import RESYNC_HERE, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.mailbox_buttons import mend_buttons
from bot.slack.blocks.text import count, local_time
from core.domain.account import Mailbox
from core.domain.account import MailboxStatus as Status
from core.domain.moment import iso
from core.domain.workspace_settings import Setting
from core.ports.storage import SyncLogEntry

_STATES: Final = {
    Status.ACTIVE: "Syncing",
    Status.CONNECTING: "Connecting",
    Status.HISTORICAL: "Reading old mail",
    Status.PARTIAL: "Partly synced",
    Status.ERROR: "Sync broken",
    Status.CONNECTION_ISSUE: "Sync broken, given up after two days",
    Status.PENDING: "Waiting for a free seat",
    Status.PAUSED: "Paused",
    Status.DISCONNECTED: "Disconnected",
}
_SECURITY: Final = {"ssl": "TLS", "none": "no encryption"}
_BROKEN: Final = (Status.ERROR, Status.CONNECTION_ISSUE, Status.PARTIAL)


def state_in_words(mailbox: Mailbox) -> str:
    """``Sync broken (red)``"""
    return f"{_STATES[mailbox.status]} ({mailbox.light})"


def mailbox_list(title: str, mailboxes: Sequence[Mailbox]) -> Card:
    """The broken ones first; as many as fit, and how to see the rest."""
    broken = sum(mailbox.light == "red" for mailbox in mailboxes)
    summary = f"{title}: {count(len(mailboxes), 'mailbox', 'mailboxes')}, {broken} broken."
    if not mailboxes:
        empty = kit.paragraph([kit.glue("None yet. Connect one with "), kit.typed("/mailbox connect")])
        return Card(kit.fallback(f"{title}: none yet. Connect one with /mailbox connect."), [kit.header(title), empty])
    stack = Stack(kit.header(title), most_blocks=kit.MOST_BLOCKS - 1, most_json=kit.MOST_JSON - 400)
    shown = add_mailboxes(stack, mailboxes)
    if shown < len(mailboxes):
        more = f"{len(mailboxes) - shown} more. See one with /mailbox status address."
        stack.blocks.append(kit.context(more))
    return Card(kit.fallback(summary), stack.blocks)


def add_mailboxes(stack: Stack, mailboxes: Sequence[Mailbox]) -> int:
    """Adds what fits, the broken ones first; returns how many mailboxes that were."""
    for shown, mailbox in enumerate(sorted(mailboxes, key=lambda one: one.status not in _BROKEN)):
        if not stack.add(*mailbox_blocks(mailbox)):
            return shown
    return len(mailboxes)


def mailbox_blocks(mailbox: Mailbox) -> list[Json]:
    """One mailbox in short; with what broke, how to fix it and buttons where it is broken."""
    lines = [
        [kit.bold(mailbox.address, 254), kit.glue(f": {state_in_words(mailbox)}")],
        [kit.glue(_switches(mailbox))],
        [kit.glue("Last read "), kit.when(iso(mailbox.last_sync_at)), kit.glue(", owner "), kit.person(mailbox.owner)],
    ]
    if mailbox.fault:
        lines.append([kit.glue("The mail server said: "), kit.words(mailbox.fault.raw, 200)])
        lines.append([kit.glue("How to fix it: "), kit.words(mailbox.fault.fix, 300)])
    blocks = [kit.paragraph(*lines)]
    if mailbox.status in _BROKEN:
        fix = mailbox.fault.fix if mailbox.fault else ""
        value = encode(mailbox.id, mailbox.version)
        blocks.append(mend_buttons(mailbox.address, value, fix, resync=RESYNC_HERE))
    return blocks


def mailbox_detail(mailbox: Mailbox) -> Card:
    """One mailbox with its servers and switches."""
    facts = kit.paragraph(
        [kit.glue("Reading: "), kit.words(_server(mailbox.imap_host, mailbox.imap_port, mailbox.imap_tls))],
        [kit.glue("Sending: "), kit.words(_server(mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_tls))],
    )
    since = kit.context(f"Connected {local_time(iso(mailbox.created_at))}", "recent errors: /mailbox log")
    blocks = [*mailbox_blocks(mailbox), facts, since]
    return Card(kit.fallback(f"{mailbox.address}: {state_in_words(mailbox)}."), blocks)


def _server(host: str, port: int, tls: str) -> str:
    return f"{host}:{port} ({_SECURITY.get(tls, tls.upper())})"


def _switches(mailbox: Mailbox) -> str:
    """What it is connected for (R6..R9): ``Sends outreach ✓, reads replies ✓``"""
    sends = "Sends outreach ✓" if mailbox.send else "Does not send outreach ✗"
    return f"{sends}, {'reads replies ✓' if mailbox.capture else 'does not read replies ✗'}"


def mailbox_log(mailbox: Mailbox, entries: Sequence[SyncLogEntry]) -> Card:
    """Date and time, what the error was, how best to fix it (R39)."""
    title = f"Recent errors: {mailbox.address}"
    if not entries:
        return Card(kit.fallback(f"{title}: none."), [kit.header(title), kit.note("None.")])
    stack = Stack(kit.header(title))
    for entry in entries:
        lines = kit.paragraph(
            [kit.when(iso(entry.at)), kit.glue(": "), kit.words(entry.raw, 300)],
            [kit.glue("How to fix it: "), kit.words(entry.fix, 300)],
        )
        if not stack.add(lines):
            break
    return Card(kit.fallback(f"{title}: {count(len(entries), 'error')}."), stack.blocks)


def settings_list(lines: Sequence[tuple[Setting, Any, bool]]) -> Card:
    """Each setting with its value, whether that is the default, and its meaning."""
    stack = Stack(kit.header("Settings of this workspace"))
    for setting, value, is_default in lines:
        stack.add(kit.paragraph(_setting(setting.key, value, is_default), [kit.words(setting.meaning, 300)]))
    stack.add(kit.context("An admin changes one with /mailbox settings name value; “default” puts it back."))
    return Card("Settings of this workspace.", stack.blocks)


def setting_changed(setting: Setting, value: Any, is_default: bool) -> Card:
    return Card(
        kit.fallback(f"{setting.key} is now {_shown(value)}."),
        [
            kit.paragraph(
                [kit.glue("Changed. "), *_setting(setting.key, value, is_default)], [kit.words(setting.meaning)]
            )
        ],
    )


def _setting(key: str, value: Any, is_default: bool) -> list[Json]:
    return [kit.typed(key), kit.glue(" = "), kit.bold(_shown(value)), *([kit.glue(" (default)")] if is_default else [])]


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return ", ".join(f"{one:g}" for one in value) if isinstance(value, list | tuple) else str(value)


def outcomes(title: str, results: Mapping[str, str]) -> Card:
    """What became of each of several mailboxes: address to sentence."""
    stack = Stack(kit.header(title))
    for address, outcome in results.items():
        if not stack.add(kit.note(f"{address}: {outcome}")):
            break
    return Card(kit.fallback(f"{title}."), stack.blocks)
