"""The alert of a broken sync, which turns into its own all-clear (R8..R16, R43, R200). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import RESYNC, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.mailbox_buttons import mend_buttons
from bot.slack.blocks.text import count, escaped, local_time, mention
from core.domain.cards import SyncCard

_WHO: Final = {
    "nobody": "Nobody needs to act: Rethread keeps trying.",
    "mail_admin": "Whoever runs the mail server can mend this.",
    "operator": "Whoever runs Rethread can mend this.",
    "vendor": "The mail provider has to mend this.",
}


def sync_card(facts: SyncCard) -> Card:
    """``state`` decides: broken, resyncing, recovered or closed."""
    return _BY_STATE[facts["state"]](facts)


def _broken(facts: SyncCard) -> Card:
    title = f"Sync broken: {facts['address']}"
    blocks = [
        kit.header(title),
        kit.paragraph([kit.bold(facts["title"])], _who_acts(facts)),
        *_server_words(facts["raw"]),
        kit.paragraph([kit.strong("How to fix it: "), kit.words(facts["fix"])]),
        kit.context(f"Broken since {local_time(facts['since'])}", f"last read {local_time(facts['last_sync_at'])}"),
        mend_buttons(facts["address"], encode(facts["mailbox_id"], facts["version"]), facts["fix"], resync=RESYNC),
    ]
    return Card(kit.fallback(f"{title}.", f"{facts['title']}.", facts["fix"]), blocks, kit.RED)


def _who_acts(facts: SyncCard) -> list[Json]:
    if facts["who"] in _WHO:
        return [kit.glue(_WHO[facts["who"]])]
    return [kit.person(facts["owner"]), kit.glue(" can mend this.")]


def _server_words(raw: str) -> list[Json]:
    return [kit.server_said(raw)] if raw.strip() else []


def _resyncing(facts: SyncCard) -> Card:
    title = f"Resyncing: {facts['address']}"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.glue("Trying to reach the mailbox now. It was broken by: "), kit.words(facts["title"], 200)]
        ),
        kit.context(
            f"Resync started by {mention(facts['actor'])}, {local_time(facts['actor_at'])}",
            f"broken since {local_time(facts['since'])}",
        ),
    ]
    return Card(kit.fallback(f"{title}."), blocks, kit.AMBER)


def _recovered(facts: SyncCard) -> Card:
    title = f"Sync recovered: {facts['address']}"
    after = f"It was broken for {_duration(facts['down_minutes'])}; {_caught_up(facts['caught_up'])}."
    lines = [[kit.glue(f"Mail is read again. {after}")]]
    if facts["failed_meanwhile"]:
        lines.append(_failed_meanwhile(facts["failed_meanwhile"]))
    by = [f"resync by {mention(facts['actor'])}"] if facts["actor"] else []
    blocks = [
        kit.header(title),
        kit.paragraph(*lines),
        kit.context(f"Recovered {local_time(facts['recovered_at'])}", f"it was: {escaped(facts['title'], 200)}", *by),
    ]
    return Card(kit.fallback(f"{title}.", after), blocks, kit.GREEN)


def _caught_up(messages: int) -> str:
    return f"{count(messages, 'message')} caught up" if messages else "no mail had come meanwhile"


def _failed_meanwhile(failed: int) -> list[Json]:
    return [
        kit.glue(f"{count(failed, 'stage')} failed while it was down. To try them again, type "),
        kit.typed("/outreach retry all"),
    ]


def _duration(minutes: int | None) -> str:
    if not minutes:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2_880 else f"{minutes // 1_440} days"


def _closed(facts: SyncCard) -> Card:
    title = f"Sync alert closed: {facts['address']}"
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue("The mailbox was paused, disconnected or changed; nothing is tried any more.")]),
        kit.context(f"It was: {escaped(facts['title'], 200)}", f"broken since {local_time(facts['since'])}"),
    ]
    return Card(kit.fallback(f"{title}."), blocks, kit.GREY)


_BY_STATE: Final = {"broken": _broken, "resyncing": _resyncing, "recovered": _recovered, "closed": _closed}
