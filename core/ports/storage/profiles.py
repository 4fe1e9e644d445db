"""People and their addresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.domain.people import KnownAddress, Person, PersonAddress


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A profile as imported."""

    first_name: str
    last_name: str
    phone: str
    timezone: str
    addresses: tuple[PersonAddress, ...]
    fields: Mapping[str, str] = field(default_factory=dict)


class PeopleStore(Protocol):
    async def ids_by_keys(self, keys: Collection[str]) -> dict[str, str]:
        """Address keys to person ids, in a constant number of queries."""
        ...

    async def known(self, keys: Collection[str], *, variants: bool = False) -> dict[str, list[KnownAddress]]:
        """Addresses on profiles by match key, with ``variants`` by loose key; in a constant number of queries."""
        ...

    async def get(self, person_id: str) -> Person | None: ...
    async def get_many(self, person_ids: Collection[str]) -> dict[str, Person]: ...
    async def by_address(self, key: str) -> Person | None: ...
    async def add_many(self, people: Sequence[tuple[str, NewPerson]], at: datetime) -> None:
        """(id, person) pairs whose addresses belong to nobody yet."""
        ...

    async def update(self, person_id: str, changes: NewPerson, at: datetime) -> None:
        """Fills and replaces what the import names; addresses are added, never taken away."""
        ...

    async def add_address(self, person_id: str, address: PersonAddress) -> None:
        """Raises RefusedError(reason="address_taken") where another person has it."""
        ...

    async def remove_address(self, person_id: str, key: str) -> bool:
        """Where it was the primary one, the person's next address becomes that."""
        ...

    async def count(self) -> int: ...
