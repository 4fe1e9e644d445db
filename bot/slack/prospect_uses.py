"""What Slack asks of the use cases around prospects, the Email Log, blocks, stops and signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, ProspectEvent
from core.domain.ledger import LedgerLine
from core.domain.people import Person
from core.domain.prospect_query import LogQuery, ProspectQuery
from core.parts import UseCases
from core.ports.clock import Clock
from core.ports.storage import Hold, LogPage, ProspectPage, Suppression
from core.services.bulk_actions import Selection
from core.services.campaigns import CampaignLine
from core.services.holds import LimitsLeft
from core.services.metrics import CampaignPage
from core.services.outcomes import BulkResult, MoveResult
from core.services.people import AddedAddress
from core.services.prospect_sheets import ProspectSheet
from core.services.suppression_list import BlockList, BlockResult


class FigureUses(Protocol):
    """core.services.metrics.MetricsService."""

    async def status(self, actor: Actor, name: str, *, limit: int = ..., offset: int = ...) -> CampaignPage: ...


class ListUses(Protocol):
    """core.services.campaigns.CampaignService, as far as its people go."""

    async def list(self, actor: Actor) -> Sequence[CampaignLine]: ...
    async def prospects(self, actor: Actor, name: str, query: ProspectQuery) -> ProspectPage: ...
    async def move(
        self, actor: Actor, from_name: str, to_name: str, *, enrollment_ids: Sequence[str] | None = None
    ) -> MoveResult: ...


class SheetUses(Protocol):
    """core.services.prospect_sheets.ProspectSheets."""

    async def of(self, actor: Actor, enrollment_id: str) -> ProspectSheet: ...
    async def of_attempt(self, actor: Actor, delivery_id: str) -> ProspectSheet: ...
    async def of_person(self, actor: Actor, email: str) -> Sequence[ProspectSheet]: ...
    async def versions(self, actor: Actor, enrollment_ids: Collection[str]) -> dict[str, int]: ...


class ActUses(Protocol):
    """core.services.prospects.ProspectService. ``version`` is what was shown: whoever was slower is refused."""

    async def act_on(
        self,
        actor: Actor,
        event: ProspectEvent,
        enrollment_id: str,
        version: int | None = None,
        *,
        confirmed: bool = False,
    ) -> Enrollment: ...
    async def ledger_of(self, actor: Actor, enrollment_id: str) -> Sequence[LedgerLine]: ...


class BulkUses(Protocol):
    """core.services.bulk_actions.BulkActions."""

    async def act(
        self, actor: Actor, event: ProspectEvent, selection: Selection, *, confirmed: bool = False
    ) -> BulkResult: ...
    async def count(self, actor: Actor, selection: Selection) -> int: ...
    async def export(self, actor: Actor, selection: Selection) -> str: ...


class AddressUses(Protocol):
    """core.services.people.PeopleService, as far as addresses go."""

    async def add_address(self, actor: Actor, email: str, address: str, kind: str = "other") -> AddedAddress: ...
    async def remove_address(self, actor: Actor, email: str, address: str) -> Person: ...


class LogUses(Protocol):
    """core.services.email_log.EmailLog."""

    async def page(self, actor: Actor, query: LogQuery) -> LogPage: ...
    async def cancel(self, actor: Actor, delivery_id: str) -> Delivery: ...
    async def retry(self, actor: Actor, delivery_id: str) -> Enrollment: ...


class BlockUses(Protocol):
    """core.services.suppression_list.SuppressionList."""

    async def add(self, actor: Actor, names: Iterable[str], *, note: str = "") -> BlockResult: ...
    async def import_text(self, actor: Actor, raw: bytes) -> BlockResult: ...
    async def remove(self, actor: Actor, name: str) -> Suppression: ...
    async def list(self, actor: Actor, *, limit: int = 500) -> BlockList: ...


class StopUses(Protocol):
    """core.services.holds.HoldService."""

    async def list(self, actor: Actor) -> Sequence[Hold]: ...
    async def stop_everything(self, actor: Actor, note: str = "") -> Hold: ...
    async def resume_everything(self, actor: Actor) -> int: ...
    async def away(self, actor: Actor, until: datetime | None = None) -> Hold: ...
    async def back(self, actor: Actor) -> int: ...
    async def left_today(self, actor: Actor) -> LimitsLeft: ...


class SignatureUses(Protocol):
    """core.services.signatures.SignatureService."""

    async def set_signature(self, actor: Actor, mailbox_id: str, text: str, html: str = "") -> Mailbox: ...
    async def set_aliases(self, actor: Actor, mailbox_id: str, aliases: Sequence[str]) -> Mailbox: ...


@dataclass(frozen=True, slots=True)
class Outreach:
    """All of them."""

    figures: FigureUses
    lists: ListUses
    sheets: SheetUses
    acts: ActUses
    bulk: BulkUses
    people: AddressUses
    log: LogUses
    blocks: BlockUses
    stops: StopUses
    signatures: SignatureUses
    clock: Clock


def outreach_of(uses: UseCases, clock: Clock) -> Outreach:
    """From the engine's use cases."""
    return Outreach(
        figures=uses.metrics,
        lists=uses.campaigns,
        sheets=uses.sheets,
        acts=uses.prospects,
        bulk=uses.bulk,
        people=uses.people,
        log=uses.email_log,
        blocks=uses.blocks,
        stops=uses.holds,
        signatures=uses.signatures,
        clock=clock,
    )
