"""Buttons."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue, decode
from bot.slack.blocks.kit import Card
from bot.slack.listeners.actions.campaign_buttons import CampaignButtons
from bot.slack.listeners.actions.mailbox_buttons import MailboxButtons
from bot.slack.listeners.actions.stage_buttons import StageButtons
from bot.slack.listeners.events.home import Home
from bot.slack.uses import Connect, Desk, Services, Story
from core.domain.actor import Actor
from core.errors import RefusedError, SlackError

Press = Callable[[Actor, ButtonValue], Awaitable[Card | None]]


def register_actions(app: AsyncApp, desk: Desk, services: Services, connect: Connect) -> None:
    """Each button by name; a link button only wants its ack; anything else is from an older message."""
    home = Home(desk, services)
    for action_id, press in buttons(services, connect).items():
        app.action(action_id)(_listener(desk, home, press))

    @app.action(action_ids.OPEN_LINK)
    async def on_link(ack: AsyncAck) -> None:
        await ack()

    @app.action(re.compile(""))
    async def on_unknown(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _stale)


def buttons(services: Services, connect: Connect) -> dict[str, Press]:
    """Action id to what pressing it does. The card itself changes by the engine's hand, for everybody at once."""
    mailbox = MailboxButtons(services.mailboxes, services.connecting, connect)
    stage, campaign = StageButtons(services.prospects), CampaignButtons(services.campaigns)
    return {
        action_ids.RESYNC: mailbox.resync,
        action_ids.RESYNC_HERE: mailbox.resync_here,
        action_ids.RECONNECT: mailbox.reconnect,
        action_ids.CONNECT: mailbox.connect,
        action_ids.DISCONNECT: mailbox.disconnect,
        action_ids.START: campaign.start,
        action_ids.RETRY: stage.retry,
        action_ids.SKIP: stage.skip,
        action_ids.FINISH: stage.finish,
        action_ids.WAS_SENT: stage.was_sent,
        action_ids.SEND_AGAIN: stage.send_again,
        action_ids.DROP: stage.drop,
    }


def _listener(desk: Desk, home: Home, press: Press) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
    async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _story(home, press, body))

    return on_press


def _story(home: Home, press: Press, body: dict[str, Any]) -> Story:
    async def story(actor: Actor) -> Card | None:
        card = await press(actor, decode(_value(body)))
        if (body.get("view") or {}).get("type") == "home":
            with suppress(SlackError):  # what was pressed is done; a Home tab that stays as it was is no failure of it
                await home.show(actor)
        return card

    return story


def _value(body: dict[str, Any]) -> object:
    pressed = body.get("actions") or [{}]
    return pressed[0].get("value")


async def _stale(_: Actor) -> Card:
    raise RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX)
