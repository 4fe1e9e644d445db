"""What can be typed, from the parser's own list of verbs. Pure."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.answers import hint
from bot.slack.blocks.kit import Card
from bot.slack.command_parser import MAILBOX, OUTREACH, VERBS, Help, Hint, usage


def explained(request: Help | Hint) -> Card:
    """The list of verbs, or what was not understood."""
    return hint(request) if isinstance(request, Hint) else help_card(request.command)


def help_card(command: str) -> Card:
    """Every verb with its arguments and what it does."""
    elsewhere = OUTREACH if command == MAILBOX else MAILBOX
    lines = [[kit.typed(usage(command, verb)), kit.glue(f"  {verb.does}")] for verb in VERBS[command]]
    blocks = [
        kit.header(f"What you can type after {command}"),
        kit.paragraph(*lines),
        kit.context("Only you see the answers", "commands do not work inside threads", f"see also {elsewhere} help"),
    ]
    names = ", ".join(verb.name for verb in VERBS[command])
    return Card(kit.fallback(f"After {command} you can type: {names}."), blocks)
