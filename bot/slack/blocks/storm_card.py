"""One cause, many mailboxes, one card: from the outage to the all-clear, with what is back by now (R26, X10). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import RESYNC_STORM, encode
from bot.slack.blocks import alert_parts as parts
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.text import clean, count, escaped, local_time, mention
from core.domain.cards import StormCard, StormMailbox

MOST_MAILBOXES: Final = 50
_MOST_CHARACTERS: Final = 3_000
"""For the addresses; what does not fit is counted."""

_IN_WORDS: Final = {"broken": "Broken", "resyncing": "Trying now", "recovered": "Back"}


def storm_card(facts: StormCard) -> Card:
    """``state`` decides: broken, resyncing, recovered or closed."""
    return _BY_STATE[facts["state"]](facts)


def _broken(facts: StormCard) -> Card:
    operator = facts["who"] == "operator"
    title = f"{'Connection interrupted' if operator else 'Sync broken'}: {_whose(facts)}"
    blocks = [
        kit.header(title),
        kit.paragraph([kit.bold(facts["title"])], [kit.glue(_progress(facts))], parts.who_acts(facts["who"], None)),
        *parts.server_words(facts["raw"]),
        parts.how_to_fix(facts, operator=operator),
        *parts.to_administrator(facts["forward"]),
        *_mailboxes(facts),
        kit.context(f"Since {local_time(facts['since'])}", *parts.care(facts)),
        _buttons(facts),
    ]
    said = ["Contact support."] if operator else []
    return Card(kit.fallback(f"{title}.", f"{facts['title']}.", *said, facts["fix"]), blocks, kit.RED)


def _whose(facts: StormCard) -> str:
    name = parts.provider_name(facts["provider"])
    return count(facts["total"], "mailbox", "mailboxes") + (f" at {name}" if name else "")


def _progress(facts: StormCard) -> str:
    """``12 of 40 back.``; what is wrong for everybody is told on such a card from the first mailbox on."""
    if facts["total"] < 2:
        return "Every other mailbox there will meet the same."
    return f"One cause for all of them. {facts['recovered']:,} of {facts['total']:,} back."


def _mailboxes(facts: StormCard) -> list[Json]:
    """Their addresses by how they are now, in order of breaking; as many as fit, and how many more there are."""
    room, lines, shown = _MOST_CHARACTERS, [], 0
    for state, label in _IN_WORDS.items():
        names = []
        for one in facts["mailboxes"][:MOST_MAILBOXES]:
            address = clean(one["address"], 100)
            if _state(one) == state and len(address) < room:
                room -= len(address) + 2
                names.append(address or "–")
        shown += len(names)
        if names:
            lines.append([kit.strong(f"{label}: "), kit.words(", ".join(names), _MOST_CHARACTERS)])
    more = facts["total"] - shown
    rest = [kit.context(f"and {more:,} more")] if lines and more > 0 else []
    return [*([kit.paragraph(*lines)] if lines else []), *rest]


def _state(mailbox: StormMailbox) -> str:
    return mailbox["state"] if mailbox["state"] in _IN_WORDS else "broken"


def _buttons(facts: StormCard) -> Json:
    whose, value = _whose(facts), encode(facts["alert_id"], facts["version"])
    asked = kit.confirm("Resync all?", f"Rethread tries to reach {whose} again now, a few at a time.", "Resync all")
    return kit.actions(
        kit.button("Resync all", RESYNC_STORM, value, style="primary", confirm=asked, spoken=f"Resync {whose}"),
        *parts.care_buttons(facts, whose),
        parts.more_menu(facts),
    )


def _resyncing(facts: StormCard) -> Card:
    title = f"Resyncing: {_whose(facts)}"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.glue("Trying to reach them now. They were broken by: "), kit.words(facts["title"], 200)],
            [kit.glue(_progress(facts))],
        ),
        *_mailboxes(facts),
        kit.context(
            f"Resync started by {mention(facts['actor'])}, {local_time(facts['actor_at'])}",
            f"broken since {local_time(facts['since'])}",
        ),
    ]
    return Card(kit.fallback(f"{title}.", _progress(facts)), blocks, kit.AMBER)


def _recovered(facts: StormCard) -> Card:
    title = f"Sync recovered: {_whose(facts)}"
    after = f"All of them are back. They were down for {parts.duration(facts['down_minutes'])}."
    by = [f"resync by {mention(facts['actor'])}"] if facts["actor"] else []
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue(after)]),
        kit.context(f"Recovered {local_time(facts['recovered_at'])}", f"it was: {escaped(facts['title'], 200)}", *by),
    ]
    return Card(kit.fallback(f"{title}.", after), blocks, kit.GREEN)


def _closed(facts: StormCard) -> Card:
    title = f"Alert closed: {_whose(facts)}"
    text = "They were paused or disconnected, or broke for another reason since, which has a card of its own."
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue(text)]),
        kit.context(f"It was: {escaped(facts['title'], 200)}", f"broken since {local_time(facts['since'])}"),
    ]
    return Card(kit.fallback(f"{title}."), blocks, kit.GREY)


_BY_STATE: Final = {"broken": _broken, "resyncing": _resyncing, "recovered": _recovered, "closed": _closed}
