"""Buttons."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue, used
from bot.slack.blocks.kit import Card
from bot.slack.listeners.actions.alert_buttons import AlertButtons
from bot.slack.listeners.actions.brake_button import BrakeButton
from bot.slack.listeners.actions.campaign_buttons import CampaignButtons
from bot.slack.listeners.actions.campaign_life import CampaignLifeButtons
from bot.slack.listeners.actions.mailbox_buttons import MailboxButtons
from bot.slack.listeners.actions.stage_buttons import StageButtons
from bot.slack.listeners.actions.task_buttons import TaskButtons
from bot.slack.listeners.connecting import ConnectLinks
from bot.slack.listeners.escalating import Escalations
from bot.slack.listeners.events.home import Home
from bot.slack.uses import Answer, Connect, Desk, Services, Story
from core.domain.actor import Actor
from core.errors import RefusedError, SlackError

Press = Callable[[Actor, ButtonValue], Awaitable[Answer]]
Pick = Callable[[Actor, Mapping[str, Any]], Awaitable[Answer]]


def register_actions(app: AsyncApp, desk: Desk, services: Services, connect: Connect) -> None:
    """Each button by name; a link button only wants its ack; anything else is from an older message."""
    home = Home(desk, services)
    for action_id, press in buttons(desk, services, connect).items():
        app.action(action_id)(_listener(desk, home, press))
    for action_id, pick in menus(desk, services).items():
        app.action(action_id)(_menu_listener(desk, pick))

    @app.action(action_ids.OPEN_LINK)
    async def on_link(ack: AsyncAck) -> None:
        await ack()

    @app.action(re.compile(""))
    async def on_unknown(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _stale)


def buttons(desk: Desk, services: Services, connect: Connect) -> dict[str, Press]:
    """Action id to what pressing it does. The card itself changes by the engine's hand, for everybody at once."""
    mailbox = MailboxButtons(services.mailboxes, ConnectLinks(services, connect))
    stage, campaign = StageButtons(services.prospects, services.outreach), CampaignButtons(services.campaigns)
    escalations = Escalations(desk, services)
    return {
        action_ids.RESYNC: mailbox.resync,
        action_ids.RESYNC_HERE: mailbox.resync_here,
        action_ids.RECONNECT: mailbox.reconnect,
        action_ids.CONNECT: mailbox.connect,
        action_ids.REFRESH: mailbox.refresh,
        action_ids.PAUSE: mailbox.pause,
        action_ids.RESUME: mailbox.resume,
        action_ids.DISCONNECT: mailbox.disconnect,
        action_ids.POST_ALERT: escalations.post_alert,
        action_ids.POST_MAILBOX: escalations.post_mailbox,
        action_ids.START: campaign.start,
        action_ids.RETRY: stage.retry,
        action_ids.RETRY_ANYWAY: stage.retry_anyway,
        action_ids.FIX_ADDRESS: stage.fix_address,
        action_ids.RETRY_HEAP: stage.retry_heap,
        action_ids.SKIP: stage.skip,
        action_ids.FINISH: stage.finish,
        action_ids.WAS_SENT: stage.was_sent,
        action_ids.SEND_AGAIN: stage.send_again,
        action_ids.DROP: stage.drop,
        **_campaign_buttons(desk, services),
        **({} if services.holds is None else _brake_buttons(BrakeButton(services.holds))),
        **({} if services.tasks is None else _task_buttons(TaskButtons(services.tasks))),
        **({} if services.alerts is None else _alert_buttons(AlertButtons(services.alerts, escalations))),
    }


def menus(desk: Desk, services: Services) -> dict[str, Pick]:
    """Action id to what follows from a choice, where what the menu acts on is more than an id and a version."""
    if services.building is None:
        return {}
    listed = CampaignLifeButtons(desk, services, services.building)
    return dict.fromkeys(action_ids.LIST_BY, listed.by) | dict.fromkeys(action_ids.LIST_SHOW, listed.show)


def _campaign_buttons(desk: Desk, services: Services) -> dict[str, Press]:
    if services.building is None:
        return {}
    campaign = CampaignLifeButtons(desk, services, services.building)
    return {
        action_ids.START: campaign.start,
        action_ids.CAMPAIGN_NEW: campaign.new,
        action_ids.CAMPAIGN_OPEN: campaign.open,
        action_ids.CAMPAIGN_PREFLIGHT: campaign.preflight,
        action_ids.CAMPAIGN_START_ANYWAY: campaign.start_anyway,
        action_ids.CAMPAIGN_PAUSE: campaign.pause,
        action_ids.CAMPAIGN_STOP: campaign.stop,
        action_ids.CAMPAIGN_ARCHIVE: campaign.archive,
        action_ids.CAMPAIGN_ADD: campaign.add,
        action_ids.CAMPAIGN_SETTINGS: campaign.settings,
        action_ids.CAMPAIGN_MORE: campaign.more,
        action_ids.STAGE_NEW: campaign.new_stage,
        action_ids.STAGE_MORE: campaign.stage,
    }


def _brake_buttons(brake: BrakeButton) -> dict[str, Press]:
    return {
        action_ids.LIFT_MAILBOX_BRAKE: brake.lift_mailbox,
        action_ids.LIFT_CAMPAIGN_BRAKE: brake.lift_campaign,
    }


def _task_buttons(task: TaskButtons) -> dict[str, Press]:
    return {action_ids.TASK_DONE: task.done, action_ids.TASK_SKIP: task.skip, action_ids.TASK_MORE: task.more}


def _alert_buttons(alert: AlertButtons) -> dict[str, Press]:
    return {
        action_ids.ACKNOWLEDGE: alert.acknowledge,
        action_ids.ASSIGN: alert.assign,
        action_ids.MORE: alert.more,
        action_ids.RESYNC_STORM: alert.resync_storm,
        action_ids.RETRY_ALL: alert.retry_all,
        action_ids.REVIEW: alert.review,
        action_ids.LEAVE: alert.leave,
    }


def _listener(desk: Desk, home: Home, press: Press) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
    async def on_press(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _story(home, press, body))

    return on_press


def _menu_listener(desk: Desk, pick: Pick) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
    async def on_choice(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, lambda actor: pick(actor, (body.get("actions") or [{}])[0]))

    return on_choice


def _story(home: Home, press: Press, body: dict[str, Any]) -> Story:
    async def story(actor: Actor) -> Answer:
        card = await press(actor, _used(body))
        if (body.get("view") or {}).get("type") == "home":
            with suppress(SlackError):  # what was pressed is done; a Home tab that stays as it was is no failure of it
                await home.show(actor)
        return card

    return story


def _used(body: dict[str, Any]) -> ButtonValue:
    pressed = body.get("actions") or [{}]
    return used(pressed[0])


async def _stale(_: Actor) -> Card:
    raise RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX)
