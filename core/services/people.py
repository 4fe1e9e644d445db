"""People: import, show, addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.actor import Actor, require_recruiter
from core.domain.address import is_valid, match_key
from core.domain.people import ADDRESS_TYPES, Person, PersonAddress
from core.domain.people_file import PersonRow, Rejected, read
from core.errors import InputError, NotFoundError
from core.ports.storage import Activity, NewPerson, UnitOfWork
from core.services.tools import Tools

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a people file."""

    created: int
    updated: int
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class EnrollmentLine:
    """A person's place in one campaign."""

    campaign: str
    status: str
    stage: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class PersonReport:
    """A profile with its stream."""

    person: Person
    activities: list[Activity]
    enrollments: list[EnrollmentLine]


class PeopleService:
    """Profiles and what belongs to them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def import_csv(self, actor: Actor, raw: bytes) -> ImportResult:
        """Good rows go in, bad ones are named. Raises InputError where the heading cannot be used."""
        require_recruiter(actor)
        rows, rejected = read(raw, now=self._tools.clock.now())
        rows, twice = _without_repeats(rows)
        rejected = [*rejected, *twice]
        created = updated = 0
        for start in range(0, len(rows), _BATCH):
            async with self._tools.store.write(actor.workspace) as uow:
                new, changed, conflicts = await self._store(uow, rows[start : start + _BATCH])
                await self._judge_again(uow)
            created, updated = created + new, updated + changed
            rejected.extend(conflicts)
        return ImportResult(created, updated, sorted(rejected, key=lambda one: one.line))

    async def _judge_again(self, uow: UnitOfWork) -> None:
        """Mail that waited for a merge field's value may go now; what still lacks one is held back again."""
        if await uow.deliveries.release("missing_variable", not_before=self._tools.clock.now()):
            uow.wake("outreach")

    async def _store(self, uow: UnitOfWork, rows: Sequence[PersonRow]) -> tuple[int, int, list[Rejected]]:
        now = self._tools.clock.now()
        known = await uow.people.ids_by_keys({a.key for row in rows for a in row.addresses})
        profiles = await uow.people.get_many(set(known.values()))
        new: list[tuple[str, NewPerson]] = []
        changed, conflicts = 0, list[Rejected]()
        for row in rows:
            owners = {known[address.key] for address in row.addresses if address.key in known}
            person = NewPerson(row.first_name, row.last_name, row.phone, row.timezone, row.addresses, row.fields)
            if len(owners) > 1:
                conflicts.append(Rejected(row.line, "its addresses belong to two different people already"))
            elif owners:
                owner = owners.pop()
                if not _says_the_same(person, profiles[owner]):
                    await uow.people.update(owner, person, now)
                changed += 1
            else:
                new.append((self._tools.new_id(), person))
        await uow.people.add_many(new, now)
        return len(new), changed, conflicts

    async def show(self, actor: Actor, email: str) -> PersonReport:
        """Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            person = await find_person(uow, email)
            activities = await uow.messages.stream(person.id)
            enrollments = await uow.enrollments.of_person(person.id)
            campaigns = await uow.campaigns.get_many({one.campaign_id for one in enrollments})
        lines = [
            EnrollmentLine(
                campaigns[one.campaign_id].name, one.status.value, one.stage, one.reason.code if one.reason else None
            )
            for one in enrollments
            if one.campaign_id in campaigns
        ]
        return PersonReport(person, activities, lines)

    async def add_address(self, actor: Actor, email: str, address: str, kind: str = "other") -> Person:
        """Mail is matched from now on, never backwards (R94). Raises InputError, NotFoundError, RefusedError."""
        require_recruiter(actor)
        if not is_valid(address):
            raise InputError(f"{address[:80]!r} is not an e-mail address", field="address")
        if kind not in ADDRESS_TYPES:
            raise InputError(f"{kind[:40]!r} is not one of {', '.join(ADDRESS_TYPES)}", field="type")
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            person = await find_person(uow, email)
            await uow.people.add_address(person.id, PersonAddress(address, match_key(address), kind, False, now))
            await uow.audit.add(at=now, actor=actor.user, action="person.address.add", subject=person.id)
        return await self._reread(actor, person.id)

    async def remove_address(self, actor: Actor, email: str, address: str) -> Person:
        """Raises NotFoundError where the person or the address is unknown."""
        require_recruiter(actor)
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            person = await find_person(uow, email)
            if not await uow.people.remove_address(person.id, match_key(address)):
                raise NotFoundError(f"{address} is not on the profile of {person.name}.")
            await uow.audit.add(at=now, actor=actor.user, action="person.address.remove", subject=person.id)
        return await self._reread(actor, person.id)

    async def _reread(self, actor: Actor, person_id: str) -> Person:
        async with self._tools.store.read(actor.workspace) as uow:
            person = await uow.people.get(person_id)
        if person is None:
            raise NotFoundError("This person was removed meanwhile.")
        return person


async def find_person(uow: UnitOfWork, email: str) -> Person:
    """Raises NotFoundError naming the address."""
    person = await uow.people.by_address(match_key(email.strip()))
    if person is None:
        raise NotFoundError(f"Nobody here has the address {email.strip()[:120]}.", fix="Import the person first.")
    return person


def _says_the_same(row: NewPerson, person: Person) -> bool:
    """Whether an import would leave this profile as it is: the same file again is the usual case, and costs a write
    for each person otherwise."""
    texts = all(
        getattr(row, name) in ("", None, getattr(person, name))
        for name in ("first_name", "last_name", "phone", "timezone")
    )
    fields = all(person.fields.get(name) == value for name, value in row.fields.items() if value)
    held = {address.key: address for address in person.addresses}
    addresses = all(
        one.key in held and held[one.key].type == one.type and (held[one.key].primary or not one.primary)
        for one in row.addresses
    )
    return texts and fields and addresses


def _without_repeats(rows: list[PersonRow]) -> tuple[list[PersonRow], list[Rejected]]:
    """Within one file an address belongs to the first line that names it."""
    seen: dict[str, int] = {}
    kept: list[PersonRow] = []
    repeats: list[Rejected] = []
    for row in rows:
        earlier = next((seen[a.key] for a in row.addresses if a.key in seen), None)
        if earlier is not None:
            repeats.append(Rejected(row.line, f"has an address that line {earlier} has already"))
            continue
        seen.update((address.key, row.line) for address in row.addresses)
        kept.append(row)
    return kept, repeats
