"""One prospect: status, reason, next send, and what can be done just now (R133..R138, X7, X8, X9). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import ButtonValue, encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card, Json
from bot.slack.blocks.prospect_words import has_failed, implied, reason_words, status_words, when_next
from bot.slack.blocks.text import escaped, local_time
from core.domain.campaign import CLOSED_STATUSES, CampaignStatus
from core.domain.enrollment import ProspectEvent, may_follow
from core.domain.moment import iso
from core.domain.people import ADDRESS_TYPES
from core.services.prospect_sheets import ProspectSheet

E = ProspectEvent  # the table below reads better with a short name

HISTORY: Final = "history"
ADDRESSES: Final = "addresses"
_GOES_ON: Final = (E.UNPAUSE, E.SKIP, E.RETRY)
_BUTTONS: Final = (
    (E.RETRY, "Retry", ids.PERSON_RETRY),
    (E.UNPAUSE, "Unpause", ids.PERSON_UNPAUSE),
    (E.PAUSE, "Pause", ids.PERSON_PAUSE),
    (E.SKIP, "Skip stage", ids.PERSON_SKIP),
    (E.FINISH, "Mark finished", ids.PERSON_FINISH),
    (E.REMOVE, "Remove", ids.PERSON_REMOVE),
)
_HEARD: Final = ((E.THEY_CALLED, "They called"), (E.THEY_TEXTED, "They texted"), (E.THEY_BOOKED, "They booked"))
DONE: Final = {
    E.PAUSE: "Paused: nothing goes until they are unpaused.",
    E.UNPAUSE: "Unpaused: the campaign goes on for them.",
    E.SKIP: "Skipped: they go on with the next stage.",
    E.RETRY: "The stage is tried again.",
    E.FINISH: "Marked finished: nothing more goes to them.",
    E.UNDO_FINISH: "Undone: everything is as it was before.",
    E.THEY_CALLED: "Noted that they called: the campaign is paused for them.",
    E.THEY_TEXTED: "Noted that they texted: the campaign is paused for them.",
    E.THEY_BOOKED: "Noted that they booked: the campaign is paused for them.",
}


def sheet_blocks(sheet: ProspectSheet) -> list[Json]:
    """One campaign of one person, with its buttons: two blocks."""
    return [kit.markup(_words(sheet)), kit.actions(*_buttons(sheet))]


def _words(sheet: ProspectSheet) -> str:
    enrollment, campaign = sheet.enrollment, sheet.campaign
    stage, stages = campaign.number_of(enrollment.stage), len(campaign.live_stages)
    failed = " failed" if has_failed(enrollment.status) else ""
    lines = [
        f"*{escaped(campaign.name, 200)}*",
        f"{status_words(enrollment.status)} · stage {stage} of {stages}{failed}",
    ]
    if enrollment.reason:
        lines.append(reason_words(enrollment.reason.text, enrollment.reason.fix))
    if sheet.attempt is not None and sheet.attempt.server_text and failed:
        lines.append(f"The server said: {escaped(sheet.attempt.server_text, 300)}")
    goes = when_next(enrollment.status, enrollment.next_at, sheet.at, runs=campaign.status is CampaignStatus.ACTIVE)
    if goes:
        lines.append(goes[:1].upper() + goes[1:])
    if campaign.status is not CampaignStatus.ACTIVE:
        lines.append(escaped(implied(campaign, "The campaign"), 200))
    if sheet.undo_until is not None:
        lines.append(f"Mark finished can be undone until {local_time(iso(sheet.undo_until))}; then it is final.")
    return "\n".join(lines)


def _buttons(sheet: ProspectSheet) -> list[Json]:
    """Only what the status allows (R133): a button that can only be refused is not shown."""
    enrollment = sheet.enrollment
    value, closed = encode(enrollment.id, enrollment.version), sheet.campaign.status in CLOSED_STATUSES
    shown = []
    if sheet.undo_until is not None and not closed:
        shown.append(kit.button("Undo", ids.PERSON_UNDO, value, style="primary", spoken="Undo Mark finished"))
    for event, label, action_id in _BUTTONS:
        if enrollment.status in may_follow(event) and not (closed and event in _GOES_ON):
            shown.append(_button(event, label, action_id, value, sheet.person.name))
    more = [(label, event.value) for event, label in _HEARD if enrollment.status in may_follow(event)]
    more += [("History", HISTORY), ("Addresses …", ADDRESSES)]
    options = [(label, encode(enrollment.id, enrollment.version, choice)) for label, choice in more]
    return [*shown, kit.more_menu(ids.PERSON_MORE, options)]


def _button(event: ProspectEvent, label: str, action_id: str, value: str, whom: str) -> Json:
    confirm = None
    if event is E.REMOVE:
        words = f"{whom} leaves the campaign, and their progress in it is lost for good."
        confirm = kit.confirm("Remove?", words, "Remove", danger=True)
    if event is E.FINISH:
        words = f"{whom} gets nothing more in this campaign. Undo works for a short while, then it is final."
        confirm = kit.confirm("Mark finished?", words, "Mark finished")
    style = "primary" if event is E.RETRY else "danger" if event is E.REMOVE else None
    return kit.button(label, action_id, value, style=style, confirm=confirm, spoken=f"{label}: {whom}")


def sheet_card(sheet: ProspectSheet, notice: str = "", *, replaces: bool = True) -> Card:
    """In a conversation, in place of what was pressed; ``replaces`` False: beside it."""
    title = f"{sheet.person.name}: {sheet.campaign.name}"
    blocks = [kit.header(sheet.person.name), *_noted(notice), *sheet_blocks(sheet)]
    return Card(kit.fallback(notice or f"{title}, {sheet.enrollment.status.value}."), blocks, replaces=replaces)


def sheet_window(sheet: ProspectSheet, kept: Mapping[str, str], notice: str = "") -> Form:
    """In the window of the list, with a way back to it."""
    addresses = ", ".join(f"{one.address} ({one.type})" for one in sheet.person.addresses[:10])
    blocks = [
        *_noted(notice),
        kit.markup(f"*{escaped(sheet.person.name, 200)}*\n{escaped(addresses or 'no address', 800)}"),
        *sheet_blocks(sheet),
    ]
    return _with_way_back("Prospect", blocks, kept)


def _noted(notice: str) -> list[Json]:
    return [kit.markup(f":information_source: {escaped(notice, 500)}")] if notice else []


def _with_way_back(title: str, blocks: Sequence[Json], kept: Mapping[str, str]) -> Form:
    back = [kit.actions(kit.button("Back to the prospects", ids.LIST_BACK, encode("list")))] if kept else []
    return Form(ids.WINDOW, title, [*blocks, *back], submit="", close="Close", kept=kept)


def removed(kept: Mapping[str, str] | None) -> Card | Form:
    """After Remove there is no prospect any more."""
    words = "Removed from the campaign; their progress in it is gone."
    if kept is None:
        return Card(words, [kit.note(words)], replaces=True)
    return _with_way_back("Prospect", [kit.note(words)], kept)


def history_window(card: Card, kept: Mapping[str, str]) -> Form:
    return _with_way_back("History", card.blocks, kept)


def warning(words: str, fix: str, prospect: ButtonValue) -> list[Json]:
    """A retry that is unlikely to help: why, and the two ways on."""
    value = encode(prospect.id, prospect.version)
    return [
        kit.markup(f":warning: *{escaped(words, 400)}*\n{escaped(fix, 400)}"),
        kit.actions(
            kit.button("Retry all the same", ids.PERSON_RETRY_ANYWAY, value, style="danger"),
            kit.button("Fix the address …", ids.PERSON_ADDRESS, value),
        ),
    ]


def warning_card(words: str, blocks: Sequence[Json], *, replaces: bool = True) -> Card:
    """``replaces`` False: beside the card that was pressed."""
    return Card(kit.fallback(words), list(blocks), replaces=replaces)


def warning_window(blocks: Sequence[Json], kept: Mapping[str, str]) -> Form:
    return _with_way_back("Retry?", blocks, kept)


def address_form(sheet: ProspectSheet, kept: Mapping[str, str]) -> Form:
    """A new address on the profile, in place of one or beside those, then Retry (R139)."""
    person, failed = sheet.person, sheet.attempt.recipient if sheet.attempt else None
    known = [
        (f"In place of {one.address} ({one.type})", one.key) for one in person.addresses[:20] if len(one.key) < 150
    ]
    chosen = next((one for one in person.addresses if one.address == failed), person.primary)
    kinds = [(kind.capitalize(), kind) for kind in ADDRESS_TYPES]
    can_retry = sheet.enrollment.status in may_follow(E.RETRY)
    blocks = [
        kit.markup(f"*{escaped(person.name, 200)}* in {escaped(sheet.campaign.name, 200)}"),
        forms.text("address", "New address", most=254, placeholder="name@company.example", focus=True),
        forms.choice("kind", "Type", kinds, chosen.type if chosen else kinds[0][1]),
        forms.choice(
            "instead",
            "What becomes of the others",
            [*known, ("Add it, keep the others", "keep")],
            chosen.key if chosen else "keep",
            hint="The campaign writes to the first address of the types that it allows, the primary one first.",
        ),
    ]
    if can_retry:
        blocks.append(forms.ticks("retry", "Then", [("Retry the stage", "yes")], ["yes"]))
    own = {"id": sheet.enrollment.id, "version": str(sheet.enrollment.version)}
    listed = {f"list.{name}": value for name, value in kept.items()}
    return Form(ids.ADDRESS_FORM, "Addresses", blocks, submit="Save", kept=own | listed)
