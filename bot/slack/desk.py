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
from bot.slack.blocks.forms import Form, again, waiting
from bot.slack.blocks.home import modal
from bot.slack.blocks.kit import Card
from bot.slack.error_handler import explain
from bot.slack.form_values import SentFile
from bot.slack.handed_files import HandedFiles
from bot.slack.middleware import RoleBook, Rush, origin_of
from bot.slack.sharing import Sharing
from bot.slack.slack_errors import translate
from bot.slack.uses import Answer, Origin, Picture, Seen, Show, Story
from core.domain.actor import Actor
from core.errors import RethreadError

_ACK_TRAVELS: Final = 0.5
_SOON: Final = 1.0
"""Seconds that a story may take before a window says that it takes longer."""


class FrontDesk:
    """Implements ``uses.Desk``."""

    def __init__(self, client: AsyncWebClient, roles: RoleBook, rush: Rush, seen: Seen) -> None:
        self._client, self._roles, self._rush, self._seen = client, roles, rush, seen
        self._answers, self._sharing, self._files = Answers(client), Sharing(client), HandedFiles(client)
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
            origin = await self._in_time(origin, answer, opening or _title_of(body))
            await self._give(origin, await answer)
        finally:
            self._running.discard(task)

    async def fill(self, body: Mapping[str, Any], story: Story, show: Show) -> None:
        """Runs one story for a window that was sent off, and has ``show`` tell in the acknowledgement what it shows
        now: the answer, or itself again with everything that stood in it, and why it could not be done. Where that
        takes longer than Slack may wait, it says so first. Raises nothing."""
        origin, view = origin_of(body), body.get("view")
        if origin is None or not isinstance(view, Mapping):
            await show(None)
            return
        task = self._enter()
        try:
            told = asyncio.ensure_future(self._told(origin, story, _asked(body), view))
            done, _ = await asyncio.wait({told}, timeout=_SOON)
            if done:
                await show(_window_of(await told, origin))
                return
            await show(waiting(_text_of(view, "title")))
            answer = await told
            # Slack may take a call of ours before the acknowledgement, which would then stand over it.
            await asyncio.sleep(_ACK_TRAVELS)
            await self._give(origin.in_window(str(view.get("id"))), answer)
        finally:
            self._running.discard(task)

    async def zone_of(self, workspace: str, user: str) -> str:
        """``RoleBook.zone``."""
        return await self._roles.zone(workspace, user)

    async def _in_time(self, origin: Origin, answer: asyncio.Future[Answer], title: str) -> Origin:
        """Slack lets a window be opened for three seconds: what takes longer has one that says so."""
        if not title or not (origin.trigger_id or origin.window):
            return origin
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

    async def hand_over(self, actor: Actor, name: str, title: str, content: bytes) -> None:
        """``HandedFiles.hand_over``."""
        await self._files.hand_over(actor, name, title, content)

    async def fetch(self, file: SentFile, most: int) -> bytes:
        """``HandedFiles.fetch``."""
        return await self._files.fetch(file, most)

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


def _title_of(body: Mapping[str, Any]) -> str:
    """Of the window in which something was pressed."""
    view = body.get("view")
    if body.get("type") != "block_actions" or not isinstance(view, Mapping) or view.get("type") != "modal":
        return ""
    return _text_of(view, "title")


def _text_of(view: Mapping[str, Any], name: str) -> str:
    found = view.get(name)
    return str(found.get("text") or "") if isinstance(found, Mapping) else ""


def _window_of(answer: Answer, origin: Origin) -> Mapping[str, Any] | None:
    """What a window shows in place of what was sent off; None: it closes."""
    if isinstance(answer, Form):
        return answer.view(origin.channel)
    return modal(answer) if answer is not None else None


def _asked(body: Mapping[str, Any]) -> str:
    """What was asked, for the log: a command, an action or an event by name, never an argument."""
    actions = body.get("actions")
    if isinstance(actions, list) and actions:
        return f"action {str(actions[0].get('action_id'))[:60]}"
    event = body.get("event")
    if isinstance(event, Mapping):
        return f"event {str(event.get('type'))[:60]}"
    return str(body.get("command") or body.get("type") or "request")[:60]
