"""Fetches the readable texts of many messages in few commands: grouped by section, batched by size."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from core.domain.message import FetchedMessage
from core.mail.imap_answers import sequence_set
from core.mail.imap_fetch import HEADER_SECTION, FetchRecord
from core.mail.imap_pipeline import Finisher, Starter, pipelined
from core.mail.imap_protocol import ImapCommand
from core.mail.imap_structure import StructureError, TextPart, find_text
from core.mail.mime_text import text_of_message
from core.mail.text import readable_text

_MAX_MESSAGES = 200
_MAX_BYTES = 1024 * 1024
_AHEAD = 2


@dataclass(frozen=True, slots=True)
class _Request:
    """One command: which messages, which section ("" asks for everything below the header)."""

    uids: tuple[int, ...]
    section: str
    wire_limit: int

    @property
    def uid_set(self) -> str:
        return sequence_set(self.uids)

    @property
    def items(self) -> str:
        if self.section:
            return f"(UID BODY.PEEK[{self.section}]<0.{self.wire_limit}>)"
        fields = "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE CONTENT-TRANSFER-ENCODING)]"
        return f"(UID {fields} BODY.PEEK[TEXT]<0.{self.wire_limit}>)"

    def claims(self) -> Callable[[FetchRecord], bool]:
        wanted, section = frozenset(self.uids), self.section or "TEXT"
        # Flags alone, pushed at the end of any command, are nobody's text.
        return lambda record: record.uid in wanted and section in record.sections


class TextFetcher:
    """Asks through the client's two functions: send a UID FETCH, wait for its end."""

    def __init__(self, start: Starter, finish: Finisher) -> None:
        self._start, self._finish = start, finish

    async def fetch(self, messages: Sequence[FetchedMessage], limit: int) -> dict[int, bytes]:
        """UID to text. Where the structure is broken or lied, the whole body is fetched and read by our own scanner."""
        parts, texts, doubtful = _locate(messages)
        async for request, records in self._ask(_requests(parts, limit)):
            for record in records:
                uid, part = record.uid or 0, parts[record.uid or 0]
                data = record.sections.get(request.section, b"")
                if data or not part.size:
                    texts[uid] = readable_text(
                        data, encoding=part.encoding, charset=part.charset, subtype=part.subtype, limit=limit
                    )
                else:
                    doubtful.append(uid)
        async for _, records in self._ask(_whole_requests(doubtful, limit)):
            for record in records:
                header, body = record.sections.get(HEADER_SECTION, b""), record.sections.get("TEXT", b"")
                texts[record.uid or 0] = text_of_message(header, body, limit=limit)
        return texts

    async def _ask(self, requests: Sequence[_Request]) -> AsyncIterator[tuple[_Request, list[FetchRecord]]]:
        """The answers, command by command; the next commands are under way while one is handed over."""

        async def start(request: _Request) -> ImapCommand:
            return await self._start(request.uid_set, request.items, request.claims())

        async with aclosing(pipelined(requests, start, self._finish, ahead=_AHEAD)) as answers:
            async for request, command in answers:
                yield request, command.records
                await asyncio.sleep(0)  # decoding takes its time; others wait for the loop


def _locate(messages: Sequence[FetchedMessage]) -> tuple[dict[int, TextPart], dict[int, bytes], list[int]]:
    """Text parts by UID; the (empty) texts of messages that have none; UIDs whose structure cannot be used."""
    parts: dict[int, TextPart] = {}
    texts: dict[int, bytes] = {}
    doubtful: list[int] = []
    for message in messages:
        try:
            part = find_text(message.structure) if message.structure is not None else None
        except StructureError:
            doubtful.append(message.uid)
            continue
        if part is not None:
            parts[message.uid] = part
        elif message.structure is None:
            doubtful.append(message.uid)
        else:
            texts[message.uid] = b""
    return parts, texts, doubtful


def _requests(parts: dict[int, TextPart], limit: int) -> list[_Request]:
    """Few commands for many parts: at most 200 messages and about 1 MiB each, all of the same section."""
    by_section: dict[tuple[str, int], list[int]] = defaultdict(list)
    for uid, part in parts.items():
        encoded = part.encoding in {"base64", "quoted-printable"}
        by_section[part.section, limit * 3 // 2 if encoded else limit].append(uid)
    requests = []
    for (section, wire_limit), uids in by_section.items():
        chunk: list[int] = []
        room = _MAX_BYTES
        for uid in sorted(uids):
            if chunk and (room <= 0 or len(chunk) == _MAX_MESSAGES):
                requests.append(_Request(tuple(chunk), section, wire_limit))
                chunk, room = [], _MAX_BYTES
            chunk.append(uid)
            room -= min(parts[uid].size, wire_limit)
        requests.append(_Request(tuple(chunk), section, wire_limit))
    return requests


def _whole_requests(uids: Sequence[int], limit: int) -> list[_Request]:
    at_once = max(1, 4 * _MAX_BYTES // limit)
    ordered = sorted(set(uids))
    return [_Request(tuple(ordered[start : start + at_once]), "", limit) for start in range(0, len(ordered), at_once)]
