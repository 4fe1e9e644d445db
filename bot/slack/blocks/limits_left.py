"""What is left of today's limits; being away; stopping everything. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.text import count, escaped, local_time
from core.domain.moment import iso
from core.domain.reasons import reason
from core.services.holds import LimitLeft, LimitsLeft, MailboxLeft

_BOXES: Final = 30
_STOPPED: Final = ":octagonal_sign: *An admin has stopped everything:* nothing goes until it is let go on."


def limits_left(left: LimitsLeft) -> Card:
    """The workspace's limit, texts, and each mailbox: cap, used, which limit is the narrowest, when the next goes."""
    stack = Stack(kit.header("Left of today's limits"))
    if left.stopped:
        stack.add(kit.markup(_STOPPED))
    stack.add(
        kit.markup(
            f"*Workspace:* {_used(left.workspace, 'mail')}. It begins anew {local_time(iso(left.day_ends))}.\n"
            "What is over this limit becomes Not Delivered (Email Limit) and is sent only by Retry.\n"
            f"*Texts:* {_used(left.texts, 'text')}."
        ),
        kit.divider(),
    )
    for number, one in enumerate(left.mailboxes):
        if number >= _BOXES or not stack.add(kit.markup(_mailbox(one))):
            stack.add(kit.context(f"{len(left.mailboxes) - number} more mailboxes"))
            break
    if not left.mailboxes:
        stack.add(kit.note("You have no mailbox that sends. Connect one with /mailbox connect."))
    mails = count(left.workspace.left, "mail")
    return Card(kit.fallback(f"{mails} left in the workspace today."), stack.blocks)


def _used(limit: LimitLeft, noun: str) -> str:
    return f"{count(limit.left, noun)} left: {limit.used:,} of {limit.cap:,} used"


def _mailbox(one: MailboxLeft) -> str:
    lines = [f"*{escaped(one.address, 254)}:* {_used(one.limit, 'mail')} in 24 hours."]
    if one.stopped:
        lines.append(f":octagonal_sign: {escaped(reason(one.stopped).text, 300)}")
    elif not one.limit.left:
        lines.append(f"{escaped(one.limit.binds, 300)} The next place is free {local_time(iso(one.limit.next_at))}.")
    else:
        lines.append(f"The limit that comes first: {escaped(_limit_words(one.limit.binds), 300)}")
    return "\n".join(lines)


def _limit_words(binds: str) -> str:
    """``binds`` without its sentence on a limit that is reached, which this one is not yet."""
    return binds.removeprefix("The sending mailbox has sent what it may in 24 hours.").strip() or binds


def ask_stop() -> Card:
    """Asked once more, because it stops everybody's work."""
    asked = kit.confirm(
        "Stop everything?",
        "Nothing goes out of this workspace, from anybody, until an admin lets it go on. Nobody loses their place.",
        "Stop everything",
        danger=True,
    )
    button = kit.button("Stop everything", ids.STOP_EVERYTHING, encode("workspace"), style="danger", confirm=asked)
    text = "Stop everything? No campaign of this workspace sends anything until an admin lets it go on."
    return Card(kit.fallback(text), [kit.note(text), kit.actions(button)])


def stopped() -> Card:
    text = "Everything is stopped: nothing goes out. What falls due waits, and nobody loses their place."
    return Card(kit.fallback(text), [kit.note(text), kit.actions(_resume())], replaces=True)


def ask_resume() -> Card:
    text = "Let everything go on that was stopped? What fell due goes within its hours and limits."
    return Card(kit.fallback(text), [kit.note(text), kit.actions(_resume())])


def _resume() -> Json:
    asked = kit.confirm("Let everything go on?", "Sending begins again at once.", "Let it go on")
    return kit.button("Let it go on", ids.RESUME_EVERYTHING, encode("workspace"), confirm=asked)


def resumed(stages: int) -> Card:
    text = f"Everything goes on: {count(stages, 'stage')} waited for this."
    return Card(kit.fallback(text), [kit.note(text)], replaces=True)


def away(until_iso: str | None) -> Card:
    """Which mails wait, and until when."""
    when = f"until {local_time(until_iso)}" if until_iso else "until you type /outreach back"
    words = f"You are away: the follow-ups from your mailboxes wait {when}. First mails and replies are not affected."
    back = kit.button("I am back", ids.COME_BACK, encode("me"))
    return Card("You are away: your follow-ups wait.", [kit.markup(words), kit.actions(back)])


def back(stages: int, *, replaces: bool = False) -> Card:
    text = f"Welcome back: {count(stages, 'follow-up')} waited and go on now."
    return Card(kit.fallback(text), [kit.note(text)], replaces=replaces)
