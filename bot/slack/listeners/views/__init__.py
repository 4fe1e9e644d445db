"""Windows that were filled in and sent off."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack import action_ids
from bot.slack.blocks.forms import kept_in
from bot.slack.blocks.kit import Card
from bot.slack.form_values import Faults, Values
from bot.slack.listeners.views.campaigns import campaign_submissions
from bot.slack.listeners.views.prospects import prospect_submissions
from bot.slack.listeners.views.submission import Submission
from bot.slack.uses import Desk, Services, Show
from core.domain.actor import Actor
from core.errors import RefusedError


def register_views(app: AsyncApp, desk: Desk, services: Services) -> None:
    """Each window by name; one from an older version is closed with a sentence."""
    for callback_id, submission in submissions(desk, services).items():
        app.view_submission(callback_id)(_listener(desk, submission))

    @app.view_submission(re.compile(""))
    async def on_unknown(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _stale)

    @app.view_closed(re.compile(""))
    async def on_closed(ack: AsyncAck) -> None:
        await ack()


def submissions(desk: Desk, services: Services) -> Mapping[str, Submission[Any]]:
    """callback_id to what becomes of what was filled in."""
    return {**campaign_submissions(desk, services), **prospect_submissions(desk, services)}


def _listener(desk: Desk, submission: Submission[Any]) -> Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]:
    """What is wrong with what was typed is said under it, within the ack; everything else follows after it."""

    async def on_submission(ack: AsyncAck, body: dict[str, Any]) -> None:
        view = body["view"]
        try:
            kept, _ = kept_in(view)
        except RefusedError:
            await ack()
            await desk.serve(body, _stale)
            return
        request = submission.read(Values(view), kept)
        if isinstance(request, Faults):
            await ack(response_action="errors", errors=dict(request.by_input))
        elif submission.stays:
            await desk.fill(body, lambda actor: submission.story(actor, request), _showing(ack))
        else:
            await ack()
            await desk.serve(body, lambda actor: submission.story(actor, request))

    return on_submission


def _showing(ack: AsyncAck) -> Show:
    async def show(view: Mapping[str, Any] | None) -> None:
        if view is None:
            await ack()
        else:
            await ack(response_action="update", view=dict(view))

    return show


async def _stale(_: Actor) -> Card:
    raise RefusedError(
        "This window is from an older version of Rethread.", reason="view_stale", fix=action_ids.STALE_FIX
    )
