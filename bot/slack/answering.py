"""How an answer reaches the person who asked: the ways Slack offers, the nearest first."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.blocks import answers, forms
from bot.slack.blocks.forms import Form
from bot.slack.blocks.home import home_notice, modal
from bot.slack.blocks.kit import Card, plain
from bot.slack.slack_errors import translate
from bot.slack.uses import Origin
from core.errors import SlackError, SlackRefusedError

log = logging.getLogger("rethread.slack")

Way = Callable[[Origin, Card], Awaitable[None]]


_NO_WINDOW: Final = answers.error(
    "The window could not be opened: Slack allows three seconds for that, or it was closed meanwhile.",
    "Ask for it again; what was saved before is still there.",
)


class Answers:
    """Every answer is for one person's eyes: ephemeral in a channel; a window on the Home tab, where the card wants
    one, and where something was pressed in one; else a direct message. A way that fails (an address used up, a window
    closed, a person who left the channel) gives way to the next."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def give(self, origin: Origin, answer: Card | Form) -> bool:
        """Whether some way worked. Raises nothing: an answer that cannot be given is logged. A layout that Slack
        refuses goes again as its sentence."""
        if isinstance(answer, Form):
            return await self._show(origin, answer)
        return await self._try(origin, answer) or await self._try(origin, plain(answer))

    async def wait(self, origin: Origin, title: str) -> str | None:
        """A window that says that something is being done, new or where something was pressed; its id, or None where
        Slack does not show it."""
        view = forms.waiting(title)
        try:
            if origin.window:
                opened = await self._call(self._client.views_update(view_id=origin.window, view=view))
            else:
                opened = await self._call(self._client.views_open(trigger_id=str(origin.trigger_id), view=view))
        except SlackError as failed:
            log.warning("action=slack_window_failed slack=%s", failed.slack_code)
            return None
        return str(opened["view"]["id"])

    async def _show(self, origin: Origin, form: Form) -> bool:
        """In the window where something was pressed, else in a new one."""
        view = form.view(origin.channel)
        try:
            if origin.window:
                await self._call(self._client.views_update(view_id=origin.window, view=view))
            else:
                await self._call(self._client.views_open(trigger_id=str(origin.trigger_id or ""), view=view))
        except SlackError as failed:
            log.warning("action=slack_window_failed slack=%s form=%s", failed.slack_code, form.callback_id)
            return await self._try(replace(origin, window=None, trigger_id=None), _NO_WINDOW)
        return True

    async def _try(self, origin: Origin, card: Card) -> bool:
        for way in self._ways(origin, card):
            try:
                await way(origin, card)
            except SlackError as failed:
                log.warning("action=slack_answer_failed way=%s slack=%s", way.__name__, failed.slack_code)
            else:
                return True
        return False

    def _ways(self, origin: Origin, card: Card) -> list[Way]:
        if origin.window:
            return [self._same_window, self._direct]
        if origin.home:
            return [self._window, self._direct] if origin.trigger_id else [self._home]
        ways: list[Way] = [self._window] if card.window and origin.trigger_id else []
        if origin.response_url:
            ways.append(self._response_url)
        if origin.channel:
            ways.append(self._ephemeral)
        return [*ways, self._direct]

    async def _response_url(self, origin: Origin, card: Card) -> None:
        webhook = AsyncWebhookClient(str(origin.response_url), retry_handlers=[], timeout=10)
        body = {
            "response_type": "ephemeral",
            "replace_original": card.replaces,
            "text": card.text,
            "blocks": card.blocks,
        }
        try:
            response = await webhook.send_dict(body)
        except Exception as error:
            raise translate(error) from error
        if response.status_code != 200:  # the SDK does not raise on an address that is used up
            raise SlackRefusedError(f"response_url_{response.status_code}")

    async def _ephemeral(self, origin: Origin, card: Card) -> None:
        await self._call(
            self._client.chat_postEphemeral(
                channel=str(origin.channel), user=origin.user, text=card.text, blocks=card.blocks
            )
        )

    async def _window(self, origin: Origin, card: Card) -> None:
        await self._call(self._client.views_open(trigger_id=str(origin.trigger_id), view=modal(card)))

    async def _same_window(self, origin: Origin, card: Card) -> None:
        await self._call(self._client.views_update(view_id=str(origin.window), view=modal(card)))

    async def _home(self, origin: Origin, card: Card) -> None:
        await self._call(self._client.views_publish(user_id=origin.user, view=home_notice(card)))

    async def _direct(self, origin: Origin, card: Card) -> None:
        opened = await self._call(self._client.conversations_open(users=origin.user))
        await self._call(
            self._client.chat_postMessage(
                channel=opened["channel"]["id"],
                text=card.text,
                blocks=card.blocks,
                unfurl_links=False,
                unfurl_media=False,
            )
        )

    async def _call(self, call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
        try:
            return await call
        except Exception as error:
            raise translate(error) from error
