"""People and their addresses (R209). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ADDRESS_TYPES = ("personal", "work", "other")


@dataclass(frozen=True, slots=True)
class PersonAddress:
    """One address of a person. ``key`` is what exact matching compares (the whole address in lower case)."""

    address: str
    key: str
    type: str
    primary: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address on a profile, as matching needs it. ``profile_at`` is when the profile was made."""

    key: str
    person_id: str
    primary: bool
    added_at: datetime
    profile_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A profile. ``fields`` holds every further column of the import: they are merge fields."""

    id: str
    workspace: str
    first_name: str
    last_name: str
    phone: str
    timezone: str
    created_at: datetime
    addresses: tuple[PersonAddress, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """First and last name, or the primary address where both are empty."""
        full = f"{self.first_name} {self.last_name}".strip()
        return full or (self.primary.address if self.primary else "somebody without a name")

    @property
    def primary(self) -> PersonAddress | None:
        return next((address for address in self.addresses if address.primary), next(iter(self.addresses), None))

    @property
    def merge_fields(self) -> dict[str, str]:
        """What a template may name of this person, besides the address that is written to."""
        return {
            **self.fields,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "name": self.name if (self.first_name or self.last_name) else "",
            "phone": self.phone,
        }

    def address_for(self, priority: tuple[str, ...]) -> PersonAddress | None:
        """The address to write to: the first allowed type in order (R118, R119), the primary first within a type."""
        for kind in priority:
            of_kind = sorted((a for a in self.addresses if a.type == kind), key=lambda a: not a.primary)
            if of_kind:
                return of_kind[0]
        return None
