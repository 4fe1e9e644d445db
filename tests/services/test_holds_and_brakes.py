"""Holds that people set and lift, brakes after bounces, and hosts that say that it was too much."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from core.domain.limits import DAILY, DAY, utc_day
from core.domain.moment import iso
from core.domain.reasons import reason
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError, ServerRefusedError
from core.ports.storage import Hold, TrafficKey
from core.services.brakes import Brakes
from core.services.campaign_life import CampaignLife
from core.services.holds import HoldService
from core.services.limit_learner import REST, SHORT_REST, LimitLearner
from core.services.tools import Tools
from core.workers.holds import HoldWorker
from storage.sql_store import SqlStore
from tests.services.rig import ADA, OMAR, RITA, VERA, Rig, email_of, report
from tests.stores import NOW, SteadyClock, add_prospect, make_delivery, make_mailbox

TOO_MANY = "550 5.4.5 Daily user sending limit exceeded."
FAST = "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"


class Desk:
    """The services on one database whose clock is moved by hand."""

    def __init__(self, store: SqlStore) -> None:
        numbers = itertools.count(1)
        self.store, self.clock = store, SteadyClock()
        self.tools = Tools(store, self.clock, new_id=lambda: f"id{next(numbers)}", random=lambda: 0.5)
        self.brakes, self.learner = Brakes(self.tools), LimitLearner(self.tools)
        self.holds = HoldService(self.tools, self.brakes)

    async def begin(self, **settings: Any) -> None:
        """Rita's mailbox and one prospect in campaign c1, whose first stage is due."""
        async with self.store.write("T1") as uow:
            await add_prospect(uow)
            await uow.deliveries.add_many([make_delivery()])
            for key, value in {"alert_channel": "C0ALERTS", **settings}.items():
                await uow.settings.set(key, value, actor="U0ADA", at=NOW)

    async def wait_for(self, code: str) -> None:
        """The due stage is held back, as a claim does it."""
        async with self.store.write("T1") as uow:
            await uow.bulk.wait_for_campaign("c1", reason(code), actor="engine", at=NOW)

    async def waiting_for(self) -> str | None:
        async with self.store.read("T1") as uow:
            delivery = await uow.deliveries.get("d1")
        assert delivery is not None
        return delivery.waiting_for

    async def sent(self, mails: int, at: timedelta = timedelta()) -> None:
        moment = self.clock.now() + at
        places = (("mailbox_day", "mb1"), ("campaign_day", "c1"))
        counts = {(TrafficKey(*place), utc_day(moment)): mails for place in places}
        async with self.store.write("T1") as uow:
            await uow.traffic.add(counts | {(TrafficKey("mailbox", "mb1"), DAILY.span(moment)): mails})

    async def bounce(self, times: int = 1, mailbox_id: str | None = "mb1") -> None:
        for _ in range(times):
            async with self.store.write("T1") as uow:
                await self.brakes.bounced(uow, mailbox_id, "c1", self.clock.now())

    async def told(self, answer: str = TOO_MANY) -> None:
        async with self.store.write("T1") as uow:
            mailbox = await uow.mailboxes.get("mb1")
            assert mailbox is not None
            await self.learner.told(uow, mailbox, answer)

    async def cards(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        async with self.store.read("T1") as uow:
            items = await uow.outbox.keys_with_prefix(f"{kind}:")
        return [(item.destination, dict(item.facts)) for item in items]

    async def held(self) -> list[tuple[str, str, str]]:
        return [(one.kind, one.key, one.code) for one in await self.holds.list(ADA)]


@pytest.fixture
async def desk(store: SqlStore) -> Desk:
    return Desk(store)


async def test_an_admin_stops_everything_and_lets_it_go_on(desk: Desk) -> None:
    await desk.begin()
    with pytest.raises(NotAllowedError):
        await desk.holds.stop_everything(RITA)
    first = await desk.holds.stop_everything(ADA)
    desk.clock.pass_time(minutes=1)
    assert await desk.holds.stop_everything(ADA) == first
    await desk.wait_for("everything_stopped")
    assert (await desk.holds.left_today(ADA)).stopped
    with pytest.raises(NotAllowedError):
        await desk.holds.resume_everything(RITA)
    assert await desk.holds.resume_everything(ADA) == 1
    assert await desk.waiting_for() is None
    with pytest.raises(RefusedError):
        await desk.holds.resume_everything(ADA)


async def test_a_recruiters_follow_ups_wait_until_they_are_back(desk: Desk) -> None:
    await desk.begin()
    await desk.holds.away(RITA)
    await desk.holds.away(RITA, NOW + DAY)
    await desk.holds.away(OMAR)
    assert await desk.held() == [("owner", "U0OMAR", "owner_away"), ("owner", "U0RITA", "owner_away")]
    await desk.wait_for("owner_away")
    assert await desk.holds.back(RITA) == 1
    assert await desk.waiting_for() is None
    with pytest.raises(RefusedError):
        await desk.holds.back(RITA)
    with pytest.raises(NotAllowedError):
        await desk.holds.away(VERA)
    for wrong in (NOW, NOW + 400 * DAY):
        with pytest.raises(InputError):
            await desk.holds.away(RITA, wrong)


async def test_the_day_of_return_ends_it_by_itself(desk: Desk) -> None:
    await desk.begin()
    await desk.holds.away(RITA, NOW + DAY)
    await desk.wait_for("owner_away")
    worker = HoldWorker(desk.store, desk.holds, CampaignLife(desk.tools))
    assert await worker.look() == 0
    desk.clock.pass_time(days=1)
    assert await worker.look() == 1
    assert await desk.held() == []
    assert await desk.waiting_for() is None


async def test_too_many_bounces_stop_mailbox_and_campaign_and_are_told_once(desk: Desk) -> None:
    await desk.begin(brake_sample=50)
    await desk.sent(60)
    await desk.bounce()
    assert await desk.held() == []
    await desk.bounce()
    assert await desk.held() == [("campaign", "c1", "campaign_brake"), ("mailbox", "mb1", "mailbox_brake")]
    await desk.bounce()
    cards = await desk.cards("brake")
    assert sorted((where, facts["scope"], facts["name"]) for where, facts in cards) == [
        ("C0ALERTS", "campaign", "Backend engineers"),
        ("C0ALERTS", "mailbox", "rita@agency.test"),
        ("user:U0RITA", "campaign", "Backend engineers"),
        ("user:U0RITA", "mailbox", "rita@agency.test"),
    ]
    assert {(facts["state"], facts["bounced"], facts["sent"]) for _, facts in cards} == {("braked", 2, 60)}


async def test_only_bounces_of_the_last_days_count(desk: Desk) -> None:
    await desk.begin(brake_sample=10, brake_days=2)
    await desk.sent(20)
    desk.clock.pass_time(days=2)
    await desk.bounce(3)
    assert await desk.held() == []
    await desk.sent(20)
    await desk.bounce()
    assert len(await desk.held()) == 2


async def test_mails_refused_at_once_count_as_sent_and_as_bounced(desk: Desk) -> None:
    """Their places were given back: without them a campaign of bad addresses would never reach the sample."""
    await desk.begin(brake_sample=10)
    await desk.sent(6)
    for refused in range(4):
        assert await desk.held() == [], refused
        async with desk.store.write("T1") as uow:
            await desk.brakes.bounced(uow, "mb1", "c1", desk.clock.now(), at_once=True)
    assert len(await desk.held()) == 2
    assert {(facts["bounced"], facts["sent"]) for _, facts in await desk.cards("brake")} == {(4, 10)}


async def test_a_brake_is_lifted_by_its_owner_and_its_bounces_are_forgiven(desk: Desk) -> None:
    await desk.begin(brake_sample=50, brake_campaign_percent=0)
    await desk.sent(100)
    await desk.bounce(2)
    await desk.wait_for("mailbox_brake")
    for who in (OMAR, VERA):
        with pytest.raises(NotAllowedError):
            await desk.holds.lift_brake(who, "mailbox", "mb1")
    assert await desk.holds.lift_brake(RITA, "mailbox", "mb1") == 1
    assert await desk.waiting_for() is None
    assert {(facts["state"], facts["actor"]) for _, facts in await desk.cards("brake")} == {("lifted", "U0RITA")}
    with pytest.raises(RefusedError):
        await desk.holds.lift_brake(ADA, "mailbox", "mb1")
    await desk.bounce()
    assert await desk.held() == []
    await desk.bounce()
    assert await desk.held() == [("mailbox", "mb1", "mailbox_brake")]
    assert {facts["state"] for _, facts in await desk.cards("brake")} == {"braked"}
    assert len(await desk.cards("brake")) == 2


async def test_a_day_later_a_new_brake_has_a_card_of_its_own(desk: Desk) -> None:
    await desk.begin(brake_sample=50, brake_campaign_percent=0)
    await desk.sent(100)
    await desk.bounce(2)
    await desk.holds.lift_brake(ADA, "mailbox", "mb1")
    desk.clock.pass_time(days=1)
    await desk.bounce(2)
    states = [facts["state"] for _, facts in await desk.cards("brake")]
    assert states == ["lifted", "lifted", "braked", "braked"]


@pytest.mark.parametrize(("scope", "name"), [("mailbox", "mb9"), ("campaign", "c9"), ("person", "p1")])
async def test_a_brake_of_nothing_is_not_found(desk: Desk, scope: str, name: str) -> None:
    with pytest.raises(NotFoundError):
        await desk.holds.lift_brake(ADA, scope, name)


async def test_a_campaigns_brake_is_its_owners(desk: Desk) -> None:
    await desk.begin()
    async with desk.store.write("T1") as uow:
        await uow.holds.put(Hold("campaign", "c1", "campaign_brake", "rethread", NOW))
    with pytest.raises(NotAllowedError):
        await desk.holds.lift_brake(OMAR, "campaign", "c1")
    assert await desk.holds.lift_brake(RITA, "campaign", "c1") == 0


async def test_a_host_that_says_too_many_halves_what_goes_and_is_told_once(desk: Desk) -> None:
    await desk.begin()
    await desk.sent(80)
    await desk.told()
    await desk.told()
    async with desk.store.read("T1") as uow:
        mailbox, caps = await uow.mailboxes.get("mb1"), await uow.holds.caps(NOW)
        prospect = await uow.enrollments.get("e1")
    assert mailbox is not None
    assert prospect is not None
    assert mailbox.next_send_at == NOW + REST
    assert (caps["mb1"].cap, caps["mb1"].until, caps["mb1"].raw) == (40, NOW + DAY, TOO_MANY)
    assert prospect.reason == reason("provider_limit")
    cards = await desk.cards("limit")
    assert [where for where, _ in cards] == ["C0ALERTS", "user:U0RITA"]
    assert cards[0][1] | {"raw": TOO_MANY, "went": 80, "cap": 40} == cards[0][1]
    desk.clock.pass_time(days=1)
    await desk.told()
    assert len(await desk.cards("limit")) == 4


async def test_too_fast_does_not_end_the_longer_rest_after_too_many(desk: Desk) -> None:
    """Mails that were under way are refused after the first; the card says until when it rests."""
    await desk.begin()
    await desk.told()
    desk.clock.pass_time(minutes=1)
    await desk.told(FAST)
    async with desk.store.read("T1") as uow:
        mailbox = await uow.mailboxes.get("mb1")
    assert mailbox is not None
    assert mailbox.next_send_at == NOW + REST
    assert {facts["next_at"] for _, facts in await desk.cards("limit")} == {iso(NOW + REST)}


async def test_a_host_that_says_too_fast_is_left_alone_for_a_while(desk: Desk) -> None:
    await desk.begin()
    await desk.sent(80)
    await desk.told(FAST)
    async with desk.store.read("T1") as uow:
        mailbox = await uow.mailboxes.get("mb1")
        assert await uow.holds.caps(NOW) == {}
    assert mailbox is not None
    assert mailbox.next_send_at == NOW + SHORT_REST
    assert {facts["cap"] for _, facts in await desk.cards("limit")} == {None}


async def test_a_cap_never_falls_below_one(desk: Desk) -> None:
    await desk.begin()
    await desk.told()
    async with desk.store.read("T1") as uow:
        assert (await uow.holds.caps(NOW))["mb1"].cap == 1


async def test_everybody_sees_what_is_left_today(desk: Desk) -> None:
    await desk.begin(mailbox_daily=60, daily_email_limit=100, mailbox_first_days=0)
    async with desk.store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@partner.test", owner="U0OMAR"))
        await uow.mailboxes.add(make_mailbox("mb3", address="off@agency.test", send=False))
        await uow.holds.put(Hold("mailbox", "mb2", "mailbox_brake", "rethread", NOW))
        mails = {TrafficKey("workspace", "mail"): 70, TrafficKey("mailbox", "mb1"): 60}
        await uow.traffic.add({(key, DAILY.span(NOW)): count for key, count in mails.items()})
    left = await desk.holds.left_today(ADA)
    assert (left.workspace.cap, left.workspace.used, left.workspace.left) == (100, 70, 30)
    assert left.day_ends == utc_day(NOW) + DAY
    rita, omar = left.mailboxes
    assert (rita.address, rita.limit.left, rita.stopped) == ("rita@agency.test", 0, None)
    assert rita.limit.next_at == DAILY.span(NOW) + DAILY.width + DAY
    assert "limit is 60" in rita.limit.binds
    assert (omar.limit.left, omar.limit.next_at, omar.stopped) == (60, NOW, "mailbox_brake")
    assert [one.address for one in (await desk.holds.left_today(OMAR)).mailboxes] == ["omar@partner.test"]


async def test_bounces_reported_by_mail_stop_the_mailbox_until_its_owner_lifts_the_brake(rig: Rig) -> None:
    """R124, from the reports themselves: two of 51 came back, the rest of the queue waits and says why."""
    await rig.open(brake_mailbox_percent=2, brake_campaign_percent=0, brake_sample=50)
    await rig.launch(51)
    while len(rig.provider.accepted) < 51:
        assert await rig.send_due()
    rig.provider.arrive(_reported(rig, 1))
    await rig.read_mail()
    assert await rig.cards("brake:") == []
    rig.provider.arrive(_reported(rig, 2))
    await rig.read_mail()
    assert {card.facts["state"] for card in await rig.cards("brake:")} == {"braked"}
    assert await rig.follow_up() == 0
    assert await rig.shows(3) == "Pending 2 mailbox_brake"
    (held,) = await _holds(rig).list(RITA)
    assert await _holds(rig).lift_brake(RITA, held.kind, held.key) > 0
    assert {card.facts["state"] for card in await rig.cards("brake:")} == {"lifted"}
    while len(rig.provider.accepted) < 51 + 49:
        assert await rig.send_due()


async def test_recipients_refused_at_once_count_and_are_not_written_to_again(rig: Rig) -> None:
    """The server that takes our mail knows them: the brake sees it as it sees a report, and the address is blocked."""
    await rig.open(brake_mailbox_percent=2, brake_campaign_percent=0, brake_sample=2)
    await rig.launch(3)
    nobody = ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)
    rig.provider.outcomes = [nobody, nobody]
    await rig.send_due()
    refused = [n for n in (1, 2, 3) if (await rig.shows(n)).startswith("Bounced")]
    assert len(refused) == 2
    assert [one.kind for one in await _holds(rig).list(RITA)] == ["mailbox"]
    async with rig.store.read("T1") as uow:
        blocked = await uow.suppressions.among([email_of(n) for n in (1, 2, 3)])
    assert {(key, hit.code) for key, hit in blocked.items()} == {(email_of(n), "bounced") for n in refused}


def _reported(rig: Rig, number: int) -> bytes:
    """The delivery report on the first mail to this person."""
    mine = next(raw for raw in rig.provider.accepted if f"<{email_of(number)}>".encode() in raw)
    return report(mine, number=number).replace(email_of(1).encode(), email_of(number).encode())


def _holds(rig: Rig) -> HoldService:
    return HoldService(rig.tools, Brakes(rig.tools))
