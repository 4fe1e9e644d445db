"""The do-not-contact list, and windows to add to it and take off (recruiters add, admins take off). Pure."""

from __future__ import annotations

from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card, Stack
from bot.slack.blocks.text import count, escaped, local_time, mention
from core.domain.do_not_contact import WORDS
from core.domain.moment import iso
from core.services.suppression_list import BlockList, BlockResult

_LINES: Final = 40
_REJECTED: Final = 10


def block_list(found: BlockList, *, admin: bool) -> Card:
    """The newest, and how many there are."""
    buttons = [kit.button("Add …", ids.BLOCK_ADD, encode("list"), style="primary")]
    if admin and found.total:
        buttons.append(kit.button("Take off …", ids.BLOCK_REMOVE, encode("list")))
    who = "Anybody may add to it; only an admin takes off." if not admin else "You may add to it and take off."
    stack = Stack(
        kit.header("Do not contact"),
        kit.note(f"{count(found.total, 'entry', 'entries')}: nothing is ever sent to these. {who}"),
        kit.actions(*buttons),
    )
    for shown, one in enumerate(found.entries[:_LINES]):
        why = WORDS.get(one.code, WORDS["asked"])
        by = f", by {mention(one.actor)}" if one.code == "asked" else ""
        note = f" ({escaped(one.note, 150)})" if one.note else ""
        line = f"*{escaped(one.key, 254)}* · {escaped(why, 120)}{by}, {local_time(iso(one.at))}{note}"
        if not stack.add(kit.markup(line)):
            stack.add(kit.context(f"{found.total - shown:,} more"))
            break
    else:
        if found.total > _LINES:
            stack.add(kit.context(f"{found.total - _LINES:,} more"))
    return Card(kit.fallback(f"Do not contact: {count(found.total, 'entry', 'entries')}."), stack.blocks)


def add_form() -> Form:
    """Typed, or given as a file."""
    blocks = [
        forms.text(
            "lines",
            "Addresses and @domains",
            lines=True,
            placeholder="kim@candidates.example\n@rival.example, a note",
            hint="One a line; a note may follow after a comma. Campaigns that run for them end at once.",
            optional=True,
        ),
        forms.files("file", "Or a file", kinds=("csv", "txt"), hint="CSV or text, one a line, at most 20 MB."),
    ]
    return Form(ids.BLOCK_FORM, "Do not contact", blocks, submit="Add")


def remove_form() -> Form:
    blocks = [
        forms.text("entry", "Address or @domain", most=254, focus=True, hint="It may be written to again from then on.")
    ]
    return Form(ids.UNBLOCK_FORM, "Take off the list", blocks, submit="Take off")


def added(result: BlockResult) -> Card:
    """How many were new, who was stopped by it, which lines were no entry."""
    text = f"{count(result.added, 'entry', 'entries')} added to the do-not-contact list."
    if not result.added:
        text = (
            "Nothing new: all of it was on the do-not-contact list already."
            if not result.rejected
            else "Nothing added."
        )
    details = []
    if result.stopped:
        details.append(f"{count(result.stopped, 'prospect')} in running campaigns stopped by it.")
    details += [f"Line {one.line}: {one.reason}." for one in result.rejected[:_REJECTED]]
    if len(result.rejected) > _REJECTED:
        details.append(f"{len(result.rejected) - _REJECTED:,} more lines are no entry.")
    return Card(kit.fallback(text), [kit.note(text), *(kit.note(one) for one in details)])


def taken_off(key: str) -> Card:
    text = f"{key} is off the do-not-contact list; campaigns that ended for them stay ended."
    return Card(kit.fallback(text), [kit.note(text)])
