"""Keeps a few logged-in SMTP connections per mailbox for a short while."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from core.mail.smtp_session import SmtpSession
from core.ports.mail import Credentials, Endpoint

_Key = tuple[Endpoint, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    session: SmtpSession
    credentials: Credentials
    until: float


class SmtpPool:
    """At most ``per_mailbox`` connections at once per (endpoint, user name), idle ones for ``idle_seconds``."""

    def __init__(self, per_mailbox: int, idle_seconds: float, quit_seconds: float) -> None:
        self._per_mailbox = per_mailbox
        self._idle_seconds = idle_seconds
        self._quit_seconds = quit_seconds
        self._turns: dict[_Key, asyncio.Semaphore] = {}
        self._kept: defaultdict[_Key, list[_Kept]] = defaultdict(list)
        self._partings: set[asyncio.Task[None]] = set()
        self._reaper: asyncio.TimerHandle | None = None
        self._closed = False

    def turn(self, endpoint: Endpoint, username: str) -> asyncio.Semaphore:
        """Hold it while using a connection of this mailbox."""
        return self._turns.setdefault((endpoint, username), asyncio.Semaphore(self._per_mailbox))

    def take(self, endpoint: Endpoint, credentials: Credentials) -> SmtpSession | None:
        """A kept connection that still stands and was logged in with these very credentials."""
        kept = self._kept[endpoint, credentials.username]
        now = asyncio.get_running_loop().time()
        while kept:
            candidate = kept.pop()
            if candidate.credentials == credentials and candidate.until > now and candidate.session.is_usable:
                return candidate.session
            self._part(candidate.session)
        return None

    def give_back(self, endpoint: Endpoint, credentials: Credentials, session: SmtpSession) -> None:
        if self._closed or not session.is_usable:
            self._part(session)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._idle_seconds
        self._kept[endpoint, credentials.username].append(_Kept(session, credentials, until))
        if self._reaper is None:
            self._reaper = loop.call_later(self._idle_seconds, self._reap)

    def _reap(self) -> None:
        """Hangs up what has been idle for too long, and comes back for the rest."""
        self._reaper = None
        loop = asyncio.get_running_loop()
        for key, kept in list(self._kept.items()):
            for entry in [entry for entry in kept if entry.until <= loop.time()]:
                kept.remove(entry)
                self._part(entry.session)
            if not kept:
                del self._kept[key]
        remaining = [entry.until for kept in self._kept.values() for entry in kept]
        if remaining:
            self._reaper = loop.call_at(min(remaining), self._reap)

    def _part(self, session: SmtpSession) -> None:
        if not session.is_usable:
            session.close()
            return
        task = asyncio.get_running_loop().create_task(session.quit(self._quit_seconds))
        self._partings.add(task)
        task.add_done_callback(self._partings.discard)

    async def close(self) -> None:
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
        for kept in self._kept.values():
            for entry in kept:
                self._part(entry.session)
        self._kept.clear()
        if self._partings:
            await asyncio.wait(self._partings)
