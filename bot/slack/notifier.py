"""Cards into Slack: posted once, then kept up to date in place. Implements ``core.ports.notifier.Notifier``."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks.cards import present
from bot.slack.blocks.kit import Card
from bot.slack.pacing import ChannelPace
from bot.slack.slack_errors import translate
from core.errors import InputError, SlackBusyError, SlackError, SlackRefusedError, SlackUnknownError
from core.ports.notifier import MessageRef

EVENT_TYPE: Final = "rethread_card"
UPDATE_TEXT: Final = 4_000

_KEYS: Final = uuid.UUID("5f1c2f0e-6a3b-4c57-9a1d-2c1f6d1b7e44")  # any fixed namespace: ours alone
_LAYOUT_REFUSED: Final = frozenset(
    ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments", "too_many_attachments")
)
_MAY_NOT_LOOK: Final = frozenset(("missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type"))
_SHUT_OUT: Final = frozenset(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"))
_SHUT_OUT_SECONDS: Final = 60.0
_PAGES: Final = 5


class SlackNotifier:
    """``client_of`` gives the workspace's client; it must have no retry handlers of its own, because a repeated
    chat.postMessage is a second message."""

    def __init__(self, client_of: Callable[[str], AsyncWebClient], pace: ChannelPace) -> None:
        self._client_of, self._pace = client_of, pace
        self._direct: dict[tuple[str, str], str] = {}

    async def post(
        self, workspace: str, *, destination: str, kind: str, facts: Mapping[str, Any], key: str
    ) -> MessageRef:
        """Posts a card. A layout that Slack refuses goes again as its sentence: an alert must not be lost for looks."""
        card = _card(kind, facts)
        channel = await self._channel(workspace, destination)
        await self._pace.turn(channel)
        try:
            return await self._post(workspace, channel, card.message(), key)
        except SlackRefusedError as refused:
            if refused.slack_code not in _LAYOUT_REFUSED:
                raise
        return await self._post(workspace, channel, {"text": card.text}, key)

    async def _post(self, workspace: str, channel: str, message: Mapping[str, Any], key: str) -> MessageRef:
        arguments: dict[str, Any] = {
            "channel": channel,
            **message,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
            # May help Slack to see a repetition; nothing is proved by it (java-slack-sdk#852).
            "client_msg_id": str(uuid.uuid5(_KEYS, f"{workspace}/{key}")),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        answer = await self._call(workspace, "chat.postMessage", arguments)
        return MessageRef(str(answer["channel"]), str(answer["ts"]))

    async def update(self, workspace: str, ref: MessageRef, *, kind: str, facts: Mapping[str, Any]) -> None:
        """Edits a card in place; repeating it does no harm, so an answer that was lost is only "busy"."""
        card = _card(kind, facts)
        await self._pace.turn(ref.channel, urgent=bool(facts.get("actor")))
        try:
            await self._update(workspace, ref, card.message())
        except SlackRefusedError as refused:
            if refused.slack_code not in _LAYOUT_REFUSED:
                raise
            await self._update(workspace, ref, {"text": card.text, "blocks": [], "attachments": []})

    async def _update(self, workspace: str, ref: MessageRef, message: Mapping[str, Any]) -> None:
        arguments = {"channel": ref.channel, "ts": ref.ts, **message, "text": str(message["text"])[:UPDATE_TEXT]}
        try:
            await self._call(workspace, "chat.update", arguments)
        except SlackUnknownError as unknown:
            raise SlackBusyError(unknown.slack_code) from unknown

    async def find(self, workspace: str, *, destination: str, key: str, since: datetime) -> MessageRef | None:
        """Looks for our key in the metadata of messages since a moment; None also where no history scope was given."""
        channel = await self._channel(workspace, destination)
        cursor = ""
        for _ in range(_PAGES):
            page = await self._history(workspace, channel, since, cursor)
            for message in page.get("messages") or []:
                if _key_of(message) == key:
                    return MessageRef(channel, str(message["ts"]))
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return None

    async def _history(self, workspace: str, channel: str, since: datetime, cursor: str) -> Mapping[str, Any]:
        arguments = {
            "channel": channel,
            "oldest": f"{since.timestamp():.6f}",
            "include_all_metadata": "1",
            "limit": "200",
            **({"cursor": cursor} if cursor else {}),
        }
        try:
            return await self._call(workspace, "conversations.history", arguments, query=True)
        except SlackRefusedError as refused:
            if refused.slack_code in _MAY_NOT_LOOK:
                return {}
            raise
        except SlackUnknownError as unknown:
            raise SlackBusyError(unknown.slack_code) from unknown

    async def _channel(self, workspace: str, destination: str) -> str:
        """The channel's id; for ``user:U…`` that of the direct message, opened once."""
        if not destination.startswith("user:"):
            return destination
        user = destination.removeprefix("user:")
        known = self._direct.get((workspace, user))
        if known:
            return known
        try:
            answer = await self._call(workspace, "conversations.open", {"users": user}, query=True)
        except SlackUnknownError as unknown:
            raise SlackBusyError(unknown.slack_code) from unknown  # opening twice opens the same one
        return self._direct.setdefault((workspace, user), str(answer["channel"]["id"]))

    async def _call(
        self, workspace: str, method: str, arguments: Mapping[str, Any], *, query: bool = False
    ) -> Mapping[str, Any]:
        """Methods outside chat.* read their arguments from the query. Raises SlackError kinds only."""
        client = self._client_of(workspace)
        try:
            if query:
                response = await client.api_call(method, params=dict(arguments))
            else:
                response = await client.api_call(method, json=dict(arguments))
        except Exception as error:
            raise _waiting_for_a_token(translate(error)) from error
        data = response.data
        if not isinstance(data, Mapping):
            raise SlackUnknownError("no_json")
        return data


def _waiting_for_a_token(error: SlackError) -> SlackError:
    """A token that is good no more says nothing against the card: it waits until there is another."""
    if isinstance(error, SlackRefusedError) and error.slack_code in _SHUT_OUT:
        return SlackBusyError(error.slack_code, retry_after=_SHUT_OUT_SECONDS)
    return error


def _card(kind: str, facts: Mapping[str, Any]) -> Card:
    try:
        return present(kind, facts)
    except InputError as unknown:
        raise SlackRefusedError("unknown_card") from unknown


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    return str(payload.get("key")) if isinstance(payload, Mapping) else None
