"""The desk between Bolt's listeners and the use cases: once only, who asks, the answer, and every failure in words.

Whatever a listener does after its ack runs here, because an exception that leaves a listener within 10 ms of its ack
makes Bolt forget the ack and answer 404 after three seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.answering import Answers
from bot.slack.blocks.forms import again
from bot.slack.blocks.kit import Card
from bot.slack.error_handler import explain
from bot.slack.middleware import RoleBook, Rush, origin_of
from bot.slack.sharing import Sharing
from bot.slack.slack_errors import translate
from bot.slack.uses import Answer, Origin, Picture, Seen, Story
from core.domain.actor import Actor
from core.errors import RethreadError

_SOON: Final = 1.0
"""Seconds that a story may take before a window says that it takes longer."""


class FrontDesk:
    """Implements ``uses.Desk``."""

    def __init__(self, client: AsyncWebClient, roles: RoleBook, rush: Rush, seen: Seen) -> None:
        self._client, self._roles, self._rush, self._seen = client, roles, rush, seen
        self._answers, self._sharing = Answers(client), Sharing(client)
        self._running: set[asyncio.Task[Any]] = set()

    async def serve(self, body: Mapping[str, Any], story: Story, *, opening: str = "") -> None:
        """Runs one story for the person behind a verified payload. ``opening`` is the title of the window that stands
        at once where the story takes longer than Slack lets anybody open one. Raises nothing."""
        origin = origin_of(body)
        if origin is None:
            return
        task = self._enter()
        try:
            answer = asyncio.ensure_future(self._told(origin, story, _asked(body)))
            if opening and origin.trigger_id and origin.window is None:
                origin = await self._in_time(origin, answer, opening)
            await self._give(origin, await answer)
        finally:
            self._running.discard(task)

    async def fill(self, body: Mapping[str, Any], story: Story) -> None:
        """Runs one story for a window that was sent off and still stands, showing that something is done. It shows the
        answer then, or itself again with everything that stood in it, and why it could not be done. Raises nothing."""
        origin, view = origin_of(body), body.get("view")
        if origin is None or not isinstance(view, Mapping):
            return
        task = self._enter()
        try:
            answer = await self._told(origin, story, _asked(body), view)
            await self._give(origin.in_window(str(view.get("id"))), answer)
        finally:
            self._running.discard(task)

    async def zone_of(self, workspace: str, user: str) -> str:
        """``RoleBook.zone``."""
        return await self._roles.zone(workspace, user)

    async def _in_time(self, origin: Origin, answer: asyncio.Future[Answer], title: str) -> Origin:
        """Slack lets a window be opened for three seconds: what takes longer has one that says so."""
        done, _ = await asyncio.wait({answer}, timeout=_SOON)
        if done:
            return origin
        window = await self._answers.wait(origin, title)
        return origin.in_window(window) if window else origin

    async def _give(self, origin: Origin, answer: Answer) -> None:
        if answer is not None:
            await self._answers.give(origin, answer)

    async def _told(self, origin: Origin, story: Story, asked: str, window: Mapping[str, Any] | None = None) -> Answer:
        try:
            self._rush.admit(origin.workspace, origin.user)
            if origin.key is not None and not await self._seen(origin.workspace, origin.key):
                return None
            return await story(await self._roles.actor(origin.workspace, origin.user))
        except Exception as error:  # the boundary: nothing may leave a listener after its ack
            card = explain(error, asked=asked)
            return card if window is None else again(window, card)

    async def welcome_once(self, body: Mapping[str, Any], channel: str, card: Card) -> None:
        """A person added us to a channel: one greeting, however often Slack tells of it. Raises nothing."""
        workspace, task = str(body.get("team_id") or ""), self._enter()
        try:
            if await self._seen(workspace, f"welcome:{channel}"[:200]):
                await self._client.chat_postMessage(
                    channel=channel, text=card.text, blocks=card.blocks, unfurl_links=False, unfurl_media=False
                )
        except Exception as error:  # nobody asked, so nobody is told; the log is
            explain(error if isinstance(error, RethreadError) else translate(error), asked="welcome")
        finally:
            self._running.discard(task)

    async def post_once(self, actor: Actor, key: str, channel: str, card: Card) -> bool:
        """Posts a card in a person's name; False where this key was posted before. Raises SlackError kinds."""
        if not await self._seen(actor.workspace, f"post:{key}"[:200]):
            return False
        try:
            await self._client.chat_postMessage(
                channel=channel, text=card.text, blocks=card.blocks, unfurl_links=False, unfurl_media=False
            )
        except Exception as error:
            raise translate(error) from error
        return True

    async def share(self, actor: Actor, channel: str | None, card: Card, pictures: Sequence[Picture]) -> Card | None:
        """``Sharing.share``. Raises SlackError kinds where nothing was posted."""
        return await self._sharing.share(actor, channel, card, pictures)

    async def publish_home(self, actor: Actor, view: Mapping[str, Any]) -> None:
        """Shows a person's Home tab. Raises SlackError kinds."""
        try:
            await self._client.views_publish(user_id=actor.user, view=dict(view))
        except Exception as error:
            raise translate(error) from error

    async def settle(self, timeout: float) -> None:
        """Waits for stories under way, at most so many seconds; their acks are out, so nobody would repeat them."""
        running = {task for task in self._running if task is not asyncio.current_task()}
        if running:
            await asyncio.wait(running, timeout=timeout)

    def _enter(self) -> asyncio.Task[Any]:
        # Bolt keeps no reference to the task of an acknowledged listener: without ours it might vanish half-way.
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        return task


def _asked(body: Mapping[str, Any]) -> str:
    """What was asked, for the log: a command, an action or an event by name, never an argument."""
    actions = body.get("actions")
    if isinstance(actions, list) and actions:
        return f"action {str(actions[0].get('action_id'))[:60]}"
    event = body.get("event")
    if isinstance(event, Mapping):
        return f"event {str(event.get('type'))[:60]}"
    return str(body.get("command") or body.get("type") or "request")[:60]
