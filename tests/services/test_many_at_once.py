"""What many mailboxes cost: the number of questions and of write transactions does not grow with those that did not
change, and an outage of hundreds reads no alert a hundred times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import event

from core.domain.account import MailboxStatus
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectStatus, Reason
from core.errors import MailError
from core.ports.storage import AlertStore, Canary, EnrollmentEvent, Store
from core.services.canaries import CanaryService
from core.services.credentials import CredentialService
from core.services.recovery import failed_stages
from core.services.submission import Submission
from storage.sql_store import SqlStore
from tests.services.alert_rig import AWAY, WRONG, AlertRig
from tests.services.rig import Rig
from tests.stores import NOW, add_prospect, make_campaign, make_delivery, make_mailbox

MANY = 40


@contextmanager
def counted(store: Store) -> Iterator[Counter[str]]:
    """Statements ("read", "write") and transactions ("reads", "writes") within the block."""
    assert isinstance(store, SqlStore)
    counts: Counter[str] = Counter()
    hooks: list[tuple[Any, str, Callable[..., None]]] = []
    for name, engine in (("read", store.database.reader), ("write", store.database.writer)):

        def asked(*_: Any, name: str = name) -> None:
            counts[name] += 1

        def began(_: Any, name: str = name) -> None:
            counts[f"{name}s"] += 1

        hooks += [(engine.sync_engine, "before_cursor_execute", asked), (engine.sync_engine, "begin", began)]
    for target, name, hook in hooks:
        event.listen(target, name, hook)
    try:
        yield counts
    finally:
        for target, name, hook in hooks:
            event.remove(target, name, hook)


class Watched:
    """Alerts of a store; ``decoded`` were answered."""

    def __init__(self, alerts: AlertStore) -> None:
        self._alerts, self.decoded = alerts, 0

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*arguments: Any, **named: Any) -> Any:
            answer = await getattr(self._alerts, name)(*arguments, **named)
            self.decoded += len(answer) if isinstance(answer, list) else int(answer is not None)
            return answer

        return ask


@pytest.fixture
async def many(rig: Rig) -> AlertRig:
    made = AlertRig.on(rig)
    await made.open(canary_every_s=3600)
    return made


async def test_warnings_in_which_nothing_changed_open_no_write_transaction(many: AlertRig) -> None:
    """Forty sign-ins end soon; a day later each card counts down once."""
    store, signed_in = many.rig.store, NOW - timedelta(days=85)
    await many.add_many(*(f"m{n}" for n in range(MANY)), sign_in="microsoft", signed_in_at=signed_in)
    await many.expiry.count_down("T1")
    assert len(await many.open_alerts("expiry:")) == MANY
    with counted(store) as counts:
        await many.expiry.count_down("T1")
    assert counts["writes"] == 0
    assert counts["read"] <= 5
    many.rig.clock.pass_time(days=1)
    with counted(store) as counts:
        await many.expiry.count_down("T1")
    assert counts["writes"] == MANY
    assert {one.facts["days_left"] for one in await many.open_alerts("expiry:")} == {4}


async def test_check_mails_that_are_not_due_open_no_write_transaction(many: AlertRig) -> None:
    rig = many.rig
    await many.add_many(*(f"m{n}" for n in range(MANY)))
    async with rig.store.write("T1") as uow:
        for n in range(MANY):
            await uow.canaries.add(Canary(f"c{n}", f"m{n}", f"m{(n + 1) % MANY}", f"{n}@agency.test", NOW))
            await uow.canaries.settle(f"c{n}", NOW)
    canaries = CanaryService(rig.tools, Submission(rig.transport, CredentialService(rig.tools, {})), rig.sync)
    with counted(rig.store) as counts:
        await canaries.run_once("T1")
    assert counts["writes"] == 0
    assert counts["read"] <= 6


@pytest.mark.parametrize("error", [AWAY, WRONG])
async def test_a_break_is_not_compared_with_all_that_broke(many: AlertRig, error: MailError) -> None:
    """Before a storm's card stands, too: a break decodes a bounded number of alerts, and from the third on it waits
    for the card."""
    for name in await many.add_many(*(f"m{n}" for n in range(120))):
        await many.break_(name, error)
    gathering = [one.facts["gathering"] for one in await many.open_alerts("sync:")]
    assert sorted(gathering) == [False] * 2 + [True] * 118
    facts = (await many.alert("m0")).facts
    async with many.rig.store.read("T1") as uow:
        alerts = Watched(uow.alerts)
        place = await many.storms.place(cast("Any", SimpleNamespace(alerts=alerts, settings=uow.settings)), facts)
    assert place == {"folded": None, "gathering": True}
    assert alerts.decoded <= 60


async def test_what_failed_meanwhile_costs_the_same_in_sixty_campaigns(many: AlertRig) -> None:
    """Three questions, however many campaigns and failures there are."""
    asked = []
    async with many.rig.store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("mb1", status=MailboxStatus.ERROR))
    for campaigns in (range(2), range(2, 60)):
        async with many.rig.store.write("T1") as uow:
            for n in campaigns:
                await uow.campaigns.add(make_campaign(f"x{n}", name=f"C{n}"))
                reason = Reason("email_not_synced", "Not synced", "Reconnect")
                enrolled = await add_prospect(
                    uow, n, campaign_id=f"x{n}", status=ProspectStatus.NOT_DELIVERED, reason=reason
                )
                failed = EnrollmentEvent(enrolled.id, NOW, "failed", ProspectStatus.NOT_DELIVERED, 1, "system")
                await uow.enrollments.add_event(failed)
                delivery = make_delivery(
                    f"d{n}", enrollment_id=enrolled.id, campaign_id=f"x{n}", state=DeliveryState.FAILED
                )
                await uow.deliveries.add_many([delivery])
        with counted(many.rig.store) as counts:
            async with many.rig.store.read("T1") as uow:
                found = await failed_stages(uow, "mb1", NOW)
        asked.append((len(found), counts["read"]))
    assert [number for number, _ in asked] == [2, 60]
    assert asked[0][1] == asked[1][1] <= 4
