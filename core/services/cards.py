"""Hands the facts of reply, failed-stage and uncertain-send cards to the outbox, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.domain.campaign import Campaign
from core.domain.cards import ReplyCard, ReplyExcerpt, StageCard, StageHeap, UncertainCard
from core.domain.delivery import Delivery
from core.domain.enrollment import Enrollment, Reason
from core.domain.limits import utc_day
from core.domain.message import Header
from core.domain.moment import iso
from core.domain.people import Person
from core.ports.storage import OutboxItem, UnitOfWork
from core.services.tools import Tools, settings_in


@dataclass(frozen=True, slots=True)
class Prospect:
    """An enrollment with what a card must name."""

    enrollment: Enrollment
    campaign: Campaign
    person: Person
    mailbox_address: str
    owner: str | None

    @property
    def email(self) -> str:
        return self.person.primary.address if self.person.primary else ""


async def prospect_of(uow: UnitOfWork, enrollment: Enrollment) -> Prospect | None:
    """The names behind an enrollment; None where campaign or person is gone."""
    campaign = await uow.campaigns.get(enrollment.campaign_id)
    person = await uow.people.get(enrollment.person_id)
    if campaign is None or person is None:
        return None
    mailbox = await uow.mailboxes.get(enrollment.mailbox_id) if enrollment.mailbox_id else None
    owner = mailbox.owner if mailbox else campaign.owner
    address = mailbox.address if mailbox else ", ".join(campaign.senders)
    return Prospect(enrollment, campaign, person, address, owner)


class CardWriter:
    """One message per thing and destination; later facts replace earlier ones in place."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def stage(
        self,
        uow: UnitOfWork,
        prospect: Prospect,
        delivery: Delivery,
        state: str,
        *,
        actor: str | None = None,
        open_new: bool = False,
    ) -> None:
        """The failed-stage card of (prospect, stage). Without ``open_new`` only a card that is there is changed."""
        key = _stage_key(delivery)
        if not open_new and await uow.outbox.by_key(key) is None:
            return
        enrollment, now = prospect.enrollment, self._tools.clock.now()
        why = enrollment.reason
        stage = prospect.campaign.stage_at(delivery.stage)
        facts: StageCard = {
            "state": state,
            "delivery_id": delivery.id,
            "enrollment_id": enrollment.id,
            "version": enrollment.version,
            "campaign": prospect.campaign.name,
            "person": prospect.person.name,
            "email": delivery.recipient or prospect.email,
            "owner": prospect.owner,
            "stage": prospect.campaign.number_of(delivery.stage),
            "stages": len(prospect.campaign.live_stages),
            "kind": stage.kind if stage else "email",
            "status": enrollment.status.value,
            "reason_code": why.code if why else "",
            "reason": why.text if why else "",
            "fix": why.fix if why else "",
            "server_text": delivery.server_text,
            "at": str(iso(now)),
            "actor": actor,
            "actor_at": iso(now) if actor else None,
        }
        await self.put(uow, key, prospect, "stage_failed", facts, now)

    async def heap_of_today(self, uow: UnitOfWork, campaign: Campaign, why: Reason) -> OutboxItem | None:
        """The card on which many stages of a campaign are told that failed for one reason."""
        day = utc_day(self._tools.clock.now())
        return await uow.outbox.by_key(f"{_heap_keys(campaign.id, why.code)}{day:%Y-%m-%d}")

    async def heap(self, uow: UnitOfWork, campaign: Campaign, why: Reason, more: int) -> None:
        """So many more failed. One card a day; after Retry it counts anew."""
        now, known = self._tools.clock.now(), await self.heap_of_today(uow, campaign, why)
        before = known.facts if known and known.facts["state"] == "failed" else {}
        facts: StageHeap = {
            "state": "failed",
            "campaign_id": campaign.id,
            "campaign": campaign.name,
            "owner": campaign.owner,
            "reason_code": why.code,
            "reason": why.text,
            "fix": why.fix,
            "count": before.get("count", 0) + more,
            "at": before.get("at") or str(iso(now)),
            "actor": None,
            "actor_at": None,
        }
        to = known.destination if known else campaign.channel or (await settings_in(uow))["reply_channel"]
        to = to or (f"user:{campaign.owner}" if _in_slack(campaign.owner) else None)
        if to:
            key = f"{_heap_keys(campaign.id, why.code)}{utc_day(now):%Y-%m-%d}"
            await uow.outbox.put(key, destination=to, kind="stages_failed", facts=facts, at=now)
            uow.wake("notifications")

    async def heap_retried(self, uow: UnitOfWork, campaign_id: str, code: str, *, actor: str) -> None:
        """Somebody has pressed Retry all: the cards of every day say so."""
        now = self._tools.clock.now()
        for item in await uow.outbox.keys_with_prefix(_heap_keys(campaign_id, code)):
            facts = {**item.facts, "state": "retrying", "actor": actor, "actor_at": iso(now)}
            await uow.outbox.put(item.key, destination=item.destination, kind=item.kind, facts=facts, at=now)
        uow.wake("notifications")

    async def uncertain(
        self,
        uow: UnitOfWork,
        prospect: Prospect,
        delivery: Delivery,
        state: str,
        *,
        evidence: str,
        actor: str | None = None,
        open_new: bool = False,
    ) -> None:
        """The card of a send of which nobody knows whether it went out."""
        key = f"uncertain:{delivery.id}"
        if not open_new and await uow.outbox.by_key(key) is None:
            return
        now = self._tools.clock.now()
        facts: UncertainCard = {
            "state": state,
            "kind": delivery.kind,
            "delivery_id": delivery.id,
            "enrollment_id": delivery.enrollment_id,
            "version": delivery.version,
            "campaign": prospect.campaign.name,
            "person": prospect.person.name,
            "email": delivery.recipient or prospect.email,
            "mailbox": prospect.mailbox_address,
            "owner": prospect.owner,
            "stage": prospect.campaign.number_of(delivery.stage),
            "stages": len(prospect.campaign.live_stages),
            "subject": delivery.subject or "",
            "at": str(iso(delivery.claimed_at or now)),
            "evidence": evidence,
            "actor": actor,
            "actor_at": iso(now) if actor else None,
        }
        await self.put(uow, key, prospect, "uncertain", facts, now)

    async def reply(
        self,
        uow: UnitOfWork,
        prospect: Prospect,
        *,
        header: Header,
        excerpt: str,
        fingerprint: str,
        stage: int,
        at: datetime,
        stopped: bool,
    ) -> None:
        """Who, campaign and stage for the channel; the text only for the recruiter's eyes (ruling of the design)."""
        now = self._tools.clock.now()
        facts: ReplyCard = {
            "enrollment_id": prospect.enrollment.id,
            "person": prospect.person.name,
            "email": header.from_.address if header.from_ else prospect.email,
            "campaign": prospect.campaign.name,
            "stage": prospect.campaign.number_of(stage),
            "stages": len(prospect.campaign.live_stages),
            "mailbox": prospect.mailbox_address,
            "owner": prospect.owner or "",
            "at": str(iso(at)),
            "status": prospect.enrollment.status.value,
            "stopped": stopped,
        }
        excerpt_facts: ReplyExcerpt = {**facts, "subject": header.subject, "excerpt": excerpt[:2_000]}
        key = f"reply:{prospect.enrollment.id}:{fingerprint[:32]}"
        channel = await self._channel(uow, prospect)
        if channel:
            await uow.outbox.put(f"{key}:channel", destination=channel, kind="reply", facts=facts, at=now)
        if _in_slack(prospect.owner):
            await uow.outbox.put(
                f"{key}:owner", destination=f"user:{prospect.owner}", kind="reply_excerpt", facts=excerpt_facts, at=now
            )
        uow.wake("notifications")

    async def put(
        self, uow: UnitOfWork, key: str, prospect: Prospect, kind: str, facts: Mapping[str, Any], now: datetime
    ) -> None:
        """To where the card stands, else to the campaign's channel, else to its owner."""
        known = await uow.outbox.by_key(key)
        channel = known.destination if known else await self._channel(uow, prospect)
        if channel is None and _in_slack(prospect.owner):
            channel = f"user:{prospect.owner}"
        if channel is not None:
            await uow.outbox.put(key, destination=channel, kind=kind, facts=facts, at=now)
            uow.wake("notifications")

    async def _channel(self, uow: UnitOfWork, prospect: Prospect) -> str | None:
        settings = await settings_in(uow)
        return prospect.campaign.channel or settings["reply_channel"] or None


def _stage_key(delivery: Delivery) -> str:
    # A retry is the same stage of the same person: its outcome is told on the same card.
    return f"stage:{delivery.enrollment_id}:{delivery.stage}"


def _heap_keys(campaign_id: str, code: str) -> str:
    return f"stages:{campaign_id}:{code}:"


def _in_slack(user: str | None) -> bool:
    return bool(user) and str(user).startswith(("U", "W"))
