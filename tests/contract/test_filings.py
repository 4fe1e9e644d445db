"""How far the copies of sent mail are filed, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.domain.delivery import DeliveryState
from core.ports.filing import Filing, FilingHabit
from core.ports.storage import UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW, add_prospect, make_delivery

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BEGIN = Filing("mb1", FilingHabit.UNKNOWN, NOW, "", NOW)


async def add_sent(uow: UnitOfWork, number: int, **changes: Any) -> None:
    """Mail d<number>, which the server took in minute <number>."""
    await add_prospect(uow, number)
    sent = {"state": DeliveryState.SENT, "sent_at": NOW + number * MINUTE, "settled_by": "server", "message_id": "m@x"}
    mail = make_delivery(f"d{number}", enrollment_id=f"e{number}", **(sent | changes))
    await uow.deliveries.add_many([mail])
    await uow.deliveries.save(mail, raw=f"text {number}".encode())


async def test_only_one_takes_a_mailbox_at_a_time(store: SqlStore) -> None:
    """And finds it as it was left."""
    async with store.write("T1") as uow:
        await add_prospect(uow)
        assert await uow.filings.of(["mb1"]) == {}
        assert await uow.filings.take(BEGIN, now=NOW, until=NOW + HOUR) == replace(BEGIN, not_before=NOW + HOUR)
        assert await uow.filings.take(BEGIN, now=NOW + MINUTE, until=NOW + 2 * HOUR) is None
        left = Filing("mb1", FilingHabit.OURS, NOW + MINUTE, "d1", NOW + MINUTE)
        await uow.filings.save(left)
        assert await uow.filings.take(BEGIN, now=NOW + MINUTE, until=NOW + HOUR) == replace(left, not_before=NOW + HOUR)
    async with store.read("T1") as uow:
        assert await uow.filings.of(["mb1", "mb2"]) == {"mb1": replace(left, not_before=NOW + HOUR)}


async def test_mails_come_in_the_order_in_which_they_were_sent(store: SqlStore) -> None:
    """Behind the mark, up to a moment; of one moment by id. Only what the server itself acknowledged."""
    async with store.write("T1") as uow:
        for number in (1, 2, 3, 4):
            await add_sent(uow, number)
        await add_sent(uow, 5, sent_at=NOW + 2 * MINUTE)
        await add_sent(uow, 6, sent_at=NOW + 2 * MINUTE, settled_by="sent_folder")
        await add_sent(uow, 7, sent_at=NOW + 2 * MINUTE, kind="sms")
        await add_sent(uow, 8, sent_at=None, state=DeliveryState.FAILED)
        found = await uow.filings.mails(BEGIN, before=NOW + 3 * MINUTE, limit=3)
        assert [one.delivery_id for one in found] == ["d1", "d2", "d5"]
        assert (found[0].raw, found[0].message_id, found[0].sent_at) == (b"text 1", "m@x", NOW + MINUTE)
        mark = replace(BEGIN, through_at=NOW + 2 * MINUTE, through_id="d2")
        rest = await uow.filings.mails(mark, before=NOW + HOUR, limit=9)
        assert [one.delivery_id for one in rest] == ["d5", "d3", "d4"]


async def test_the_newest_mail_of_each_mailbox_is_told(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for number in (1, 2, 3):
            await add_sent(uow, number)
        newest = await uow.filings.newest(["mb1", "mb2"], after=NOW, before=NOW + 2 * MINUTE)
        assert newest == {"mb1": NOW + 2 * MINUTE}
        assert await uow.filings.newest(["mb1"], after=NOW + 3 * MINUTE, before=NOW + HOUR) == {}
