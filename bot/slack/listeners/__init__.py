"""Every listener, each four lines of story: ack, parse, call a use case, present."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.listeners.actions import register_actions
from bot.slack.listeners.commands import register_commands
from bot.slack.listeners.events import register_events
from bot.slack.listeners.prospecting import register_prospecting
from bot.slack.listeners.views import register_views
from bot.slack.uses import Connect, Desk, Services


def register(app: AsyncApp, desk: Desk, services: Services, connect: Connect) -> None:
    """Registers them all; the catch-alls come last in each group, because Bolt takes the first that matches."""
    register_commands(app, desk, services, connect)
    register_prospecting(app, desk, services)
    register_actions(app, desk, services, connect)
    register_views(app, desk, services)
    register_events(app, desk, services)
