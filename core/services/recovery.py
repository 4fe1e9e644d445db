"""After an outage: the stages that failed meanwhile are offered for another try, on one card (X3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.account import Mailbox
from core.domain.alert import Alert, AlertState
from core.domain.campaign import Campaign
from core.domain.cards import FailedCampaign
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment
from core.domain.moment import parse_iso
from core.ports.storage import UnitOfWork
from core.services.alert_board import AlertBoard
from core.services.tools import Tools, settings_in

NOT_SYNCED = "email_not_synced"


@dataclass(frozen=True, slots=True)
class FailedStage:
    """A stage that failed because its mailbox was down."""

    delivery: Delivery
    enrollment: Enrollment
    campaign: Campaign
    failed_at: datetime


class RecoveryOffers:
    """At most one offer per mailbox is open: "recovery:<mailbox>"."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._board = AlertBoard(tools)

    async def offer(self, uow: UnitOfWork, mailbox: Mailbox, outage: Alert) -> None:
        """``outage`` is the mailbox's resolved alert. Nothing is offered where nothing failed."""
        since = str(outage.facts.get("failures_since") or outage.facts["since"])
        failed = await failed_stages(uow, mailbox.id, parse_iso(since) or outage.opened_at)
        if not failed:
            return
        facts: dict[str, Any] = {
            "state": "offered",
            "mailbox_id": mailbox.id,
            "address": mailbox.address,
            "owner": mailbox.owner,
            "failed": len(failed),
            "campaigns": _per_campaign(failed),
            "down_minutes": outage.facts["down_minutes"],
            "actor": None,
            "actor_at": None,
            "retried": 0,
            "refused": 0,
            "since": since,
            "fallback_channel": failed[0].campaign.channel or (await settings_in(uow))["reply_channel"],
        }
        known = await uow.alerts.current(_key(mailbox.id))
        if known is not None:
            await self._board.change(uow, known, facts)
        else:
            await self._board.open(uow, _key(mailbox.id), facts)

    async def supersede(self, uow: UnitOfWork, mailbox_id: str) -> str | None:
        """The mailbox is down again, or gone: an offer that nobody has taken is withdrawn. Returns since when its
        failures count, for the offer that follows."""
        known = await uow.alerts.current(_key(mailbox_id))
        if known is None:
            return None
        await self._board.change(uow, known, {"state": "left"}, state=AlertState.RESOLVED)
        return str(known.facts["since"])


async def failed_stages(uow: UnitOfWork, mailbox_id: str, since: datetime) -> list[FailedStage]:
    """Failed since then because the mailbox was down, and still failed; campaign by campaign, oldest first."""
    failed = await uow.deliveries.failed_of_mailbox(mailbox_id, reason=NOT_SYNCED, since=since)
    enrollments = await uow.enrollments.get_many([delivery.enrollment_id for delivery, _ in failed])
    campaigns = await uow.campaigns.get_many([delivery.campaign_id for delivery, _ in failed])
    found = [
        FailedStage(delivery, enrollments[delivery.enrollment_id], campaigns[delivery.campaign_id], failed_at)
        for delivery, failed_at in failed
    ]
    return sorted(found, key=lambda one: (one.campaign.created_at, one.campaign.id))


def _per_campaign(failed: list[FailedStage]) -> list[FailedCampaign]:
    counted = Counter(one.campaign.name for one in failed)
    return [{"campaign": name, "failed": number} for name, number in counted.most_common()]


def _key(mailbox_id: str) -> str:
    return f"recovery:{mailbox_id}"
