"""Somebody answered: for the campaign's channel without their words, for the recruiter with them (R201). Pure."""

from __future__ import annotations

from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import escaped, local_time, mention
from core.domain.cards import ReplyCard, ReplyExcerpt

EXCERPT = 1_500


def reply_card(facts: ReplyCard) -> Card:
    """Who, which campaign, which stage: nothing of what was written."""
    return Card(_summary(facts), [_title(facts), _story(facts), _where(facts)], kit.GREEN)


def reply_excerpt(facts: ReplyExcerpt) -> Card:
    """The same with subject and text, for the mailbox's owner."""
    subject = kit.paragraph([kit.strong("Subject: "), kit.words(facts["subject"] or "(none)", 300)])
    blocks = [_title(facts), _story(facts), subject, kit.quote(facts["excerpt"], EXCERPT), _where(facts)]
    return Card(_summary(facts), blocks, kit.GREEN)


def _summary(facts: ReplyCard) -> str:
    where = f"replied in {facts['campaign']}, stage {facts['stage']} of {facts['stages']}."
    return kit.fallback(f"Reply: {facts['person']}", where)


def _title(facts: ReplyCard) -> Json:
    return kit.header(f"Reply: {facts['person']}")


def _story(facts: ReplyCard) -> Json:
    outcome = (
        "Nothing more is sent to them." if facts["stopped"] else "This changed nothing: no mail was waiting for them."
    )
    return kit.paragraph(
        [
            kit.words(facts["email"], 254),
            kit.glue(" replied in "),
            kit.bold(facts["campaign"]),
            kit.glue(f", stage {facts['stage']} of {facts['stages']}."),
        ],
        [kit.glue(f"{outcome} Status: "), kit.words(facts["status"], 40)],
    )


def _where(facts: ReplyCard) -> Json:
    return kit.context(
        f"Arrived {local_time(facts['at'])}",
        f"in {escaped(facts['mailbox'], 254)}",
        f"for {mention(facts['owner'])}",
    )
