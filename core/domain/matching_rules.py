"""The rules by which mail belongs to people, as a workspace sets them (R210, R212). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.domain.address import loose_key
from core.domain.internal_mail import House, house_of
from core.domain.people import KnownAddress
from core.domain.workspace_settings import WorkspaceSettings

# A server's clock may be behind ours: mail of the moment in which a profile was made is not old mail.
_CLOCK_SLACK: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """By default any address of a person counts, letter for letter, whatever the age of the profile.

    ``house`` is who our colleagues are, None where their mail is logged as any other. ``looks_back``: old mail of an
    address that was added to a profile later counts too (otherwise R94).
    """

    primary_only: bool = False
    normalised: bool = False
    house: House | None = None
    skips_before_profile: bool = False
    looks_back: bool = False

    @classmethod
    def of(cls, settings: WorkspaceSettings, own_keys: frozenset[str] = frozenset()) -> MatchingRules:
        """The workspace's rules; ``own_keys`` are the match keys of its mailboxes."""
        skips_internal = settings["internal_mail"] == "skip"
        return cls(
            primary_only=settings["match_addresses"] == "primary",
            normalised=settings["match_exactness"] == "normalised",
            house=house_of(own_keys, tuple(settings["own_domains"])) if skips_internal else None,
            skips_before_profile=settings["mail_before_profile"] == "skip",
            looks_back=settings["backfill"] == "on",
        )

    def lookup_key(self, key: str) -> str:
        """Under what the address with this match key is looked up among people's addresses."""
        return loose_key(key) if self.normalised else key

    def allows(self, known: KnownAddress, moment: datetime | None) -> bool:
        """Whether mail of ``moment`` (None: nobody knows when) is matched by this address."""
        if self.primary_only and not known.primary:
            return False
        if moment is None:
            return True
        came_later = known.added_at > known.profile_at
        if came_later and not self.looks_back and moment < known.added_at - _CLOCK_SLACK:
            return False
        return not (self.skips_before_profile and moment < known.profile_at - _CLOCK_SLACK)

    def rule(self, key: str, known: KnownAddress) -> str:
        """The name of the rule that ties mail with this match key to a known address (R209)."""
        if key == known.key:
            return "primary_address" if self.primary_only else "exact_address"
        return "normalised_primary" if self.primary_only else "normalised_address"


EXACT: Final = MatchingRules()
