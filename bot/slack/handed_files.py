"""Files between a person and us: given in a window, handed over in their direct messages."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.form_values import SentFile
from bot.slack.slack_errors import translate
from core.domain.actor import Actor
from core.errors import InputError, RefusedError, SlackUnknownError

READ_SCOPE: Final = "files:read"
_SLACK: Final = "files.slack.com"
_SECONDS: Final = 30
_CHUNK: Final = 65_536


class HandedFiles:
    """Over the bot's own token; it is shown to nobody but Slack."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def hand_over(self, actor: Actor, name: str, title: str, content: bytes) -> None:
        """In the person's direct messages (files.getUploadURLExternal and so on). Raises SlackError kinds."""
        try:
            opened = await self._client.conversations_open(users=actor.user)
            await self._client.files_upload_v2(
                channel=opened["channel"]["id"], filename=name, title=title, content=content
            )
        except Exception as error:
            raise translate(error) from error

    async def fetch(self, file: SentFile, most: int) -> bytes:
        """The bytes of a file that was given in a window. Raises InputError over ``most``, RefusedError where Slack
        gives us something else, SlackError kinds."""
        if file.size > most:
            raise _too_large(file, most)
        if not self._is_slacks(file.url):
            raise _unreadable(file)
        try:
            return await self._read(file, most)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SlackUnknownError("file_not_read") from error

    def _is_slacks(self, url: str) -> bool:
        """Our token goes to Slack's file host only, or to where its API is told to be."""
        parts, api = urlsplit(url), urlsplit(self._client.base_url)
        ours = (parts.scheme, parts.netloc) == (api.scheme, api.netloc)
        return ours or (parts.scheme == "https" and parts.netloc == _SLACK)

    async def _read(self, file: SentFile, most: int) -> bytes:
        headers = {"Authorization": f"Bearer {self._client.token}"}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        content = bytearray()
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(file.url, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 200 or answer.content_type == "text/html":  # its log-in page: we lack the scope
                raise _unreadable(file)
            async for chunk in answer.content.iter_chunked(_CHUNK):
                content += chunk
                if len(content) > most:
                    raise _too_large(file, most)
        return bytes(content)


def _too_large(file: SentFile, most: int) -> InputError:
    size = f"{most // 1_000_000} MB" if most >= 1_000_000 else f"{most // 1_000} KB"
    return InputError(f"is larger than {size}", field=file.name[:80], fix="Shrink it, or split it.")


def _unreadable(file: SentFile) -> RefusedError:
    return RefusedError(
        f"Slack did not let Rethread read {file.name[:80] or 'the file'}.",
        reason="file_not_read",
        fix=f"Paste its text instead, or ask an admin to reinstall the app with the scope {READ_SCOPE}.",
    )
