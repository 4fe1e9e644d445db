"""The do-not-contact list: who is on it, who puts somebody there, and that it ends what runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.domain.actor import Actor, require_admin, require_recruiter
from core.domain.address import match_key
from core.domain.do_not_contact import Entry, RejectedEntry, entry_of, read
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.domain.reasons import reason
from core.errors import InputError, NotFoundError
from core.ports.storage import Suppression, UnitOfWork
from core.services.progress import Progress
from core.services.tools import Tools, persistently

_BATCH = 200


@dataclass(frozen=True, slots=True)
class BlockResult:
    """``added``: new on the list; ``stopped``: prospects whose campaign ended by it."""

    added: int
    stopped: int
    rejected: list[RejectedEntry]


@dataclass(frozen=True, slots=True)
class BlockList:
    """The newest entries, and how many there are."""

    entries: Sequence[Suppression]
    total: int


class SuppressionList:
    """Recruiters add; only an admin takes off."""

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self._tools = tools
        self._progress = progress

    async def add(self, actor: Actor, names: Iterable[str], *, note: str = "") -> BlockResult:
        """Addresses and @domains. Whoever a running campaign writes to there is stopped. Raises InputError naming what
        is neither."""
        require_recruiter(actor)
        entries = []
        for name in names:
            entry = entry_of(name)
            if entry is None:
                raise InputError(f"{name[:80]!r} is neither an address nor @domain", field="address")
            entries.append(Entry(entry.key, note[:200]))
        if not entries:
            raise InputError("name at least one address or @domain", field="address")
        return await self._block(actor, entries, [])

    async def import_text(self, actor: Actor, raw: bytes) -> BlockResult:
        """A text or CSV file, an address or @domain a line; bad lines are named, the rest goes in."""
        require_recruiter(actor)
        entries, rejected = read(raw.decode("utf-8-sig", "replace"))
        return await self._block(actor, entries, rejected)

    async def _block(self, actor: Actor, entries: Sequence[Entry], rejected: list[RejectedEntry]) -> BlockResult:
        added = stopped = 0
        for start in range(0, len(entries), _BATCH):
            part = entries[start : start + _BATCH]
            new, ended = await persistently(partial(self._block_part, actor, part))
            added, stopped = added + new, stopped + ended
        return BlockResult(added, stopped, rejected)

    async def _block_part(self, actor: Actor, entries: Sequence[Entry]) -> tuple[int, int]:
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            new = [Suppression(one.key, "asked", actor.user, now, one.note) for one in entries]
            added = await uow.suppressions.put_many(new)
            domains = {one.key[1:] for one in entries if one.key.startswith("@")}
            people = set((await uow.people.ids_by_keys({one.key for one in entries})).values())
            people |= set((await uow.lists.people_at(domains)).values())
            stopped = 0
            for person_id in sorted(people):
                stopped += await self._stop(uow, actor, person_id)
            await uow.audit.add(at=now, actor=actor.user, action="block.add", subject="", facts={"added": added})
        return added, stopped

    async def _stop(self, uow: UnitOfWork, actor: Actor, person_id: str) -> int:
        stopped = 0
        for enrollment in await uow.enrollments.of_person(person_id):
            if enrollment.status is not ProspectStatus.COMPLETE:
                await self._progress.cancel_open(uow, enrollment, reason="suppressed")
                await self._progress.move(
                    uow, enrollment, ProspectEvent.OPTED_OUT, actor=actor.user, reason=reason("suppressed")
                )
                stopped += 1
        return stopped

    async def remove(self, actor: Actor, name: str) -> Suppression:
        """Only an admin: whoever asked not to be written to meant it. Raises NotAllowedError, NotFoundError."""
        require_admin(actor)
        entry = entry_of(name)
        key = entry.key if entry else name
        async with self._tools.store.write(actor.workspace) as uow:
            known = await self._entry(uow, key)
            if known is None or not await uow.suppressions.remove(key):
                raise NotFoundError(f"{name[:120]} is not on the do-not-contact list.")
            await uow.audit.add(
                at=self._tools.clock.now(), actor=actor.user, action="block.remove", subject=key, facts={}
            )
        return known

    async def _entry(self, uow: UnitOfWork, key: str) -> Suppression | None:
        asked = f" {key}" if key.startswith("@") else key  # nobody's address: only its domain can be found
        hit = (await uow.suppressions.among([asked])).get(asked)
        return hit if hit is not None and hit.key == key else None

    async def list(self, actor: Actor, *, limit: int = 500) -> BlockList:
        """Newest first."""
        async with self._tools.store.read(actor.workspace) as uow:
            return BlockList(await uow.suppressions.list(limit=limit), await uow.suppressions.count())

    async def blocked(self, actor: Actor, names: Iterable[str]) -> dict[str, Suppression]:
        """Those of these addresses that are never written to, with the entry that says so."""
        keys = {match_key(name.strip()): name for name in names if name.strip()}
        async with self._tools.store.read(actor.workspace) as uow:
            return {keys[key]: hit for key, hit in (await uow.suppressions.among(keys)).items()}


async def block_bounced(uow: UnitOfWork, address: str, *, at: datetime, evidence: str) -> None:
    """An address that does not exist is not written to again; another one on the profile clears the way."""
    await uow.suppressions.put_many([Suppression(match_key(address), "bounced", "engine", at, evidence[:200])])
