"""People and their addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func

from core.domain.address import loose_key
from core.domain.people import KnownAddress, Person, PersonAddress
from core.errors import RefusedError
from core.ports.storage import NewPerson
from storage.columns import joined
from storage.scope import Scope, Values, chunks, columns_of, values_of
from storage.tables import people, person_addresses

_ADDRESS_COLUMNS = columns_of(person_addresses, PersonAddress)
_KNOWN_COLUMNS = (
    *(person_addresses.c.key.label("known_key"), person_addresses.c.person_id, person_addresses.c.primary),
    *(person_addresses.c.added_at, people.c.created_at),
)


class SqlPeopleStore:
    """Implements ``ports.PeopleStore``. An address key belongs to one person of the workspace."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def ids_by_keys(self, keys: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        columns = (person_addresses.c.key, person_addresses.c.person_id)
        for some in chunks(keys):
            statement = self._scope.select(person_addresses, *columns).where(person_addresses.c.key.in_(some))
            found.update(await self._scope.pairs(statement))
        return found

    async def known(self, keys: Collection[str], *, variants: bool = False) -> dict[str, list[KnownAddress]]:
        """One index lookup a key; the profile's row is read only where there is an address."""
        by = person_addresses.c.loose_key if variants else person_addresses.c.key
        found: dict[str, list[KnownAddress]] = {}
        for some in chunks(keys):
            statement = (
                self._scope.select(person_addresses, by, *_KNOWN_COLUMNS)
                .join(people, joined(person_addresses, "person_id", people))
                .where(by.in_(some))
                .order_by(person_addresses.c.key)
            )
            for row in await self._scope.rows(statement):
                found.setdefault(row[0], []).append(KnownAddress(*row[1:]))
        return found

    async def get(self, person_id: str) -> Person | None:
        return (await self.get_many([person_id])).get(person_id)

    async def by_address(self, key: str) -> Person | None:
        owner = (await self.ids_by_keys([key])).get(key)
        return await self.get(owner) if owner is not None else None

    async def get_many(self, person_ids: Collection[str]) -> dict[str, Person]:
        addresses = await self._addresses_of(person_ids)
        found: dict[str, Person] = {}
        for ids in chunks(person_ids):
            for row in await self._scope.rows(self._scope.select(people).where(people.c.id.in_(ids))):
                values = dict(row._mapping)
                del values["updated_at"]
                found[row.id] = Person(**values, addresses=tuple(addresses.get(row.id, ())))
        return found

    async def _addresses_of(self, person_ids: Collection[str]) -> dict[str, list[PersonAddress]]:
        found: dict[str, list[PersonAddress]] = {}
        for ids in chunks(person_ids):
            statement = (
                self._scope.select(person_addresses, person_addresses.c.person_id, *_ADDRESS_COLUMNS)
                .where(person_addresses.c.person_id.in_(ids))
                .order_by(person_addresses.c.position)
            )
            for row in await self._scope.rows(statement):
                found.setdefault(row.person_id, []).append(PersonAddress(*row[1:]))
        return found

    async def add_many(self, new: Sequence[tuple[str, NewPerson]], at: datetime) -> None:
        """Raises RefusedError(reason="address_taken") where an address has an owner; nobody is added then."""
        keys = [address.key for _, person in new for address in person.addresses]
        if len(set(keys)) < len(keys) or await self.ids_by_keys(keys):
            raise _taken()
        await self._scope.insert(people, [_person_values(person_id, person, at) for person_id, person in new])
        addresses = [
            _address_values(person_id, address, position)
            for person_id, person in new
            for position, address in enumerate(person.addresses, 1)
        ]
        if await self._scope.insert_new(person_addresses, addresses) < len(addresses):
            raise _taken()  # another unit took one since we looked; ours rolls back

    async def update(self, person_id: str, changes: NewPerson, at: datetime) -> None:
        """An empty value is one that the import does not name.

        Raises RefusedError(reason="address_taken") where an address belongs to somebody else.
        """
        known = await self.get(person_id)
        if known is None:
            return
        named = {
            name: getattr(changes, name) or getattr(known, name)
            for name in ("first_name", "last_name", "phone", "timezone")
        }
        fields = {**known.fields, **{name: value for name, value in changes.fields.items() if value}}
        statement = self._scope.update(people).where(people.c.id == person_id)
        await self._scope.run(statement.values(**named, fields=fields, updated_at=at))
        if any(address.primary for address in changes.addresses):
            await self._one_primary(person_id, (address.key for address in changes.addresses if address.primary))
        held = {address.key: address for address in known.addresses}
        for address in changes.addresses:
            if address.key not in held:
                await self.add_address(person_id, address)
            elif held[address.key].type != address.type:
                await self._change_address(address.key, {"type": address.type})

    async def _one_primary(self, person_id: str, keys: Iterable[str]) -> None:
        mine = self._scope.update(person_addresses).where(person_addresses.c.person_id == person_id)
        await self._scope.run(mine.values(primary=person_addresses.c.key.in_(list(keys))))

    async def _change_address(self, key: str, changes: dict[str, Any]) -> None:
        await self._scope.run(self._scope.update(person_addresses).where(person_addresses.c.key == key).values(changes))

    async def add_address(self, person_id: str, address: PersonAddress) -> None:
        """An address that the person has already stays as it is."""
        last = self._scope.select(person_addresses, func.max(person_addresses.c.position))
        position = await self._scope.scalar(last.where(person_addresses.c.person_id == person_id))
        row = _address_values(person_id, address, (position or 0) + 1)
        if await self._scope.insert_new(person_addresses, [row]):
            return
        if (await self.ids_by_keys([address.key])).get(address.key) != person_id:
            raise _taken()

    async def remove_address(self, person_id: str, key: str) -> bool:
        statement = self._scope.delete(person_addresses).where(
            person_addresses.c.person_id == person_id, person_addresses.c.key == key
        )
        if await self._scope.run(statement) != 1:
            return False
        await self._keep_a_primary(person_id)
        return True

    async def _keep_a_primary(self, person_id: str) -> None:
        """The primary address was taken away: the next one takes its place, as ``Person.primary`` says."""
        left = (await self._addresses_of([person_id])).get(person_id, [])
        if left and not any(address.primary for address in left):
            await self._change_address(left[0].key, {"primary": True})

    async def count(self) -> int:
        return int(await self._scope.scalar(self._scope.select(people, func.count())))


def _taken() -> RefusedError:
    return RefusedError("An address belongs to another person already.", reason="address_taken")


def _person_values(person_id: str, person: NewPerson, at: datetime) -> Values:
    return values_of(person, without=("addresses",)) | {"id": person_id, "created_at": at, "updated_at": at}


def _address_values(person_id: str, address: PersonAddress, position: int) -> Values:
    return values_of(address) | {"loose_key": loose_key(address.key), "person_id": person_id, "position": position}
