"""People: import, show, addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import SYNCED_STATUSES
from core.domain.actor import Actor, require_recruiter
from core.domain.address import is_valid, match_key
from core.domain.matching_rules import MatchingRules
from core.domain.old_mail import answer_words, told
from core.domain.people import ADDRESS_TYPES, Person, PersonAddress
from core.domain.people_file import PersonRow, Rejected, read
from core.errors import InputError, NotFoundError
from core.ports.backfill import TOPIC
from core.ports.storage import Activity, NewPerson, UnitOfWork
from core.services.tools import Tools, settings_in

_BATCH = 500
_WAITS_FOR_PROFILE = ("missing_variable", "risky_address")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a people file. ``addresses`` are those by which its good rows are known, one each."""

    created: int
    updated: int
    rejected: list[Rejected]
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrollmentLine:
    """A person's place in one campaign."""

    campaign: str
    status: str
    stage: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class PersonReport:
    """A profile with its stream; ``old_mail`` says in words what became of searches for old mail."""

    person: Person
    activities: list[Activity]
    enrollments: list[EnrollmentLine]
    old_mail: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AddedAddress:
    """A profile with one more address; ``old_mail`` says in words whether its old mail is looked for."""

    person: Person
    old_mail: str


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
        bad = {one.line for one in rejected}
        good = tuple(row.addresses[0].address for row in rows if row.addresses and row.line not in bad)
        return ImportResult(created, updated, sorted(rejected, key=lambda one: one.line), good)

    async def _judge_again(self, uow: UnitOfWork) -> None:
        """Mail that waited for a merge field's value or a better address may go now; what still lacks it is held back
        again."""
        now = self._tools.clock.now()
        for code in _WAITS_FOR_PROFILE:
            if await uow.deliveries.release(code, not_before=now):
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
            searches = await uow.backfills.of({one.key for one in person.addresses})
        lines = [
            EnrollmentLine(
                campaigns[one.campaign_id].name, one.status.value, one.stage, one.reason.code if one.reason else None
            )
            for one in enrollments
            if one.campaign_id in campaigns
        ]
        told_of = [told(one.address, one.there, one.looked_at, one.logged) for one in searches if one.done_at]
        return PersonReport(person, activities, lines, told_of)

    async def add_address(self, actor: Actor, email: str, address: str, kind: str = "other") -> AddedAddress:
        """Mail is matched from now on (R94); where the workspace wants it, old mail is looked for in the background.

        Raises InputError, NotFoundError, RefusedError.
        """
        require_recruiter(actor)
        if not is_valid(address):
            raise InputError(f"{address[:80]!r} is not an e-mail address", field="address")
        if kind not in ADDRESS_TYPES:
            raise InputError(f"{kind[:40]!r} is not one of {', '.join(ADDRESS_TYPES)}", field="type")
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            person = await find_person(uow, email)
            await uow.people.add_address(person.id, PersonAddress(address, match_key(address), kind, False, now))
            await self._judge_again(uow)
            old_mail = await self._ask_for_old_mail(uow, address)
            await uow.audit.add(at=now, actor=actor.user, action="person.address.add", subject=person.id)
        return AddedAddress(await self._reread(actor, person.id), old_mail)

    async def _ask_for_old_mail(self, uow: UnitOfWork, address: str) -> str:
        looks_back = MatchingRules.of(await settings_in(uow)).looks_back
        synced = [one.id for one in await uow.mailboxes.list() if one.status in SYNCED_STATUSES and one.capture]
        if looks_back and synced:
            await uow.backfills.ask(match_key(address), address, synced, self._tools.clock.now())
            uow.wake(TOPIC)
        return answer_words(looks_back=looks_back, mailboxes=len(synced))

    async def remove_address(self, actor: Actor, email: str, address: str) -> Person:
        """Raises NotFoundError where the person or the address is unknown."""
        require_recruiter(actor)
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            person = await find_person(uow, email)
            if not await uow.people.remove_address(person.id, match_key(address)):
                raise NotFoundError(f"{address} is not on the profile of {person.name}.")
            await self._judge_again(uow)
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
