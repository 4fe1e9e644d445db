"""What happens in the workspace without a person asking us."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from bot.slack.blocks.answers import welcome
from bot.slack.listeners.events.home import Home
from bot.slack.uses import Desk, Services


def register_events(app: AsyncApp, desk: Desk, services: Services) -> None:
    """Home tab, being added to a channel; all else that is subscribed is acknowledged, so Slack does not repeat it."""
    home = Home(desk, services)

    @app.event("app_home_opened")
    async def on_home(body: dict[str, Any], event: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            await desk.serve(body, home.show)

    @app.event("member_joined_channel")
    async def on_joined(body: dict[str, Any], event: dict[str, Any], context: AsyncBoltContext) -> None:
        if event.get("user") == context.bot_user_id:
            await desk.welcome_once(body, str(event.get("channel")), welcome())

    @app.event(re.compile(""))
    async def on_other() -> None:
        """Bolt acknowledges events by itself."""
