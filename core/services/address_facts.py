"""What is known of the addresses that a claimed batch would write to, in a constant number of questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.domain.address import domain_of, match_key
from core.domain.address_verdict import AddressVerdict, DomainMail, judge
from core.domain.campaign import Campaign
from core.domain.preflight import address_to
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import DueDelivery, UnitOfWork

CHECKED_WITHIN: Final = timedelta(days=7)
"""How long what DNS said of a domain counts."""


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """``suppressed`` holds match keys, ``domains`` what DNS said by domain (None: nobody validates), ``bounced`` the
    addresses from which a mail of the same prospect came back."""

    suppressed: Collection[str] = ()
    domains: Mapping[str, str] | None = None
    bounced: Mapping[str, Collection[str]] = field(default_factory=dict)

    def is_suppressed(self, address: str | None) -> bool:
        return address is not None and match_key(address) in self.suppressed

    def verdict(self, address: str | None, enrollment_id: str) -> AddressVerdict | None:
        """None where nobody validates."""
        if address is None or self.domains is None:
            return None
        came_back = address in self.bounced.get(enrollment_id, ())
        mail = DomainMail(self.domains.get(domain_of(address), DomainMail.UNKNOWN))
        return judge(address, mail, recently_bounced=came_back)

    def is_unchecked(self, address: str | None) -> bool:
        return address is not None and self.domains is not None and domain_of(address) not in self.domains


def recipient_of(due: DueDelivery, campaign: Campaign) -> str | None:
    """The address that this mail goes to: frozen with its text, else the profile's. Of other stages the profile's."""
    frozen = due.delivery.recipient if due.delivery.kind == "email" else None
    return frozen or address_to(due.person, campaign)


async def address_facts(
    uow: UnitOfWork,
    settings: WorkspaceSettings,
    due: Sequence[DueDelivery],
    campaigns: Mapping[str, Campaign],
    *,
    now: datetime,
    validates: bool,
) -> AddressFacts:
    """``validates`` False: this process looks nothing up in DNS, so nothing waits for it."""
    found = [recipient_of(one, campaigns[one.delivery.campaign_id]) for one in due]
    addresses = {address for address in found if address}
    suppressed = await uow.suppressions.among({match_key(address) for address in addresses})
    if not validates or settings["validation"] == "off":
        return AddressFacts(frozenset(suppressed))
    domains = await uow.domain_checks.known({domain_of(address) for address in addresses}, now - CHECKED_WITHIN)
    again = {one.enrollment.id for one in due if one.delivery.series > 1}
    bounced = await uow.deliveries.bounced_recipients(again) if again else {}
    return AddressFacts(frozenset(suppressed), domains, bounced)
