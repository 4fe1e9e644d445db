"""Sends check mails between a workspace's mailboxes, and notices those that never arrive (X6)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from core.domain.account import Mailbox
from core.domain.address import domain_of
from core.domain.canary import Overdue, is_due, judge_overdue, pairs
from core.domain.compose import Letter, compose
from core.domain.moment import iso
from core.errors import ConnectionLostError, MailError, UnreachableError
from core.ports.storage import Canary
from core.services.received import CHECK_MAIL_PREFIX
from core.services.submission import Submission
from core.services.sync import SyncService
from core.services.tools import Tools, persistently, settings_in

_log = structlog.get_logger("canaries")
_Pair = tuple[Mailbox, Mailbox]

SHORTEST_PACE, LONGEST_PACE = 1.0, 30.0
_KEPT = timedelta(days=7)
_AT_ONCE, _AT_ONE_SERVER = 5, 2
_TEXT = (
    "This mail was sent by Rethread from one of your team's mailboxes to another, to be sure that mail goes out and "
    "comes in. Nobody needs to read it, and it can be deleted."
)


class CanaryService:
    """Use cases of the canary loop."""

    def __init__(self, tools: Tools, submission: Submission, sync: SyncService) -> None:
        self._tools = tools
        self._submission = submission
        self._sync = sync
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run_once(self, workspace: str) -> float:
        """Judges what is overdue, then sends what is due; the seconds after which to look again at the latest. What
        goes wrong with one check mail delays no other, and no verdict waits for a server."""
        async with self._tools.store.read(workspace) as uow:
            settings = await settings_in(uow)
            every = timedelta(seconds=settings.seconds("canary_every_s"))
            mailboxes = await uow.mailboxes.list() if every else []
            last_sent = await uow.canaries.last_sent() if every else {}
        if not every:
            return LONGEST_PACE
        patience = timedelta(seconds=settings.seconds("canary_patience_s"))
        await self._judge(workspace, patience)
        now = self._tools.clock.now()
        due = [pair for pair in pairs(mailboxes) if is_due(last_sent.get(pair[0].id), now, every)]
        if due:
            await self._send_all(workspace, due, every)
        return _pace(every, patience)

    async def _send_all(self, workspace: str, due: Sequence[_Pair], every: timedelta) -> None:
        """Several at once, few of them at one server; one that is away is not asked again for each of its mailboxes,
        which stay due."""
        turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONE_SERVER))
        away = set[str]()

        async def one(sender: Mailbox, receiver: Mailbox) -> None:
            server = sender.smtp_host.lower()
            async with turns[server], self._slots:
                if server not in away and not await self._sent(sender, receiver, every):
                    away.add(server)

        await asyncio.gather(*(one(sender, receiver) for sender, receiver in due))
        async with self._tools.store.write(workspace) as uow:
            await uow.canaries.forget_before(self._tools.clock.now() - _KEPT)

    async def _sent(self, sender: Mailbox, receiver: Mailbox, every: timedelta) -> bool:
        """False where the sender's server is away."""
        try:
            await self._send_if_due(sender, receiver, every)
        except (UnreachableError, ConnectionLostError):
            return False
        except MailError:
            pass  # noted already
        except Exception:
            _log.exception("canary_failed", action="canary_failed", workspace=sender.workspace, mailbox=sender.id)
        return True

    async def _send_if_due(self, sender: Mailbox, receiver: Mailbox, every: timedelta) -> None:
        """Raises what kept it from leaving, after that was noted."""
        canary = await self._claim(sender, receiver, every)
        if canary is None:
            return
        try:
            credentials = await self._submission.credentials(sender)
            await self._submission.send(sender, credentials, receiver.address, _letter(canary, sender, receiver))
        except Exception as error:
            await self._did_not_leave(sender, canary, error)
            raise

    async def _did_not_leave(self, sender: Mailbox, canary: Canary, error: Exception) -> None:
        """It proves nothing about where it was to arrive, but where the login was refused, that sending is broken."""

        async def unit() -> None:
            async with self._tools.store.write(sender.workspace) as uow:
                await uow.canaries.settle(canary.id, self._tools.clock.now())
                if isinstance(error, MailError):
                    await self._sync.sending.broke(uow, sender.id, error)

        await persistently(unit)

    async def _claim(self, sender: Mailbox, receiver: Mailbox, every: timedelta) -> Canary | None:
        """The row comes first: an echo may be read before the server's answer is."""
        now = self._tools.clock.now()
        async with self._tools.store.write(sender.workspace) as uow:
            last = await uow.canaries.latest(sender.id)
            if not is_due(last.sent_at if last else None, now, every):
                return None
            canary_id = self._tools.new_id()
            message_id = f"{CHECK_MAIL_PREFIX}{canary_id}@{domain_of(sender.address)}"
            canary = Canary(canary_id, sender.id, receiver.id, message_id, now)
            await uow.canaries.add(canary)
        return canary

    async def _judge(self, workspace: str, patience: timedelta) -> None:
        now = self._tools.clock.now()
        async with self._tools.store.read(workspace) as uow:
            overdue = await uow.canaries.overdue(now - patience)
            receivers = {one.id: one for one in await uow.mailboxes.list()} if overdue else {}
        for canary in overdue:
            verdict = judge_overdue(canary.sent_at, receivers.get(canary.to_mailbox), now, patience)
            try:
                await self._act(workspace, canary, verdict)
            except Exception:
                _log.exception("canary_failed", action="canary_failed", workspace=workspace, mailbox=canary.to_mailbox)

    async def _act(self, workspace: str, canary: Canary, verdict: Overdue) -> None:
        now = self._tools.clock.now()
        if verdict is Overdue.WAIT:
            return
        if verdict is Overdue.TELL:
            words = f"check mail of {iso(canary.sent_at)} did not arrive within {_span(now - canary.sent_at)}"
            await self._sync.went_silent(workspace, canary.to_mailbox, words)
        async with self._tools.store.write(workspace) as uow:
            if verdict is Overdue.LOOK:
                uow.wake(f"sync:{canary.to_mailbox}")
            else:
                await uow.canaries.settle(canary.id, now)


def _letter(canary: Canary, sender: Mailbox, receiver: Mailbox) -> bytes:
    letter = Letter(
        sender=sender.address,
        sender_name=sender.display_name,
        recipient=receiver.address,
        recipient_name="",
        subject=f"Rethread check mail, {iso(canary.sent_at)}",
        text=_TEXT,
        html=f"<p>{_TEXT}</p>",
        message_id=canary.message_id,
        date=canary.sent_at,
        extra=(("X-Rethread-Canary", f"<{canary.message_id}>"), ("Auto-Submitted", "auto-generated")),
    )
    return compose(letter)


def _pace(every: timedelta, patience: timedelta) -> float:
    """Often enough that what is late is not told much later."""
    return min(max(min(every, patience).total_seconds() / 4, SHORTEST_PACE), LONGEST_PACE)


def _span(waited: timedelta) -> str:
    seconds = waited.total_seconds()
    return f"{round(seconds / 60)} minutes" if seconds >= 120 else f"{round(seconds)} seconds"
