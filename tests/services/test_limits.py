"""What one claim may take: which limit holds back, until when, and what is stored of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.account import Mailbox
from core.domain.limits import DAILY, DAY, MINUTE, utc_day
from core.domain.preflight import HoldBack, Refuse, Throttle
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import DueDelivery, Hold, LearnedCap, TrafficKey
from core.services.limit_books import forget_old
from core.services.limits import LONGEST_REST, Allowance, LimitKeeper, give_back
from storage.sql_store import SqlStore
from tests.fakes.limits import Desk, due_mail
from tests.stores import NOW, make_campaign, make_mailbox

RITA = make_mailbox()
OMAR = make_mailbox("mb2", address="omar@agency.test", owner="U0OMAR", provider="microsoft")
CAMPAIGN = make_campaign()
GROWN: dict[str, Any] = {"mailbox_first_days": 0}


async def opened(
    desk: Desk, due: list[DueDelivery], now: datetime = NOW, keeper: LimitKeeper | None = None, **settings: Any
) -> Allowance:
    in_force = WorkspaceSettings({**GROWN, **settings})
    return await (keeper or LimitKeeper()).open(desk.uow, in_force, now, due, {CAMPAIGN.id: CAMPAIGN})


def asked(allowance: Allowance, due: DueDelivery, kind: str = "email") -> object:
    """The verdict; what may go is taken."""
    recipient = due.delivery.recipient or ""
    verdict = allowance.ask(due, CAMPAIGN, kind, recipient)
    if verdict is None:
        allowance.take(due, CAMPAIGN, kind, recipient)
    return verdict


async def claimed(desk: Desk, mailbox: Mailbox, mails: int, now: datetime = NOW, **settings: Any) -> list[object]:
    """One claim of so many mails: its verdicts, after it was closed."""
    due = [due_mail(mailbox) for _ in range(mails)]
    allowance = await opened(desk, due, now, **settings)
    verdicts = [asked(allowance, one) for one in due]
    await allowance.close(desk.uow)
    return verdicts


def code(verdict: object) -> str | None:
    return verdict.reason.code if isinstance(verdict, HoldBack | Refuse | Throttle) else None


async def test_a_mailbox_without_room_rests_and_its_queue_shows_why() -> None:
    desk = Desk([RITA])
    verdicts = await claimed(desk, RITA, 4, mailbox_daily=3)
    assert [code(one) for one in verdicts] == [None, None, None, "mailbox_limit"]
    last = verdicts[-1]
    assert isinstance(last, Throttle)
    assert last.until == DAILY.span(NOW) + DAILY.width + DAY
    assert "limit is 3" in last.reason.text
    assert desk.mailboxes.rests == {"mb1": NOW + LONGEST_REST}
    assert [(name, why.code) for name, why in desk.bulk.waiting] == [("mb1", "mailbox_limit")]
    assert [code(one) for one in await claimed(desk, RITA, 1, last.until, mailbox_daily=3)] == [None]


async def test_two_claims_never_take_the_same_place() -> None:
    desk = Desk([RITA])
    first = await claimed(desk, RITA, 2, mailbox_daily=3)
    second = await claimed(desk, RITA, 2, mailbox_daily=3)
    assert [code(one) for one in first + second] == [None, None, None, "mailbox_limit"]
    assert desk.traffic.locked


async def test_beyond_the_workspaces_day_mails_fail_until_midnight() -> None:
    """Only a person retries them (R123); the next day begins at the workspace's midnight."""
    desk = Desk([RITA])
    limits: dict[str, Any] = {"daily_email_limit": 2, "workspace_zone": "Europe/Berlin"}
    verdicts = await claimed(desk, RITA, 3, **limits)
    assert [code(one) for one in verdicts] == [None, None, "email_limit"]
    assert isinstance(verdicts[-1], Refuse)
    midnight = datetime(2026, 9, 1, 22, tzinfo=UTC)
    just_before = await claimed(desk, RITA, 1, midnight - timedelta(microseconds=1), **limits)
    assert [code(one) for one in just_before] == ["email_limit"]
    assert [code(one) for one in await claimed(desk, RITA, 2, midnight, **limits)] == [None, None]


async def test_what_a_mailbox_cannot_send_anyway_waits_and_does_not_fail() -> None:
    desk = Desk([RITA])
    verdicts = await claimed(desk, RITA, 2, daily_email_limit=1, mailbox_daily=1)
    assert [code(one) for one in verdicts] == [None, "mailbox_limit"]


async def test_the_hosts_table_and_the_workspaces_own_numbers_bind_by_provider() -> None:
    """R77: which of the two limits it was."""
    desk = Desk([OMAR])
    verdicts = await claimed(desk, OMAR, 3, provider_caps=["microsoft=2"])
    assert isinstance(verdicts[-1], Throttle)
    assert "Microsoft takes 2" in verdicts[-1].reason.text
    gmail = make_mailbox("mb3", address="rita@gmail.com", provider="google")
    verdicts = await claimed(Desk([gmail]), gmail, 501, mailbox_daily=1_000)
    assert [code(one) for one in verdicts[499:]] == [None, "mailbox_limit"]


async def test_a_host_takes_so_many_a_minute() -> None:
    desk = Desk([OMAR])
    verdicts = await claimed(desk, OMAR, 31)
    assert [code(one) for one in verdicts[29:]] == [None, "minute_limit"]
    last = verdicts[-1]
    assert isinstance(last, Throttle)
    assert last.until == MINUTE.span(NOW) + MINUTE.width + MINUTE.length
    assert desk.mailboxes.rests == {"mb2": last.until}
    assert desk.bulk.waiting == []
    too_early = await claimed(desk, OMAR, 1, last.until - timedelta(microseconds=1))
    assert [code(one) for one in too_early] == ["minute_limit"]
    assert [code(one) for one in await claimed(desk, OMAR, 30, last.until)] == [None] * 30


async def test_a_new_mailbox_warms_up_and_a_domain_with_it() -> None:
    """Two colleagues may each send fifty; their domain grows by a tenth of its best day."""
    colleague = make_mailbox("mb9", address="ola@agency.test")
    desk = Desk([RITA, colleague])
    days: dict[str, Any] = {"mailbox_first_days": 7}
    assert [code(one) for one in (await claimed(desk, RITA, 51, **days))[49:]] == [None, "mailbox_limit"]
    assert [code(one) for one in (await claimed(desk, colleague, 51, **days))[49:]] == [None, "mailbox_limit"]
    for n in range(1, 9):
        for name, volume in (("mb1", 100 if n == 1 else 20), ("mb9", 100 if n == 2 else 20)):
            desk.traffic.rows[TrafficKey("mailbox_day", name), utc_day(NOW) - DAY * n] = volume
        desk.traffic.rows[TrafficKey("domain_day", "agency.test"), utc_day(NOW) - DAY * n] = 120 if n < 3 else 40
    later = NOW + timedelta(minutes=1)
    limited = await claimed(desk, RITA, 40, later, **days)
    assert [code(one) for one in limited[31:33]] == [None, "domain_limit"]


async def test_a_lowered_cap_binds_until_it_ends() -> None:
    desk = Desk([RITA])
    desk.holds.lowered["mb1"] = LearnedCap("mb1", 1, NOW, NOW + DAY / 2, "own_limit", "550 5.4.5")
    verdicts = await claimed(desk, RITA, 2)
    assert [code(one) for one in verdicts] == [None, "provider_limit"]
    assert isinstance(verdicts[-1], Throttle)
    assert verdicts[-1].until == NOW + DAY / 2
    assert [code(one) for one in await claimed(desk, RITA, 2, NOW + DAY / 2)] == [None, None]


async def test_one_company_gets_so_many_and_free_mail_is_no_company() -> None:
    desk = Desk([RITA])
    due = [
        due_mail(RITA, f"p{n}@{domain}")
        for n in range(2)
        for domain in ("initech.example", "gmail.com", "hooli.example")
    ]
    allowance = await opened(desk, due, company_daily=1, free_mail_domains=["Hooli.example"])
    assert [code(asked(allowance, one)) for one in due] == [None, None, None, "company_limit", None, None]
    assert allowance.rests == {}


async def test_first_mails_of_a_campaign_have_a_limit_and_follow_ups_none() -> None:
    desk = Desk([RITA])
    due = [due_mail(RITA), due_mail(RITA), due_mail(RITA, stage=2)]
    allowance = await opened(desk, due, first_mails_daily=1)
    assert [code(asked(allowance, one)) for one in due] == [None, "first_mails_limit", None]


async def test_a_limit_that_is_set_later_knows_of_the_day_before() -> None:
    desk = Desk([RITA])
    await claimed(desk, RITA, 3)
    verdicts = await claimed(desk, RITA, 1, company_daily=3)
    assert [code(one) for one in verdicts] == ["company_limit"]
    assert [code(one) for one in await claimed(desk, RITA, 1, first_mails_daily=3)] == ["first_mails_limit"]


async def test_texts_have_a_limit_of_their_own() -> None:
    desk = Desk([])
    due = [due_mail(None, kind="sms") for _ in range(3)]
    allowance = await opened(desk, due, sms_daily=2, daily_email_limit=1)
    assert [code(asked(allowance, one, "sms")) for one in due] == [None, None, "sms_limit"]
    await allowance.close(desk.uow)
    assert desk.traffic.rows == {(TrafficKey("workspace", "sms"), DAILY.span(NOW)): 2}
    assert allowance.ask(due_mail(None, kind="call"), CAMPAIGN, "call", None) is None


@pytest.mark.parametrize(
    ("hold", "first", "follow_up", "text"),
    [
        (Hold("workspace", "", "everything_stopped", "U0ADA", NOW), True, True, True),
        (Hold("mailbox", "mb1", "mailbox_brake", "rethread", NOW), True, True, False),
        (Hold("campaign", "c1", "campaign_brake", "rethread", NOW), True, True, True),
        (Hold("owner", "U0RITA", "owner_away", "U0RITA", NOW), False, True, False),
        (Hold("owner", "U0OMAR", "owner_away", "U0OMAR", NOW), False, False, False),
        (Hold("mailbox", "mb2", "mailbox_brake", "rethread", NOW), False, False, False),
        (Hold("campaign", "c2", "campaign_brake", "rethread", NOW), False, False, False),
        (Hold("workspace", "", "everything_stopped", "U0ADA", NOW, NOW), False, False, False),
    ],
)
async def test_a_hold_keeps_back_what_it_is_about_until_it_ends(
    hold: Hold, first: bool, follow_up: bool, text: bool
) -> None:
    desk = Desk([RITA])
    desk.holds.rows.append(hold)
    due = [due_mail(RITA), due_mail(RITA, stage=2), due_mail(None, kind="sms")]
    allowance = await opened(desk, due)
    verdicts = [asked(allowance, one, one.delivery.kind) for one in due]
    assert [isinstance(one, HoldBack) for one in verdicts] == [first, follow_up, text]
    assert {code(one) for one in verdicts} <= {None, hold.code}


async def test_a_mail_that_certainly_did_not_go_gives_its_place_back() -> None:
    desk = Desk([RITA])
    await claimed(desk, RITA, 2, mailbox_daily=2)
    sent = due_mail(RITA, claimed_at=NOW).delivery
    text = due_mail(None, kind="sms", claimed_at=NOW).delivery
    await give_back(desk.uow, [(sent, RITA), (text, None), (due_mail(RITA).delivery, RITA)])
    assert set(desk.traffic.rows.values()) == {1, -1}
    assert desk.traffic.rows[TrafficKey("workspace", "sms"), DAILY.span(NOW)] == -1
    later = NOW + timedelta(hours=2)
    assert [code(one) for one in await claimed(desk, RITA, 2, later, mailbox_daily=2)] == [None, "mailbox_limit"]


async def test_a_sender_that_was_found_after_the_counts_were_read_is_asked_for_again() -> None:
    allowance = await opened(Desk([RITA]), [due_mail(None)])
    verdict = allowance.ask(due_mail(RITA), CAMPAIGN, "email", "cleo@initech.example")
    assert isinstance(verdict, Throttle)
    assert verdict.until == NOW


async def test_the_number_of_questions_does_not_grow_with_what_is_due() -> None:
    asked_for = []
    for size in (1, 40):
        boxes = [make_mailbox(f"mb{n}", address=f"r{n}@agency{n}.test", provider="microsoft") for n in range(size)]
        desk, keeper = Desk(boxes), LimitKeeper()
        due = [due_mail(box, f"p{n}@c{n}.example") for n, box in enumerate(boxes)]
        allowance = await opened(desk, due, keeper=keeper, company_daily=5, first_mails_daily=500)
        assert [code(asked(allowance, one)) for one in due] == [None] * size
        await allowance.close(desk.uow)
        asked_for.append(desk.traffic.questions)
    assert asked_for == [4, 4]


async def test_processes_that_claim_at_once_share_the_places_on_a_real_database(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        for box in (RITA, OMAR):
            await uow.mailboxes.add(box)
    limits = WorkspaceSettings({**GROWN, "mailbox_daily": 7, "daily_email_limit": 9})

    async def process(mailbox: Mailbox) -> int:
        due, keeper = [due_mail(mailbox) for _ in range(3)], LimitKeeper()
        async with store.write("T1") as uow:
            allowance = await keeper.open(uow, limits, NOW, due, {CAMPAIGN.id: CAMPAIGN})
            went = [asked(allowance, one) for one in due].count(None)
            await allowance.close(uow)
        return went

    async with asyncio.timeout(30):
        taken = await asyncio.gather(*(process(box) for box in (RITA, OMAR, RITA, OMAR, RITA, OMAR)))
    assert sum(taken) == 9
    assert sum(taken[::2]) <= 7
    async with store.write("T1") as uow:
        await give_back(uow, [(due_mail(RITA, claimed_at=NOW).delivery, RITA)])
    assert await process(OMAR if sum(taken[1::2]) < 7 else RITA) == 1


async def test_counts_are_kept_as_long_as_something_looks_at_them(store: SqlStore) -> None:
    scopes = ("workspace", "mailbox", "company", "minute", "mailbox_day", "bounced")
    ages = {"now": timedelta(), "hours": timedelta(hours=2), "days": timedelta(days=4), "months": timedelta(days=50)}
    async with store.write("T1") as uow:
        await uow.traffic.add({(TrafficKey(scope, "mb1"), NOW - age): 1 for scope in scopes for age in ages.values()})
        await forget_old(uow, NOW)
        left = await uow.traffic.spans([TrafficKey(scope, "mb1") for scope in scopes], NOW - timedelta(days=99))
    kept = {key.scope: len(spans) for key, spans in left.items()}
    assert kept == {"workspace": 2, "mailbox": 2, "company": 2, "minute": 1, "mailbox_day": 3, "bounced": 3}
