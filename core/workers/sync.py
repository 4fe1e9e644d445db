"""One session per mailbox, started, restarted and ended as the rows say; a mailbox in trouble disturbs no other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime

import structlog

from core.errors import LoginRefusedError, MailError, NotFoundError, RethreadError, SealedError
from core.ports.clock import Clock
from core.ports.storage import Store
from core.services.sync import MailboxGoneError, SyncService
from core.workers.supervisor import wait_for_either

_log = structlog.get_logger("sync")

_LONGEST_SLEEP = 5.0
_STAGGER = (0.0, 1.2)
_AFTER_BUG = 30.0
_LOGINS_AT_ONCE = 20
_LOOK_FOR_REQUESTS = 30.0


class SyncWorker:
    """Reconciles running sessions with the mailboxes that should have one."""

    def __init__(self, store: Store, clock: Clock, sync: SyncService, *, random: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._sync = sync
        self._random = random
        self._sessions: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._ending = set[tuple[str, str]]()

    @property
    def sessions(self) -> int:
        """How many mailboxes have a running session."""
        return len(self._sessions)

    async def run(self, stop: asyncio.Event) -> None:
        """Until stopped. Where looking at the rows stumbles, the sessions that stand go on."""
        stumbled = False
        try:
            while not stop.is_set():
                await self._reconcile()
                await wait_for_either(stop, self._store.wait("sync", _LONGEST_SLEEP))
        except Exception:
            stumbled = True
            raise
        finally:
            if not stumbled:
                await self._finish()

    async def _finish(self) -> None:
        for task in self._sessions.values():
            task.cancel()
        await asyncio.gather(*self._sessions.values(), return_exceptions=True)
        await self._sync.hand_back()

    async def _reconcile(self) -> None:
        wanted = set(await self._sync.runnable())
        crowd = len(wanted) > _LOGINS_AT_ONCE
        for key in wanted - self._sessions.keys():
            pause = _STAGGER[1] * self._random() if crowd else 0.0
            task = asyncio.create_task(self._keep(*key, first_pause=pause), name=f"sync {key[1]}")
            self._sessions[key] = task
        for key in self._sessions.keys() - wanted - self._ending:
            self._sessions[key].cancel()  # once: a second time would tear its farewell to the server
            self._ending.add(key)
        for key, task in list(self._sessions.items()):
            if task.done():
                del self._sessions[key]
                self._ending.discard(key)

    async def _keep(self, workspace: str, mailbox_id: str, *, first_pause: float) -> None:
        """Session after session, until the mailbox is not to be synced any more; whatever goes wrong, also in writing
        down what went wrong, is followed by a pause."""
        await self._store.wait(f"sync:{mailbox_id}", first_pause)
        while True:
            try:
                error = await self._session(workspace, mailbox_id)
                if error is not None:
                    await self._pause_after(workspace, mailbox_id, error)
            except MailboxGoneError:
                return
            except RethreadError as stumbled:
                _log.warning("sync_stumbled", action="sync_stumbled", mailbox=mailbox_id, code=stumbled.code)
                await self._store.wait(f"sync:{mailbox_id}", _AFTER_BUG)
            except Exception:
                _log.exception("sync_failed", action="sync_failed", mailbox=mailbox_id)
                await self._store.wait(f"sync:{mailbox_id}", _AFTER_BUG)

    async def _session(self, workspace: str, mailbox_id: str) -> MailError | None:
        """How it ended; None: it made room for a fresh access token."""
        try:
            await self._sync.run(workspace, mailbox_id)
        except MailboxGoneError:
            raise
        except MailError as error:
            return error
        except (NotFoundError, SealedError) as error:
            # Credentials that are gone or do not open: for people a login that fails, mended by Reconnect.
            return LoginRefusedError(error.message, layer="imap")
        return None

    async def _pause_after(self, workspace: str, mailbox_id: str, error: MailError) -> None:
        """No more tries until a person asks (or new credentials come) where there is no time for one: a bad password
        must not lock the account.

        The row is looked at from time to time, because another process may have been asked.
        """
        retry_at = await self._sync.failed(workspace, mailbox_id, error)
        _log.info("sync_broke", action="sync_broke", mailbox=mailbox_id, layer=error.layer, code=error.code)
        left = math.inf if retry_at is None else self._seconds_until(retry_at)
        while left > 0:
            pause = min(left, _LOOK_FOR_REQUESTS)
            if await self._store.wait(f"sync:{mailbox_id}", pause):
                return
            left -= pause
            if left > 0 and await self._sync.is_asked(workspace, mailbox_id):
                return

    def _seconds_until(self, moment: datetime) -> float:
        return max(0.05, (moment - self._clock.now()).total_seconds())
