"""Fetches the headers of UID ranges: a few commands ahead, in batches that are bounded in messages and in bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from core.domain.message import FetchedMessage
from core.errors import ServerRefusedError
from core.mail.imap_answers import in_order
from core.mail.imap_fetch import HEADER_FIELDS, HEADER_SECTION, FetchRecord
from core.mail.imap_pipeline import Finisher, Starter, pipelined
from core.mail.imap_protocol import ImapCommand, ImapProtocol

BATCH = 500
MAX_UID = 2**32 - 1
_AHEAD = 1
_MOST_BYTES = 32 * 1024 * 1024
_MOST_TEXT = 262_144
_HEADER_ITEM = f"BODY.PEEK[HEADER.FIELDS ({HEADER_FIELDS})]"


class UidRange(NamedTuple):
    """UIDs from ``low`` to ``high``, both included; None: to the end."""

    low: int
    high: int | None

    def __str__(self) -> str:
        return f"{self.low}:{'*' if self.high is None else self.high}"

    def holds(self, uid: int | None) -> bool:
        return uid is not None and self.low <= uid <= (self.high or MAX_UID)


class HeaderFetcher:
    """Asks through the client's two functions: send a UID FETCH, wait for its end."""

    def __init__(self, protocol: ImapProtocol, start: Starter, finish: Finisher) -> None:
        self._protocol = protocol
        self._start, self._finish = start, finish

    async def fetch(
        self, ranges: Sequence[UidRange], *, newest_first: bool
    ) -> AsyncGenerator[list[FetchedMessage], None]:
        """Batches of at most 500 messages and about 32 MiB of text that they may have; in order of UID."""
        async with aclosing(pipelined(ranges, self._ask, self._finish, ahead=_AHEAD)) as answers:
            async for uids, command in answers:
                for batch in _batches(in_order(await self._collect(uids, command), newest_first=newest_first)):
                    yield batch

    async def _ask(self, uids: UidRange, *, structure: bool = True) -> ImapCommand:
        def claims(record: FetchRecord) -> bool:
            # For "n:*" the server always sends the last message, be its UID below n or not (RFC 3501 6.4.8).
            mine = uids.holds(record.uid) or (uids.high is None and record.uid is not None)
            return mine and (HEADER_SECTION in record.sections or not record.sections)

        return await self._start(str(uids), self._items(structure=structure), claims)

    def _items(self, *, structure: bool) -> str:
        ids = "X-GM-THRID X-GM-MSGID X-GM-LABELS " if self._protocol.has("X-GM-EXT-1") else ""
        if self._protocol.has("OBJECTID"):  # RFC 8474
            ids = ids or "THREADID EMAILID "
        body = "BODYSTRUCTURE " if structure else ""
        return f"({ids}UID FLAGS INTERNALDATE RFC822.SIZE {body}{_HEADER_ITEM})"

    async def _collect(self, uids: UidRange, command: ImapCommand) -> list[FetchedMessage]:
        records = command.records
        if command.result != "OK":
            # Some servers fail on the structure of a single message: the headers are worth a second question.
            again = await self._finish(await self._ask(uids, structure=False))
            if again.result != "OK":
                raise ServerRefusedError(again.words, layer="imap", host=self._protocol.host)
            records = records + again.records
        merged: dict[int, FetchRecord] = {}
        for record in records:
            if record.uid is None or not uids.holds(record.uid):
                continue
            if (known := merged.get(record.uid)) is not None:
                known.merge(record)
            else:
                merged[record.uid] = record
        return [message for record in merged.values() if (message := record.message()) is not None]


def _batches(messages: Sequence[FetchedMessage]) -> Iterator[list[FetchedMessage]]:
    """Whoever takes a batch may hold the texts of all its messages at once."""
    batch: list[FetchedMessage] = []
    room = _MOST_BYTES
    for message in messages:
        if batch and (room <= 0 or len(batch) == BATCH):
            yield batch
            batch, room = [], _MOST_BYTES
        batch.append(message)
        room -= min(message.size, _MOST_TEXT)
    if batch:
        yield batch
