"""What the tests of server faults share: one whole session as the engine holds it, and what must be true after it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from core.clock import SystemClock
from core.errors import MailError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapClient, ImapConnector, ImapTimeouts
from core.mail.imap_protocol import ProtocolLimits
from core.mail.tls import make_tls_context
from core.ports.mail import FolderSnapshot
from tests.fakes.fault_imap import FaultImap
from tests.fakes.fault_imap_model import plain_mail

# Short enough to wait for, long enough for a busy machine; a session takes at most a few of them.
SHORT = ImapTimeouts(connect=0.2, login=0.2, command=0.2, fetch=0.2, close=0.1, poll=0.02)
PATIENT = ImapTimeouts(connect=10, login=10, command=10, fetch=20, close=0.3, poll=0.02)
# No session, however it breaks, takes longer.
DEADLINE = 30.0
MAILS = 5


@dataclass
class Seen:
    """What one session read: header and text by UID, in the order of arrival, and the folder's numbers."""

    snapshot: FolderSnapshot | None = None
    uids: list[int] = field(default_factory=list)
    headers: dict[int, bytes] = field(default_factory=dict)
    texts: dict[int, bytes] = field(default_factory=dict)


@cache
def _tls_context() -> ssl.SSLContext:
    return make_tls_context()  # 22 ms each, and none of these sessions uses it


def imap(timeouts: ImapTimeouts = SHORT, limits: ProtocolLimits | None = None) -> ImapConnector:
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    return ImapConnector(dialler, _tls_context(), timeouts=timeouts, limits=limits)


def fill(server: FaultImap, count: int = MAILS) -> None:
    """Mails in the inbox, one of them gone again, and one in Sent."""
    inbox = server.box[server.profile.inbox]
    for number in range(1, count + 2):
        inbox.add(plain_mail(number, body=f"Text of {number}"))
    inbox.expunge(3)
    server.box[server.profile.sent].add(plain_mail(900))


async def whole_session(server: FaultImap, timeouts: ImapTimeouts = SHORT) -> Seen:
    """Everything a session does, in the engine's order. Raises MailError kinds."""
    client = await imap(timeouts).connect(server.endpoint, server.credentials)
    try:
        return await _session(client, server)
    finally:
        await client.close()


async def _session(client: ImapClient, server: FaultImap) -> Seen:
    seen = Seen()
    folders = {one.role: one.name for one in await client.list_folders()}
    await client.status(folders["sent"] or "")
    await client.glance([name for name in folders.values() if name])
    seen.snapshot = await client.select(folders["inbox"] or "")
    async for batch in client.fetch(1):
        seen.uids += [message.uid for message in batch]
        seen.headers |= {message.uid: message.header for message in batch}
        seen.texts |= await client.fetch_texts(batch)
    await client.search_message_id("m2@candidates.example")
    await client.idle(renew_after=0.05)
    await client.noop()
    return seen


def assert_all_read(server: FaultImap, seen: Seen) -> None:
    """Every message that the server holds, once, with its own header and text."""
    inbox = server.box[server.profile.inbox]
    assert seen.uids == inbox.uids
    for mail in inbox.mails:
        assert f"Subject: {mail.parsed['Subject']}".encode() in seen.headers[mail.uid]
        assert seen.texts[mail.uid].strip() == str(mail.parsed.get_payload()).strip().encode()


async def outcome(server: FaultImap, timeouts: ImapTimeouts = SHORT) -> Seen | MailError:
    """How a session ended, within the deadline, with nothing left behind. Any other error fails the test."""
    before = asyncio.all_tasks()
    try:
        async with asyncio.timeout(DEADLINE):
            try:
                return await whole_session(server, timeouts)
            except MailError as error:
                return error
    finally:
        assert_nothing_left(server, before)


def assert_nothing_left(server: FaultImap, before: Iterable[object]) -> None:
    """No task of the client's is alive (the server's own may be)."""
    known = set(before)
    ours = [task for task in asyncio.all_tasks() if task not in known and not server.owns(task)]
    assert [task for task in ours if "core/" in str(task.get_coro())] == []


async def settled(condition: Callable[[], bool], what: str) -> None:
    """Turns of the loop until something is true. Fails after the deadline."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - what is waited for is the server's state, no event
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(f"not within {DEADLINE} s: {what}") from None
