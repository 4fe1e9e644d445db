"""Takes what an app wants to say, refuses what Slack refuses, and stores the rest."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.block_kit import ATTACHMENTS_PER_MESSAGE, Problem, check_attachments, check_blocks
from sandbox.slack.config import Json
from sandbox.slack.model import Message
from sandbox.slack.state import Workspace

TEXT_TRUNCATED_AT = 40_000
# A message with more JSON than this was refused although each documented limit was kept.
BLOCKS_JSON_CHARACTERS = 13_200
METADATA_BYTES = 8_000


class RefusedError(Exception):
    """A call that Slack answers with ``ok: false``; ``extra`` are further fields of the answer."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra

    def answer(self) -> Json:
        """Return the JSON Slack answers."""
        return {"ok": False, "error": self.code, **self.extra}


def invalid(code: str, problems: Sequence[Problem]) -> RefusedError:
    """Return a refusal that names every problem with its pointer, as Slack does."""
    words = [str(problem) for problem in problems]
    return RefusedError(code, errors=words, response_metadata={"messages": [f"[ERROR] {w}" for w in words]})


def invalid_arguments(*words: str) -> RefusedError:
    """Return the refusal of missing or malformed arguments."""
    return RefusedError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {w}" for w in words]})


@dataclass
class Content:
    """What a message says."""

    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    warnings: list[str] = field(default_factory=list)


def read_content(arguments: Json, *, may_be_empty: bool = False) -> Content:
    """Read and check text, blocks, attachments and metadata of a call.

    Raises RefusedError with Slack's own error name.
    """
    text = str(arguments.get("text") or "")
    content = Content(
        text=text[:TEXT_TRUNCATED_AT],
        blocks=read_list(arguments, "blocks", "invalid_blocks_format"),
        attachments=read_list(arguments, "attachments", "invalid_attachments"),
        metadata=_metadata(arguments),
    )
    if len(text) > TEXT_TRUNCATED_AT:
        content.warnings.append("message_truncated")
    if not (text or content.blocks or content.attachments or may_be_empty):
        raise RefusedError("no_text")
    if len(content.attachments) > ATTACHMENTS_PER_MESSAGE:
        raise RefusedError("too_many_attachments")
    problems = check_blocks(content.blocks) + check_attachments(content.attachments)
    if problems:
        raise invalid("invalid_blocks", problems)
    inside = [attachment.get("blocks") for attachment in content.attachments]
    if len(json.dumps([content.blocks, inside], ensure_ascii=False)) > BLOCKS_JSON_CHARACTERS:
        raise RefusedError("msg_blocks_too_long")
    return content


def read_list(arguments: Json, name: str, code: str) -> list[Json]:
    """Return a list argument, given as JSON text or as a list; RefusedError(code) otherwise."""
    value = parsed(arguments.get(name), code)
    if value in (None, ""):
        return []
    if not isinstance(value, list):
        raise RefusedError(code)
    return value


def parsed(value: Any, code: str) -> Any:
    """Return a value that may have come as JSON text; RefusedError(code) if it is not JSON."""
    if not isinstance(value, str) or not value:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise RefusedError(code) from None


def _metadata(arguments: Json) -> Json | None:
    value = parsed(arguments.get("metadata"), "invalid_metadata_format")
    if not value:
        return None
    if not isinstance(value, dict):
        raise RefusedError("invalid_metadata_format")
    event_type, payload = value.get("event_type"), value.get("event_payload")
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict):
        raise RefusedError("invalid_metadata_format")
    if set(value) - {"event_type", "event_payload"}:
        raise RefusedError("invalid_metadata_schema")
    if len(json.dumps(value).encode()) > METADATA_BYTES:
        raise RefusedError("metadata_too_large")
    return value


def post_as_bot(
    workspace: Workspace,
    channel_id: str,
    content: Content,
    *,
    ephemeral_to: str | None = None,
    thread_ts: str | None = None,
    broadcast: bool = False,
    client_msg_id: str | None = None,
) -> Message:
    """Store a message of the app's bot."""
    return workspace.post(
        Message(
            ts="",
            channel=channel_id,
            user=workspace.app.bot_user_id,
            text=content.text,
            by_bot=True,
            blocks=content.blocks,
            attachments=content.attachments,
            metadata=content.metadata,
            ephemeral_to=ephemeral_to,
            thread_ts=thread_ts,
            broadcast=broadcast,
            client_msg_id=client_msg_id,
        )
    )
