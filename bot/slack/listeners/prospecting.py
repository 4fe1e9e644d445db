"""Registers what is pressed around prospects, the Email Log, blocks, stops and signatures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import used
from bot.slack.blocks.forms import kept_in
from bot.slack.listeners.actions.log_buttons import LogButtons
from bot.slack.listeners.actions.office_buttons import OfficeButtons
from bot.slack.listeners.actions.person_buttons import PersonButtons
from bot.slack.listeners.actions.prospect_list_buttons import ProspectListButtons
from bot.slack.listeners.prospect_windows import Pressed, ProspectWindows
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer, Desk, Services
from core.domain.actor import Actor

Handler = Callable[[Actor, Pressed], Awaitable[Answer]]
_OPENINGS = {
    ids.LIST_OPEN: "Prospects",
    ids.LIST_FAILED: "Prospects",
    ids.LOG_OPEN: "Email Log",
    ids.PERSON_ADDRESS: "Addresses",
}
"""Titles of windows that a button in a conversation opens."""


def register_prospecting(app: AsyncApp, desk: Desk, services: Services) -> None:
    """Each button by name; ticks only want their ack. Nothing where it is not offered."""
    if services.outreach is None:
        return
    for action_id, handler in prospect_buttons(desk, services, services.outreach).items():
        app.action(action_id)(_listener(desk, action_id, handler))
    for action_id in ids.ONLY_NOTED:
        app.action(action_id)(_noted)


def prospect_buttons(desk: Desk, services: Services, outreach: Outreach) -> dict[str, Handler]:
    """Action id to what pressing it does."""
    windows = ProspectWindows(outreach)
    listed = ProspectListButtons(desk, outreach, windows)
    return {
        ids.LIST_OPEN: listed.open,
        ids.LIST_FAILED: listed.open_failed,
        ids.LIST_PREVIOUS: listed.page,
        ids.LIST_NEXT: listed.page,
        ids.LIST_STATUS: listed.status,
        ids.LIST_FILTER: listed.filter,
        ids.LIST_BACK: listed.back,
        **dict.fromkeys((ids.BULK_RETRY, ids.BULK_FINISH, ids.BULK_EXPORT, ids.BULK_MORE), listed.ask),
        **PersonButtons(outreach).handlers(),
        **LogButtons(outreach, windows).handlers(),
        **OfficeButtons(desk, outreach, services.mailboxes).handlers(),
    }


def _listener(desk: Desk, action_id: str, handler: Handler) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
    async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()

        async def story(actor: Actor) -> Answer:
            return await handler(actor, pressed_in(body))

        await desk.serve(body, story, opening=_OPENINGS.get(action_id, ""))

    return on_press


def pressed_in(body: Mapping[str, Any]) -> Pressed:
    """What was pressed, from the payload. Raises RefusedError for what is none of ours."""
    actions, view = body.get("actions") or [{}], body.get("view") or {}
    value = used(actions[0])
    if view.get("type") != "modal":
        return Pressed(value)
    state = (view.get("state") or {}).get("values")
    return Pressed(value, kept_in(view)[0], state if isinstance(state, Mapping) else {})


async def _noted(ack: AsyncAck) -> None:
    await ack()
