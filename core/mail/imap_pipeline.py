"""Several UID FETCH commands under way at once, so that neither a slow link nor our own work leaves the server idle."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

from core.mail.imap_fetch import FetchRecord
from core.mail.imap_protocol import ImapCommand

Starter = Callable[[str, str, Callable[[FetchRecord], bool] | None], Awaitable[ImapCommand]]
"""Sends UID FETCH for a UID set and its items; a function tells which answers belong to it."""

Finisher = Callable[[ImapCommand], Awaitable[ImapCommand]]
"""Waits for a command's end."""

_MOST_BYTES = 8 * 1024 * 1024

Request = TypeVar("Request")


async def pipelined(
    requests: Iterable[Request], start: Callable[[Request], Awaitable[ImapCommand]], finish: Finisher, *, ahead: int
) -> AsyncGenerator[tuple[Request, ImapCommand], None]:
    """Requests with their ended commands, in the order of the requests; ``ahead`` further ones are under way while one
    is handed over, fewer where more than 8 MiB of answers wait to be taken. What it raises is what the two functions
    raise."""
    under_way: deque[tuple[Request, ImapCommand]] = deque()
    for request in requests:
        under_way.append((request, await start(request)))
        while len(under_way) > ahead or sum(command.bytes for _, command in under_way) > _MOST_BYTES:
            first, command = under_way.popleft()
            yield first, await finish(command)
    while under_way:
        first, command = under_way.popleft()
        yield first, await finish(command)
