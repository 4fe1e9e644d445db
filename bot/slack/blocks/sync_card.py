"""The alert of a broken sync, which turns into its own all-clear (R8..R16, R26, R43, R200, X10). Pure."""

from __future__ import annotations

from typing import Any, Final, cast

from bot.slack.action_ids import RESYNC, encode
from bot.slack.blocks import alert_parts as parts
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.mailbox_buttons import mend_buttons, resync_button
from bot.slack.blocks.text import count, escaped, local_time, mention
from core.domain.cards import SyncCard

_INTERRUPTED: Final = "Connection interrupted: contact support."
_PARTIAL: Final = "It sends, but does not read: replies are not seen, and follow-ups wait."
_SENDING: Final = "It reads mail, but cannot send: nothing goes out of it until this is mended."
_GIVEN_UP: Final = (
    "It failed for two days, so Rethread has stopped trying. Once the cause is mended, press Resync to start it again."
)


# Cards that an earlier version left in the outbox know nothing of these.
_LATER: Final[dict[str, Any]] = {
    "side": "reading",
    "status": "error",
    "provider": "other",
    "sign_in": "password",
    "forward": None,
    "obsolete": None,
    "folded": None,
    "reader": "admins",
}


def sync_card(facts: SyncCard) -> Card:
    """``state`` decides: broken, resyncing, recovered or closed."""
    return _BY_STATE[facts["state"]](cast(SyncCard, {**_LATER, **facts}))


def _broken(facts: SyncCard) -> Card:
    title, color = f"{_title(facts)}: {facts['address']}", kit.GREY if _is_partial(facts) else kit.RED
    operator = facts["who"] == "operator"
    blocks = [
        kit.header(title),
        kit.paragraph(
            [kit.bold(facts["title"])],
            *_extent(facts),
            parts.who_acts(facts["who"], facts["owner"]),
        ),
        *parts.server_words(facts["raw"]),
        parts.how_to_fix(facts, operator=operator),
        *parts.to_administrator(facts["forward"]),
        kit.context(f"Broken since {local_time(facts['since'])}", f"last read {local_time(facts['last_sync_at'])}"),
        *_care(facts),
        *_buttons(facts),
    ]
    said = [_INTERRUPTED] if operator else []
    return Card(kit.fallback(f"{title}.", f"{facts['title']}.", *said, facts["fix"]), blocks, color)


def _title(facts: SyncCard) -> str:
    """Which half is broken, in words: the colour says it only to those who see it."""
    if facts["status"] == "connection_issue":
        return "Sync broken, no longer tried"
    if facts["side"] == "sending":
        return "Sending broken"
    return "Partial sync" if _is_partial(facts) else "Sync broken"


def _is_partial(facts: SyncCard) -> bool:
    return facts["status"] == "partial" and facts["side"] != "sending"


def _extent(facts: SyncCard) -> list[list[Json]]:
    """What still works and what does not, where that is not simply "nothing"."""
    if facts["status"] == "connection_issue":
        return [[kit.glue(_GIVEN_UP)]]
    if facts["side"] == "sending":
        return [[kit.glue(_SENDING)]]
    return [[kit.glue(_PARTIAL)]] if _is_partial(facts) else []


def _care(facts: SyncCard) -> list[Json]:
    told = ["told on one card with others of the same cause"] if facts["folded"] else []
    pieces = [*parts.care(facts), *told]
    return [parts.line(*pieces)] if pieces else []


def _buttons(facts: SyncCard) -> list[Json]:
    """What this copy's reader may press; none for whom it was assigned to before."""
    if facts["reader"] == "onlooker":
        return []
    row = kit.actions(
        *_mend(facts),
        *parts.care_buttons(facts, facts["address"]),
        parts.assign_menu(),
        parts.more_menu(facts),
        block_id=encode(facts["alert_id"], facts["version"]),
    )
    if facts["reader"] != "assignee":
        return [row]
    why = [kit.glue("Only "), kit.person(facts["owner"]), kit.glue(" can reconnect it, by signing in to the mailbox.")]
    return [kit.paragraph(why), row]


def _mend(facts: SyncCard) -> list[Json]:
    address, value = facts["address"], encode(facts["mailbox_id"], facts["version"])
    if facts["reader"] == "assignee":
        return [resync_button(address, value, resync=RESYNC, primary=True)]
    return mend_buttons(address, value, facts["fix"], resync=RESYNC, sign_in=facts["sign_in"])


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
    sending = facts["side"] == "sending"
    title = f"{'Sending' if sending else 'Sync'} recovered: {facts['address']}"
    down = f"It was broken for {parts.duration(facts['down_minutes'])}"
    after = f"{down}." if sending else f"{down}; {_caught_up(facts['caught_up'])}."
    lines = [[kit.glue(f"{'Mail goes out' if sending else 'Mail is read'} again. {after}")]]
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
    them = "it" if failed == 1 else "them"
    return [
        kit.glue(f"{count(failed, 'stage')} failed while it was down. To try {them} again, type "),
        kit.typed("/outreach retry all"),
        kit.glue(" or use the card about that."),
    ]


def _closed(facts: SyncCard) -> Card:
    title = f"Sync alert closed: {facts['address']}"
    blocks = [
        kit.header(title),
        kit.paragraph([kit.glue("The mailbox was paused, disconnected or changed; nothing is tried any more.")]),
        kit.context(f"It was: {escaped(facts['title'], 200)}", f"broken since {local_time(facts['since'])}"),
    ]
    return Card(kit.fallback(f"{title}."), blocks, kit.GREY)


_BY_STATE: Final = {"broken": _broken, "resyncing": _resyncing, "recovered": _recovered, "closed": _closed}
