"""What is told again, and what is told ahead: a mailbox still broken, a sign-in that will end (R28, X10). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import RESYNC_HERE, encode
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import line, provider_name
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.mailbox_buttons import mend_buttons, reconnect_button
from bot.slack.blocks.text import count, local_time, mention
from core.domain.cards import ExpiryCard, SyncReminder

_QUIET: Final = "Acknowledge or Mute on its card ends these reminders"


def sync_reminder(facts: SyncReminder) -> Card:
    """Short: the card has the rest."""
    title, what = _why(facts), _which(facts)
    blocks = [
        kit.header(f"{title}: {what}"),
        kit.paragraph(
            [kit.bold(facts["title"])],
            [kit.strong("How to fix it: "), kit.words(facts["fix"], 500)],
        ),
        line(*_owner(facts), f"broken since {local_time(facts['since'])}", _QUIET),
        *_reminder_buttons(facts),
    ]
    return Card(kit.fallback(f"{title}: {what}.", f"{facts['title']}.", facts["fix"]), blocks, kit.RED)


def _why(facts: SyncReminder) -> str:
    if facts["changed"]:
        return "Broken for another reason now"
    return f"Still broken on day {facts['days']}"


def _which(facts: SyncReminder) -> str:
    if facts["address"]:
        return facts["address"]
    name = provider_name(facts["provider"])
    return count(facts["mailboxes"], "mailbox", "mailboxes") + (f" at {name}" if name else "")


def _owner(facts: SyncReminder) -> list[str]:
    return [f"owner {mention(facts['owner'])}"] if facts["owner"] else []


def _reminder_buttons(facts: SyncReminder) -> list[Json]:
    """For one mailbox; a storm's own card has the button for all of them."""
    if not facts["mailbox_id"]:
        return []
    value = encode(facts["mailbox_id"])
    return [kit.actions(*mend_buttons(facts["address"], value, facts["fix"], resync=RESYNC_HERE))]


def expiry_card(facts: ExpiryCard) -> Card:
    """``state`` decides: warned, renewed or ended."""
    return _BY_STATE[facts["state"]](facts)


def _warned(facts: ExpiryCard) -> Card:
    title = f"Sign-in may end {_when(facts['days_left'])}: {facts['address']}"
    name = provider_name(facts["provider"]) or "The mail provider"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [
                kit.glue(f"{name} may want a new sign-in then. Nothing is broken yet, and nothing stops if "),
                kit.person(facts["owner"]),
                kit.glue(" presses Reconnect and signs in before."),
            ]
        ),
        kit.context(f"Good until {local_time(facts['ends_at'])}"),
        kit.actions(_reconnect(facts)),
    ]
    return Card(kit.fallback(f"{title}.", "Press Reconnect before then, and nothing stops."), blocks, kit.AMBER)


def _when(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {count(days, 'day')}")


def _reconnect(facts: ExpiryCard) -> Json:
    value = encode(facts["mailbox_id"], facts["version"])
    return reconnect_button(facts["address"], value, sign_in=facts["provider"], primary=True)


def _renewed(facts: ExpiryCard) -> Card:
    title = f"Signed in again: {facts['address']}"
    text = "Somebody signed in anew in time; nothing has to be done."
    return Card(kit.fallback(f"{title}."), [kit.header(title), kit.paragraph([kit.glue(text)])], kit.GREEN)


def _ended(facts: ExpiryCard) -> Card:
    """Its time is over; or the mailbox was disconnected before that."""
    if facts["days_left"]:
        title = f"Nothing to renew: {facts['address']}"
        text = "The mailbox was disconnected, which ended its sign-in."
        return Card(kit.fallback(f"{title}."), [kit.header(title), kit.paragraph([kit.glue(text)])], kit.GREY)
    title = f"Sign-in overdue: {facts['address']}"
    text = "It may stop working at any moment. Press Reconnect and sign in again, and nothing stops."
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue(text)]),
        kit.context(f"Was good until {local_time(facts['ends_at'])}", f"owner {mention(facts['owner'])}"),
        kit.actions(_reconnect(facts)),
    ]
    return Card(kit.fallback(f"{title}.", text), blocks, kit.RED)


_BY_STATE: Final = {"warned": _warned, "renewed": _renewed, "ended": _ended}
