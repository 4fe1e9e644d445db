"""Windows. Rethread opens none that is filled in yet: only answers to read, and what is pressed in them is answered."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import action_ids
from bot.slack.blocks.kit import Card
from bot.slack.uses import Desk
from core.domain.actor import Actor
from core.errors import RefusedError


def register_views(app: AsyncApp, desk: Desk) -> None:
    """A window from an older version is closed with a sentence."""

    @app.view_submission(re.compile(""))
    async def on_submission(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _stale)

    @app.view_closed(re.compile(""))
    async def on_closed(ack: AsyncAck) -> None:
        await ack()


async def _stale(_: Actor) -> Card:
    raise RefusedError(
        "This window is from an older version of Rethread.", reason="view_stale", fix=action_ids.STALE_FIX
    )
