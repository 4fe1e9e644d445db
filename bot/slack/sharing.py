"""A card with pictures for everybody in the conversation where it was asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import answers
from bot.slack.blocks.kit import Card, plain
from bot.slack.slack_errors import translate
from bot.slack.uses import Picture
from core.domain.actor import Actor
from core.errors import SlackBusyError, SlackError, SlackRefusedError

log = logging.getLogger("rethread.slack")

FILES_SCOPE: Final = "files:write"
_NO_WAY_IN: Final = frozenset(("not_in_channel", "channel_not_found", "is_archived", "restricted_action"))
_ELSEWHERE: Final = "Rethread is not in that conversation: the report is in your direct messages with it."
_INVITE: Final = "Type /invite @Rethread there to have reports where you ask for them."
_COMPLETE: Final = "The figures above are complete without them."


class Sharing:
    """Posts as the bot. Nothing is posted twice: where an answer of Slack's is lost, that is said instead."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def share(self, actor: Actor, channel: str | None, card: Card, pictures: Sequence[Picture]) -> Card | None:
        """The card, then the pictures; where the bot is not in the conversation, both in a direct message. Returns what
        the person who asked should know, None where all went as asked. Raises SlackError kinds where nothing could be
        posted."""
        place, moved = await self._post(actor, channel, card)
        try:
            await self._upload(place, pictures)
        except SlackError as failed:
            log.warning("action=slack_pictures_failed slack=%s", failed.slack_code)
            return _without_pictures(failed)
        return answers.said(f"{_ELSEWHERE} {_INVITE}") if moved else None

    async def _post(self, actor: Actor, channel: str | None, card: Card) -> tuple[str, bool]:
        """Where it was posted, and whether that is elsewhere than asked. A layout that Slack refuses goes again as its
        sentence."""
        if channel:
            try:
                return await self._send(channel, card), False
            except SlackRefusedError as refused:
                log.info("action=slack_report_moved slack=%s", refused.slack_code)
                if refused.slack_code not in _NO_WAY_IN:
                    return await self._send(channel, plain(card)), False
        try:
            opened = await self._client.conversations_open(users=actor.user)
        except Exception as error:
            raise translate(error) from error
        return await self._send(str(opened["channel"]["id"]), card), True

    async def _send(self, channel: str, card: Card) -> str:
        try:
            posted = await self._client.chat_postMessage(
                channel=channel, text=card.text, blocks=card.blocks, unfurl_links=False, unfurl_media=False
            )
        except Exception as error:
            raise translate(error) from error
        return str(posted["channel"])

    async def _upload(self, channel: str, pictures: Sequence[Picture]) -> None:
        """All in one message (files.getUploadURLExternal, the bytes, files.completeUploadExternal)."""
        uploads: list[dict[str, Any]] = [
            {"filename": one.name, "content": one.content, "title": one.title, "alt_txt": one.described}
            for one in pictures
        ]
        if not uploads:
            return
        try:
            await self._client.files_upload_v2(channel=channel, file_uploads=uploads)
        except Exception as error:
            raise translate(error) from error


def _without_pictures(failed: SlackError) -> Card:
    if failed.slack_code == "missing_scope":
        return answers.error(
            f"The pictures could not be posted: Rethread lacks the scope {FILES_SCOPE} in this workspace. {_COMPLETE}",
            "An admin has to reinstall the app from the newest manifest.yml.",
        )
    if isinstance(failed, SlackRefusedError):
        return answers.error(
            f"Slack refused the pictures ({failed.slack_code}). {_COMPLETE}",
            "Ask an admin of this workspace whether apps may upload files.",
        )
    if isinstance(failed, SlackBusyError):
        return answers.error(f"Slack does not take the pictures just now. {_COMPLETE}", "Ask again in a minute.")
    return answers.error(
        f"Slack did not say whether it has the pictures. {_COMPLETE}", "If they do not appear, ask again in a minute."
    )
