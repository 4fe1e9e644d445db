"""Calls and tasks that are told again, and texts of which the provider has news, on both databases."""

from __future__ import annotations

from datetime import timedelta

from core.domain.delivery import Delivery, DeliveryState
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_delivery

HOUR = timedelta(hours=1)


def call(delivery_id: str, stage: int, **changes: object) -> Delivery:
    waiting = {"kind": "call", "stage": stage, "waiting_for": "manual_stage", "next_check_at": NOW}
    return make_delivery(delivery_id, **{**waiting, **changes})


def ids(found: list[Delivery]) -> list[str]:
    return [one.id for one in found]


async def test_what_waits_for_a_person_is_told_again_at_its_time(store: SqlStore) -> None:
    """The longest due first; not what is paused, done, or of another kind."""
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many(
            [
                call("later", 1, next_check_at=NOW + HOUR),
                call("due", 2),
                call("longer", 3, kind="task", next_check_at=NOW - HOUR),
                call("paused", 4, waiting_for="paused"),
                call("done", 5, state=DeliveryState.SENT),
                call("mail", 6, kind="email"),
                call("not told", 7, next_check_at=None),
            ]
        )
        assert ids(await uow.stages.reminders_due(NOW)) == ["longer", "due"]
        assert ids(await uow.stages.reminders_due(NOW, limit=1)) == ["longer"]
        assert ids(await uow.stages.reminders_due(NOW + HOUR)) == ["longer", "due", "later"]


async def test_a_settled_call_is_named_until_its_card_is_closed(store: SqlStore) -> None:
    """However far away its next reminder was."""
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many(
            [
                call("cancelled", 1, state=DeliveryState.CANCELLED, next_check_at=NOW + HOUR),
                call("skipped", 2, state=DeliveryState.SKIPPED),
                call("closed", 3, state=DeliveryState.CANCELLED, next_check_at=None),
                call("open", 4),
                call("mail", 5, kind="email", state=DeliveryState.CANCELLED),
            ]
        )
        assert ids(await uow.stages.cards_over()) == ["skipped", "cancelled"]


async def test_texts_are_asked_about_at_their_time(store: SqlStore) -> None:
    """Only those that went out."""
    sent = {"kind": "sms", "state": DeliveryState.SENT, "sent_at": NOW, "next_check_at": NOW}
    async with store.write("T1") as uow:
        await add_prospect(uow)
        await uow.deliveries.add_many(
            [
                make_delivery("due", **sent),
                make_delivery("later", stage=2, **{**sent, "next_check_at": NOW + HOUR}),
                make_delivery("settled", stage=3, **{**sent, "next_check_at": None}),
                make_delivery("unknown", stage=4, **{**sent, "state": DeliveryState.UNKNOWN}),
                make_delivery("mail", stage=5, **{**sent, "kind": "email"}),
            ]
        )
        assert ids(await uow.stages.texts_to_ask(NOW)) == ["due"]
        assert ids(await uow.stages.texts_to_ask(NOW + HOUR)) == ["due", "later"]
    async with store.read("T2") as uow:
        assert await uow.stages.texts_to_ask(NOW + HOUR) == []
