"""One prospect: Pause, Unpause, Skip, Retry, Mark finished and its Undo, Remove, what was heard elsewhere, History,
addresses (R133..R139, X7, X8, X9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import STALE, STALE_FIX, ButtonValue
from bot.slack.blocks import prospect_sheet as blocks
from bot.slack.blocks.task_history import task_history
from bot.slack.form_values import Faults, Values
from bot.slack.listeners.prospect_windows import Pressed
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer
from core.domain.actor import Actor
from core.domain.enrollment import HEARD_ELSEWHERE, ProspectEvent
from core.errors import NotFoundError, RefusedError
from core.services.prospect_sheets import ProspectSheet

Handler = Callable[[Actor, Pressed], Awaitable[Answer]]
_HEARD = {event.value: event for event in HEARD_ELSEWHERE}


@dataclass(frozen=True, slots=True)
class AddressChange:
    """``instead``: the key of the address that goes; empty: all stay. ``kept`` is the list's, empty where none."""

    id: str
    version: int
    address: str
    kind: str
    instead: str
    retry: bool
    kept: Mapping[str, str]


class PersonButtons:
    """The answer shows the prospect as it is now, in the window or in place of what was pressed. Raises RethreadError
    kinds; of two people who press at once the second hears who was faster."""

    def __init__(self, outreach: Outreach) -> None:
        self._outreach = outreach

    def handlers(self) -> dict[str, Handler]:
        """Action id to what pressing it does."""
        simple = {
            ids.PERSON_PAUSE: ProspectEvent.PAUSE,
            ids.PERSON_UNPAUSE: ProspectEvent.UNPAUSE,
            ids.PERSON_SKIP: ProspectEvent.SKIP,
            ids.PERSON_FINISH: ProspectEvent.FINISH,
            ids.PERSON_UNDO: ProspectEvent.UNDO_FINISH,
        }
        return {
            **{action_id: partial(self._act, event) for action_id, event in simple.items()},
            ids.PERSON_OPEN: self._open,
            ids.PERSON_RETRY: self._retry,
            ids.PERSON_RETRY_ANYWAY: self._retry_anyway,
            ids.PERSON_REMOVE: self._remove,
            ids.PERSON_MORE: self._more,
            ids.PERSON_ADDRESS: self.addresses,
        }

    async def _open(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self._shown(actor, pressed, pressed.value.id, "")

    async def _act(self, event: ProspectEvent, actor: Actor, pressed: Pressed) -> Answer:
        enrollment = await self._outreach.acts.act_on(actor, event, pressed.value.id, pressed.value.version)
        return await self._shown(actor, pressed, enrollment.id, blocks.DONE[event])

    async def _retry(self, actor: Actor, pressed: Pressed) -> Answer:
        try:
            return await self._act(ProspectEvent.RETRY, actor, pressed)
        except RefusedError as refused:
            if refused.reason != "retry_warning":
                raise
            return _warned(refused, pressed)

    async def _retry_anyway(self, actor: Actor, pressed: Pressed) -> Answer:
        value = pressed.value
        await self._outreach.acts.act_on(actor, ProspectEvent.RETRY, value.id, value.version, confirmed=True)
        return await self._shown(actor, pressed, value.id, blocks.DONE[ProspectEvent.RETRY])

    async def _remove(self, actor: Actor, pressed: Pressed) -> Answer:
        await self._outreach.acts.act_on(actor, ProspectEvent.REMOVE, pressed.value.id, pressed.value.version)
        return blocks.removed(pressed.kept)

    async def _more(self, actor: Actor, pressed: Pressed) -> Answer:
        """What was chosen in the menu."""
        choice = pressed.value.choice
        if choice in _HEARD:
            return await self._act(_HEARD[choice], actor, pressed)
        if choice == blocks.ADDRESSES:
            return await self.addresses(actor, pressed)
        if choice != blocks.HISTORY:
            raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
        card = task_history(await self._outreach.acts.ledger_of(actor, pressed.value.id))
        return card if pressed.kept is None else blocks.history_window(card, pressed.kept)

    async def _shown(self, actor: Actor, pressed: Pressed, enrollment_id: str, notice: str) -> Answer:
        sheet = await self._outreach.sheets.of(actor, enrollment_id)
        if pressed.kept is None:
            return blocks.sheet_card(sheet, notice)
        return blocks.sheet_window(sheet, pressed.kept, notice)

    # Addresses

    async def addresses(self, actor: Actor, pressed: Pressed) -> Answer:
        """The window in which another address is given. Raises RefusedError where somebody was faster."""
        sheet = await self._outreach.sheets.of(actor, pressed.value.id)
        return blocks.address_form(sheet, pressed.kept or {})

    def read_address(self, values: Values, kept: Mapping[str, str]) -> AddressChange | Faults:
        address, version = values.text("address"), kept.get("version", "")
        if "@" not in address or any(part.isspace() for part in address):
            return Faults({"address": "Type one e-mail address, such as name@company.example."})
        instead = values.choice("instead")
        listed = {name.removeprefix("list."): value for name, value in kept.items() if name.startswith("list.")}
        return AddressChange(
            kept.get("id", ""),
            int(version) if version.isascii() and version.isdigit() else 0,
            address,
            values.choice("kind"),
            "" if instead == "keep" else instead,
            bool(values.choices("retry")),
            listed,
        )

    async def change_address(self, actor: Actor, change: AddressChange) -> Answer:
        """Adds it first, so that nobody is left without any. Raises RethreadError kinds; what was typed comes back."""
        sheet = await self._outreach.sheets.of(actor, change.id)
        if sheet.enrollment.version != change.version:
            raise RefusedError(
                "This prospect has changed meanwhile.", reason="stale", fix="Close this and open it again."
            )
        await self._store(actor, sheet, change)
        notice = "The address is on the profile."
        pressed = Pressed(ButtonValue(change.id, change.version), change.kept)
        if change.retry:
            try:
                await self._outreach.acts.act_on(actor, ProspectEvent.RETRY, change.id, change.version)
            except RefusedError as refused:
                if refused.reason != "retry_warning":
                    raise
                return _warned(refused, pressed)
            notice += " The stage is tried again."
        return await self._shown(actor, pressed, change.id, notice)

    async def _store(self, actor: Actor, sheet: ProspectSheet, change: AddressChange) -> None:
        people, person = self._outreach.people, sheet.person
        known = [one.address for one in person.addresses]
        if change.address not in known:
            await self._add(actor, sheet, change)
        gone = next((one.address for one in person.addresses if one.key == change.instead), None)
        if gone is not None and gone != change.address:
            await people.remove_address(actor, change.address, gone)

    async def _add(self, actor: Actor, sheet: ProspectSheet, change: AddressChange) -> None:
        anyone = sheet.person.primary
        if anyone is None:
            raise NotFoundError("The profile has no address to be found by.", fix="Import the person again with one.")
        await self._outreach.people.add_address(actor, anyone.address, change.address, change.kind)


def _warned(refused: RefusedError, pressed: Pressed) -> Answer:
    shown = blocks.warning(refused.message, refused.fix, pressed.value)
    if pressed.kept is not None:
        return blocks.warning_window(shown, pressed.kept)
    return blocks.warning_card(refused.message, shown)
