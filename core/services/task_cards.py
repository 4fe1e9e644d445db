"""The cards of calls and tasks: who, why, since when, and what came of it."""

from __future__ import annotations

from core.domain.campaign import Stage
from core.domain.cards import TaskCard, TaskReminder
from core.domain.delivery import Delivery
from core.domain.moment import iso
from core.domain.people import Person
from core.ports.storage import UnitOfWork
from core.services.cards import CardWriter, Prospect
from core.services.tools import Tools

_MOST_FACTS = 8
_LONGEST_FACT = 120


class TaskCards:
    """One card for a call or a task of one person; it stays in its place whatever comes."""

    def __init__(self, tools: Tools, cards: CardWriter) -> None:
        self._tools = tools
        self._cards = cards

    async def open(self, uow: UnitOfWork, prospect: Prospect, stage: Stage, delivery: Delivery) -> None:
        """``delivery`` as it is stored: its version is what the buttons carry."""
        now = self._tools.clock.now()
        facts: TaskCard = {
            "state": "open",
            "delivery_id": delivery.id,
            "enrollment_id": prospect.enrollment.id,
            "version": delivery.version,
            "campaign": prospect.campaign.name,
            "person": prospect.person.name,
            "email": prospect.email,
            "phone": prospect.person.phone,
            "profile": _profile(prospect.person),
            "owner": prospect.owner,
            "stage": prospect.campaign.number_of(delivery.stage),
            "stages": len(prospect.campaign.live_stages),
            "kind": stage.kind,
            "note": stage.note or stage.body or stage.subject,
            "required": stage.required,
            "due": str(iso(delivery.due_at or now)),
            "actor": None,
            "actor_at": None,
        }
        await self._cards.put(uow, _key(delivery), prospect, "task", facts, now)

    async def close(self, uow: UnitOfWork, delivery: Delivery, state: str, *, actor: str | None = None) -> None:
        """Where there is an open card; ``state`` as ``TaskCard`` names them. The prospect may be gone already."""
        card = await uow.outbox.by_key(_key(delivery))
        if card is None or card.facts["state"] != "open":
            return
        now = self._tools.clock.now()
        told = {"state": state, "actor": actor, "actor_at": iso(now) if actor else None}
        facts = {**card.facts, **told}
        await uow.outbox.put(card.key, destination=card.destination, kind=card.kind, facts=facts, at=now)
        uow.wake("notifications")

    async def remind(self, uow: UnitOfWork, prospect: Prospect, delivery: Delivery) -> None:
        """A short message of its own: Slack tells nobody of an edit."""
        card = await uow.outbox.by_key(_key(delivery))
        if card is None:
            return
        number = delivery.checks
        facts: TaskReminder = {
            "delivery_id": delivery.id,
            "campaign": prospect.campaign.name,
            "person": prospect.person.name,
            "phone": prospect.person.phone,
            "owner": prospect.owner,
            "kind": str(card.facts["kind"]),
            "note": str(card.facts["note"]),
            "due": str(card.facts["due"]),
            "version": delivery.version,
            "enrollment_id": delivery.enrollment_id,
            "reminders": number,
        }
        await self._cards.put(
            uow, f"{_key(delivery)}:reminder:{number}", prospect, "task_reminder", facts, self._tools.clock.now()
        )


def _key(delivery: Delivery) -> str:
    return f"task:{delivery.id}"


def _profile(person: Person) -> list[list[str]]:
    """What is known of them besides name, address and telephone, in the order of the import."""
    facts = {"time zone": person.timezone, **person.fields}
    known = [(name.replace("_", " "), " ".join(value.split())) for name, value in facts.items() if value.strip()]
    return [[name[:_LONGEST_FACT], value[:_LONGEST_FACT]] for name, value in known[:_MOST_FACTS]]
