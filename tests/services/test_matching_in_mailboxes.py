"""The rules of matching as a workspace sees them: what stands on streams, what is only counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from core.domain.message import FetchedMessage
from core.ports.storage import Canary
from core.services.ingest import FolderJob
from tests.services.rig import ADA, RITA, Rig, answer, email_of
from tests.stores import SteadyClock


def mail(sender: str, to: str = "rita@agency.test", *, number: int = 1, headers: tuple[str, ...] = ()) -> bytes:
    lines = [
        *(f"From: {sender}", f"To: {to}", "Subject: Hello", f"Message-ID: <hello-{number}@{sender.partition('@')[2]}>"),
        *("Date: Tue, 01 Sep 2026 09:30:00 +0000", *headers, "", "Hi there.", ""),
    ]
    return "\r\n".join(lines).encode()


async def with_person(rig: Rig, address: str = email_of(1), **settings: Any) -> None:
    await rig.open(**settings)
    await rig.people.import_csv(RITA, f"first_name,personal_email\nP,{address}\n".encode())


async def rules_on_stream(rig: Rig, address: str = email_of(1)) -> list[str]:
    return sorted(line.rule for line in (await rig.people.show(ADA, address)).activities)


async def counts(rig: Rig) -> tuple[int, int]:
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        return (await uow.messages.seen_counts([mailbox.id]))[mailbox.id]


async def test_a_variant_is_matched_where_the_workspace_wants_it_and_the_rule_is_said(rig_on_both: Rig) -> None:
    """R87, R209, R210: from the next batch on, without a restart."""
    rig = rig_on_both
    await with_person(rig, "maya.lind@gmail.com")
    rig.provider.arrive(mail("mayalind@gmail.com"))
    await rig.read_mail()
    assert await rules_on_stream(rig, "maya.lind@gmail.com") == []
    await rig.settings.set(ADA, "match_exactness", "normalised")
    rig.provider.arrive(mail("mayalind+x@gmail.com", number=2))
    rig.provider.arrive(mail("maya.lind@gmail.com", number=3))
    await rig.read_mail()
    assert await rules_on_stream(rig, "maya.lind@gmail.com") == ["exact_address", "normalised_address"]


async def test_only_the_primary_address_where_the_workspace_wants_it(rig: Rig) -> None:
    """R95(1); where the primary one is taken away, the next takes its place."""
    await with_person(rig, match_addresses="primary")
    await rig.people.add_address(RITA, email_of(1), "p1@work.example", "work")
    rig.provider.arrive(mail("p1@work.example"))
    rig.provider.arrive(mail(email_of(1)))
    await rig.read_mail()
    assert await rules_on_stream(rig) == ["primary_address"]
    await rig.people.remove_address(RITA, "p1@work.example", email_of(1))
    rig.provider.arrive(mail("p1@work.example", number=2))
    await rig.read_mail()
    assert await rules_on_stream(rig, "p1@work.example") == ["primary_address", "primary_address"]


@pytest.mark.parametrize(("setting", "lines"), [("skip", 0), ("log", 1)])
async def test_mail_between_colleagues(rig: Rig, setting: str, lines: int) -> None:
    """R73, R224: a colleague with a profile writes to a colleague."""
    await with_person(rig, "vera@agency.test", internal_mail=setting)
    rig.provider.arrive(mail("vera@agency.test"))
    await rig.read_mail()
    assert len(await rules_on_stream(rig, "vera@agency.test")) == lines


async def test_a_colleagues_answer_to_a_campaign_counts(rig: Rig) -> None:
    """In-house or not: whoever is mailed by a campaign and answers is Replied."""
    await rig.open()
    await rig.launch()
    await rig.people.add_address(RITA, email_of(1), "vera@agency.test", "work")
    await rig.send_due()
    rig.provider.arrive(answer(rig.provider.accepted[0], sender="vera@agency.test"))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"


@pytest.mark.parametrize(("setting", "lines"), [("log", 1), ("skip", 0)])
async def test_mail_older_than_the_profile(rig: Rig, setting: str, lines: int) -> None:
    """R95(2), R212: what lay in the mailbox before anybody imported the person."""
    rig.provider.arrive(mail(email_of(1)))
    rig.clock.pass_time(hours=5)
    await rig.settings.seed("T1", {"mail_before_profile": setting})
    await rig.people.import_csv(RITA, f"first_name,personal_email\nP,{email_of(1)}\n".encode())
    await rig.open()
    await rig.read_mail()
    assert len(await rules_on_stream(rig)) == lines


async def test_mail_is_counted_as_matched_or_as_nobodys(rig_on_both: Rig) -> None:
    """R81: reading again counts nothing twice, and what is matched later moves over."""
    rig = rig_on_both
    await with_person(rig)
    assert await counts(rig) == (0, 0)
    for number, sender in enumerate((email_of(1), "a@nowhere.example", "b@nowhere.example", "ann@later.example"), 1):
        rig.provider.arrive(mail(sender, number=number))
    await rig.read_mail()
    await rig.read_mail()
    assert await counts(rig) == (1, 3)


async def test_a_check_mail_of_ours_stands_on_no_stream(rig: Rig) -> None:
    """X6: it proves that mail arrives, and is nothing else; also where the provider gave it another Message-ID."""
    await rig.open()
    await rig.connect("omar@agency.test", ADA, owner="U0OMAR")
    await rig.people.import_csv(RITA, b"first_name,work_email\nO,omar@agency.test\n")
    rita = (await rig.mailboxes.find(ADA, "rita@agency.test")).id
    omar = (await rig.mailboxes.find(ADA, "omar@agency.test")).id
    await rig.settings.set(ADA, "internal_mail", "log")
    async with rig.store.write("T1") as uow:
        for number in (1, 2):
            check = Canary(f"c{number}", omar, rita, f"rethread-canary.{number}@agency.test", rig.clock.now())
            await uow.canaries.add(check)
    first = mail("omar@agency.test").replace(b"<hello-1@agency.test>", b"<rethread-canary.1@agency.test>")
    replaced = mail("omar@agency.test", number=2, headers=("X-Rethread-Canary: rethread-canary.2@agency.test",))
    rig.provider.arrive(first)
    rig.provider.arrive(replaced)
    await rig.read_mail()
    async with rig.store.read("T1") as uow:
        seen = await uow.canaries.latest(omar)
        assert seen is not None
        assert seen.seen_at == rig.clock.now()
    async with rig.store.write("T1") as uow:
        marked = [f"rethread-canary.{number}@agency.test" for number in (1, 2)]
        assert await uow.canaries.seen(marked, rita, rig.clock.now()) == 0
    assert await rules_on_stream(rig, "omar@agency.test") == []


async def test_a_stranger_cannot_hide_an_answer_behind_the_mark_of_a_check_mail(rig: Rig) -> None:
    """The header field counts on our own mail only."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.provider.arrive(answer(rig.provider.accepted[0], headers=["X-Rethread-Canary: x@y.example"]))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"


@pytest.mark.parametrize("exactness", ["exact", "normalised"])
async def test_a_batch_costs_the_same_number_of_questions_whatever_its_size(rig_on_both: Rig, exactness: str) -> None:
    """Two messages or two hundred, all of people we know."""
    rig = rig_on_both
    await rig.open(match_exactness=exactness)
    await rig.import_people(200)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        inbox = next(one for one in await uow.folders.list(mailbox.id) if one.name == "INBOX")
    job = FolderJob(mailbox, inbox, 1, 200, None, frozenset({"rita@agency.test"}))
    asked = []
    for size in (2, 200):
        batch = [fetched(number) for number in range(1, size + 1)]
        executed: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any, log: list[str] = executed) -> None:
            log.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            assert len((await rig.sync.ingest.match(job, batch)).matched) == size
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        asked.append(len(executed))
    assert asked[0] == asked[1] <= 5


def fetched(number: int) -> FetchedMessage:
    raw = mail(email_of(number), number=number, headers=(f"In-Reply-To: <{number}@agency.test>",))
    at = SteadyClock().now() + timedelta(minutes=number)
    return FetchedMessage(number, at, len(raw), frozenset(), raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
