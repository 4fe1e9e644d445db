"""One connection to one mailbox, from log-in to its first error: reads what is new, then what is old, then waits.

How IMAP behaves, and what follows: a push is only a hint, so every wake-up ends in a comparison of numbers; a link
that is dead says nothing, so every wait is bounded and ends in a NOOP; a server may take IDLE and never push, so what
came without a push is noticed and the pace grows; after any error the connection is thrown away and a new one reads
on from the checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.account import Mailbox, MailboxStatus
from core.domain.folder_sync import MOST_FAILURES, FolderState, has_history
from core.domain.providers import facts as provider_facts
from core.domain.watched_folders import Choice, choose
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import MailError, ServerRefusedError
from core.ports.mail import MailboxClient
from core.ports.mail import MailboxEvent as Push
from core.services.folder_reader import FolderReader
from core.services.tools import Tools

_UNWATCHED = "unwatched"
_FIRST_LOOK = 200
_HISTORY_AT_ONCE = 20_000
_HISTORY_SECONDS = 15.0
_TOKEN_MARGIN = timedelta(minutes=4)
_SHORTEST_SESSION = timedelta(seconds=2)
_DEAF_AFTER = timedelta(seconds=30)
_DEAF_TIMES = 2
_DEAF_PACE = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a session works on, read anew before each pass."""

    mailbox: Mailbox
    settings: WorkspaceSettings
    folders: tuple[FolderState, ...]
    own_keys: frozenset[str]


class SessionRows(Protocol):
    """What a session asks of the rows: implemented by SyncService."""

    async def scene(self, workspace: str, mailbox_id: str) -> Scene:
        """Raises MailboxGoneError where the mailbox is not to be synced any more."""
        ...

    async def logged_in(self, mailbox: Mailbox) -> None: ...
    async def watch_folders(self, mailbox: Mailbox, choice: Choice) -> None: ...

    async def current(self, mailbox: Mailbox, *, read: int, whole: bool, settled: bool) -> None:
        """New mail is read to its end; ``whole``: old mail too; ``settled``: and the session outlived its first
        wait."""
        ...

    async def alive(self, scene: Scene, folder_ids: Collection[str], read_at: datetime, *, refreshed: bool) -> None:
        """These folders are known to be read to their end as of ``read_at``; ``refreshed``: after a look at all."""
        ...

    async def folder_failed(self, mailbox: Mailbox, folder: FolderState, error: MailError) -> None: ...
    async def folder_works(self, mailbox: Mailbox, folder: FolderState) -> None: ...
    async def is_deaf(self, mailbox: Mailbox) -> None: ...


class SyncSession:
    """Lives until its first error, or until the token that it logged in with is about to end, at ``token_ends``."""

    def __init__(
        self,
        rows: SessionRows,
        tools: Tools,
        client: MailboxClient,
        scene: Scene,
        reader: FolderReader,
        *,
        on_proof: Callable[[], None],
        token_ends: datetime | None = None,
    ) -> None:
        self._rows = rows
        self._tools = tools
        self._client = client
        self._scene = scene
        self._reader = reader
        self._on_proof = on_proof
        self._main = ""
        self._settled = False
        self._unpushed = 0
        self._next_look = 0.0
        self._renew_at = _renew_at(token_ends, tools.clock.now())
        self._further: tuple[str, ...] = ()
        self._glimpsed = set[str]()
        self._not_before: dict[str, float] = {}

    @property
    def _mailbox(self) -> Mailbox:
        return self._scene.mailbox

    async def close(self) -> None:
        await self._client.close()

    async def run(self) -> None:
        """Until an error, or until the access token is about to end. Raises MailError kinds, MailboxGoneError."""
        self._reader.own_keys = self._scene.own_keys
        await self._rows.logged_in(self._mailbox)
        await self._refresh()
        if not _is_in_order(self._mailbox) or self._history():
            await self._tell_state()
        self._next_look = self._tools.clock.monotonic() + self._pace()
        while self._renew_at is None or self._tools.clock.now() < self._renew_at:
            if self._readable_history():
                await self._read_history()
            else:
                await self._wait()
            await self._settle()

    async def _settle(self) -> None:
        """The session outlived its first wait: what failed before is mended."""
        if not self._settled:
            self._settled = True
            if self._mailbox.streak or self._mailbox.fault:
                await self._tell_state()

    # Passes over new mail

    async def _refresh(self) -> None:
        """Looks all folders through from scratch: which there are, and what is in them (R24, R31)."""
        self._further = tuple(self._scene.settings["further_folders"])
        listed = await self._client.list_folders()
        choice = choose(listed, provider=self._mailbox.provider, further=self._further)
        if choice is None:
            raise ServerRefusedError("the server lists no INBOX", layer="imap", host=self._mailbox.imap_host)
        self._main = choice.main
        if _differs(choice, self._scene.folders):
            await self._rows.watch_folders(self._mailbox, choice)
            await self._look()
        await self._passes(_is_watched, refreshed=True)

    async def _look(self) -> None:
        """Is the mailbox still ours to read, and by which settings?"""
        self._scene = await self._rows.scene(self._mailbox.workspace, self._mailbox.id)
        self._reader.own_keys = self._scene.own_keys

    async def _pass_all(self) -> None:
        await self._look()
        await self._passes(_is_watched)

    async def _pass_pushed(self) -> None:
        """Sent before the inbox: an answer may name an id that only our filed copy shows to be ours (a provider may
        replace the Message-ID), and a mail's own line stands before its answer's."""
        await self._look()
        await self._passes(lambda folder: folder.role == "sent" or folder.name == self._main)

    async def _passes(self, wanted: Callable[[FolderState], bool], *, refreshed: bool = False) -> None:
        """The folder that is waited on comes last, so that it is the selected one when waiting goes on."""
        # What arrives while we read is seen by the next pass: proof of reading bears the time of the beginning.
        began = self._tools.clock.now()
        self._reader.moved = False
        opened = {folder.id for folder in self._in_order(wanted) if await self._pass(folder)}
        if self._reader.moved:
            await self._look()
        read = [one for one in self._in_order(wanted) if one.id in opened]
        # A date proves nothing of old mail: whole mailboxes are moved, and then newer mail stands below older (R94).
        through = [one.id for one in read if not has_history(one)]
        await self._rows.alive(self._scene, through, began, refreshed=refreshed)
        if refreshed:
            self._scene = replace(self._scene, mailbox=replace(self._mailbox, refreshed_at=began))

    async def _failed(self, folder: FolderState, error: MailError) -> None:
        """It is let be for a moment: a wink of trouble, looked at in haste, is no reason to rest for hours."""
        self._reader.moved = True
        self._not_before[folder.id] = self._tools.clock.monotonic() + self._pace() / 2
        await self._rows.folder_failed(self._mailbox, folder, error)

    def _in_order(self, wanted: Callable[[FolderState], bool]) -> list[FolderState]:
        now, tick = self._tools.clock.now(), self._tools.clock.monotonic()
        awake = [
            one
            for one in self._scene.folders
            if (one.parked_until is None or one.parked_until <= now) and tick >= self._not_before.get(one.id, tick)
        ]
        return sorted(
            (one for one in awake if wanted(one)), key=lambda one: (one.name == self._main, one.role != "sent")
        )

    async def _pass(self, folder: FolderState) -> bool:
        """A folder that fails (False) is parked after a while, and the rest goes on; without its main folder nothing
        does."""
        try:
            await self._reader.read_new(self._mailbox, folder, waited_on=folder.name == self._main)
        except ServerRefusedError as error:
            if folder.name == self._main:
                raise
            await self._failed(folder, error)
            return False
        else:
            # A folder that was renumbered is believed again only when all of it was read once more.
            believed = not (folder.resets and has_history(folder))
            if believed and (folder.error_count or folder.resets or folder.parked_until):
                await self._rows.folder_works(self._mailbox, folder)
                self._reader.moved = True
            return True

    async def _tell_state(self) -> None:
        await self._rows.current(
            self._mailbox, read=self._reader.matched, whole=not self._history(), settled=self._settled
        )

    # Old mail

    def _history(self) -> list[FolderState]:
        """Folders of which old mail is still to be read. Sent first: it tells under which ids our own mail went out."""
        if not self._mailbox.capture:
            return []
        now = self._tools.clock.now()
        awake = [one for one in self._scene.folders if one.parked_until is None or one.parked_until <= now]
        return sorted(
            (one for one in awake if _is_watched(one) and has_history(one)), key=lambda one: one.role != "sent"
        )

    def _readable_history(self) -> list[FolderState]:
        """Those that may be asked now."""
        tick = self._tools.clock.monotonic()
        return [one for one in self._history() if tick >= self._not_before.get(one.id, tick)]

    async def _read_history(self) -> None:
        """A first look into each folder, then one after the other; new mail and people's wishes go before."""
        if self._mailbox.status is MailboxStatus.ACTIVE:
            await self._tell_state()  # a folder was renumbered, or is new: the light is grey again
        folders = self._readable_history()
        unseen = [one for one in folders if one.id not in self._glimpsed]
        self._glimpsed |= {one.id for one in unseen}
        for folder in unseen or folders[:1]:
            await self._read_old(folder, _FIRST_LOOK if unseen else _HISTORY_AT_ONCE)
        if await self._is_asked(0.0):
            await self._look_around(asked=True)
            return
        await self._pass_all()
        if not self._history():
            await self._tell_state()

    async def _read_old(self, folder: FolderState, most: int) -> None:
        try:
            until = self._tools.clock.monotonic() + _HISTORY_SECONDS
            await self._reader.read_history(
                self._mailbox,
                folder,
                self._scene.settings,
                most=most,
                enough=lambda: self._client.has_news() or self._tools.clock.monotonic() > until,
            )
        except ServerRefusedError as error:
            if folder.name == self._main:
                raise
            await self._failed(folder, error)

    # Waiting

    async def _wait(self) -> None:
        """IDLE on the main folder; the others at their pace, and all when asked."""
        left = max(0.0, self._next_look - self._tools.clock.monotonic())
        if self._renew_at is not None:
            left = min(left, max(0.0, (self._renew_at - self._tools.clock.now()).total_seconds()))
        news = await self._idle_or_asked(min(self._renew_after(), left))
        self._on_proof()
        if news is Push.CHANGED and self._tools.clock.monotonic() < self._next_look:
            await self._pass_pushed()
            if self._mailbox.fault:
                await self._tell_state()  # a check mail may just have arrived
            return
        await self._look_around(asked=news is None)

    async def _look_around(self, *, asked: bool) -> None:
        before = self._tools.clock.now()
        self._reader.newest.clear()
        await self._look()
        thorough = asked or self._is_refresh_due() or self._mailbox.resync_requested_at is not None
        await (self._refresh() if thorough else self._passes(_is_watched))
        self._next_look = self._tools.clock.monotonic() + self._pace()
        if thorough or self._mailbox.fault:
            await self._tell_state()  # whoever asked gets an answer; what is broken though we read is tried again
        await self._notice_deafness(before)

    async def _notice_deafness(self, before: datetime) -> None:
        """Mail that had lain there unannounced while the server was supposed to push."""
        newest = self._reader.newest.get(self._main)
        if newest is None or before - newest < _DEAF_AFTER:
            return
        self._unpushed += 1
        if self._unpushed == _DEAF_TIMES:
            await self._rows.is_deaf(self._mailbox)

    async def _idle_or_asked(self, seconds: float) -> Push | None:
        """CHANGED on a push, RENEW after the time, None where somebody asked for a look."""
        idle = asyncio.create_task(self._client.idle(renew_after=seconds))
        asked = asyncio.create_task(self._is_asked(seconds + 60))
        try:
            done, _ = await asyncio.wait({idle, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked in done and asked.result():
                return None  # also where news came at the same moment: a look at all folders shows both
            return idle.result() if idle in done else None
        finally:
            for task in (idle, asked):
                task.cancel()
            await asyncio.gather(idle, asked, return_exceptions=True)

    async def _is_asked(self, seconds: float) -> bool:
        return await self._tools.store.wait(f"sync:{self._mailbox.id}", seconds)

    def _renew_after(self) -> float:
        settings = self._scene.settings
        # A sign of life is asked for at least twice before its absence is told (R4).
        pace = min(settings.seconds("idle_renew_s"), settings.seconds("stuck_after_s") / 2)
        pace = min(pace, provider_facts(self._mailbox.provider).idle_renew_s)
        return min(pace, _DEAF_PACE) if self._unpushed >= _DEAF_TIMES else pace

    def _pace(self) -> float:
        """Seconds between looks into the other folders: what the workspace chose, else what the provider bears."""
        settings = self._scene.settings
        chosen = settings.seconds("poll_sent_s")
        if settings.is_set("poll_sent_s"):
            return chosen
        # A tenth more or less, so that many mailboxes do not ask at once.
        known = provider_facts(self._mailbox.provider)
        return max(chosen, known.sent_poll_s, known.poll_floor_s) * (0.9 + 0.2 * self._tools.random())

    def _is_refresh_due(self) -> bool:
        """Once a day (R31, R32), and where other folders were chosen (R211)."""
        if tuple(self._scene.settings["further_folders"]) != self._further:
            return True
        last = self._mailbox.refreshed_at
        pause = timedelta(seconds=self._scene.settings.seconds("refresh_every_s"))
        return last is None or self._tools.clock.now() - last >= pause


def _renew_at(token_ends: datetime | None, now: datetime) -> datetime | None:
    """When a new session takes a fresh token, before the server cuts this one: a few minutes ahead, less of a token
    that lives only for minutes. None without a token, and where it ends so soon that sessions would chase each other:
    then the server ends it, and trying again has its pauses."""
    if token_ends is None or token_ends - now < _SHORTEST_SESSION:
        return None
    return token_ends - min(_TOKEN_MARGIN, (token_ends - now) / 5)


def _is_watched(folder: FolderState) -> bool:
    return folder.role != _UNWATCHED


def _differs(choice: Choice, known: Iterable[FolderState]) -> bool:
    """Whether other folders are to be read than the rows say, or in other roles."""
    chosen = {(one.name, one.role) for one in choice.folders}
    return choice.all_mail_hidden or chosen != {(one.name, one.role) for one in known if _is_watched(one)}


def _is_in_order(mailbox: Mailbox) -> bool:
    """Whether there is nothing to tell: it was read to its end before, and nobody waits for an answer."""
    troubled = mailbox.fault or mailbox.send_fault or mailbox.streak or mailbox.resync_requested_at
    return mailbox.status is MailboxStatus.ACTIVE and not troubled


def parks(folder: FolderState) -> bool:
    """Whether one more failure is one too many."""
    return folder.error_count + 1 >= MOST_FAILURES
