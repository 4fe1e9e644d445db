"""A mailbox's host said that it sends too much: which limit, its words, until when, what waits. Pure."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import count, local_time, mention
from core.domain.cards import LimitCard
from core.domain.provider_caps import label_of


def limit_card(facts: LimitCard) -> Card:
    """Told once; nothing has to be pressed."""
    title = f"Sending more slowly: {facts['address']}"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.glue(_why(facts))],
            [kit.glue("The next mail goes "), kit.when(facts["next_at"]), kit.glue("."), *_lowered(facts)],
            [kit.glue(_waiting(facts))],
        ),
        kit.server_said(facts["raw"]),
        kit.paragraph([kit.strong("What to do: "), kit.glue(_TO_DO)]),
        kit.context(f"Refused {local_time(facts['at'])}", f"owner {mention(facts['owner'])}"),
    ]
    return Card(kit.fallback(f"{title}.", _why(facts), _waiting(facts)), blocks, kit.AMBER)


_TO_DO = (
    "nothing for now; sending goes on by itself. If this comes again, lower mailbox_daily, or spread the campaign over "
    "more mailboxes and days."
)


def _why(facts: LimitCard) -> str:
    host = label_of(facts["provider"])
    if facts["cap"] is None:
        return f"{host} says that this mailbox sends too much at once."
    mails = count(facts["went"], "campaign mail")
    return f"{host} says that this mailbox has reached its sending limit. It had sent {mails} in 24 hours."


def _lowered(facts: LimitCard) -> list[Json]:
    if facts["cap"] is None:
        return []
    return [kit.glue(f" At most {facts['cap']:,} go in 24 hours, until "), kit.when(facts["until"]), kit.glue(".")]


def _waiting(facts: LimitCard) -> str:
    if not facts["waiting"]:
        return "Nothing else was due from it; what becomes due waits and goes by itself."
    return f"{count(facts['waiting'], 'prospect')} became Pending and go on by themselves."
