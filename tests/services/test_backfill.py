"""Old mail of an added address: looked for where the workspace wants it, logged once, and nothing else moves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Mailbox
from core.errors import ConnectionLostError
from core.ports.backfill import Backfill
from core.ports.mail import Credentials, MailboxClient
from core.ports.storage import Store
from core.services.backfill import BackfillService
from core.services.ingest import IngestService, MatchedBatch
from core.workers.backfill import BackfillWorker
from tests.services.rig import ADA, RITA, Rig, answer, email_of
from tests.services.test_matching_in_mailboxes import mail, rules_on_stream

NEW = "p1@work.example"


class StoredCredentials:
    """As stored: the rig's mailboxes have passwords."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, workspace: str, mailbox: Mailbox) -> Credentials:
        async with self._store.read(workspace) as uow:
            return await uow.mailboxes.credentials(mailbox.id)


def service(rig: Rig, ingest: IngestService | None = None) -> BackfillService:
    return BackfillService(rig.tools, rig.connector, StoredCredentials(rig.store), ingest or rig.sync.ingest)


class Watched(BackfillService):
    """Says when it looked, and when there was something to do."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.tools, rig.connector, StoredCredentials(rig.store), rig.sync.ingest)
        self.looked, self.found = asyncio.Event(), asyncio.Event()

    async def run_due(self, workspace: str) -> int:
        count = await super().run_due(workspace)
        self.looked.set()
        if count:
            self.found.set()
        return count


class Breaking(IngestService):
    """Its process ends with the second batch."""

    batches = 0

    async def store(self, client: MailboxClient, batch: MatchedBatch) -> int:
        self.batches += 1
        if self.batches > 1:
            raise asyncio.CancelledError
        return await super().store(client, batch)


async def with_old_mail(rig: Rig, *, backfill: str = "on", mails: int = 3) -> None:
    """A person, and mail from and to an address that is on nobody's profile yet, read a day ago."""
    await rig.open(backfill=backfill)
    await rig.import_people(1)
    for number in range(1, mails + 1):
        rig.provider.arrive(mail(NEW, number=number))
    rig.provider.arrive(mail("rita@agency.test", NEW, number=900), "Sent")
    rig.provider.arrive(mail(f"jo{NEW}", number=901))
    await rig.read_mail()
    rig.clock.pass_time(days=1)


async def searches(rig: Rig) -> list[Backfill]:
    async with rig.store.read("T1") as uow:
        return await uow.backfills.of([NEW])


async def checkpoints(rig: Rig) -> list[object]:
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        return [(one.name, one.uidnext, one.history_below) for one in await uow.folders.list(mailbox.id)]


async def test_switched_off_nothing_is_looked_for_and_the_answer_says_so(rig: Rig) -> None:
    """R80, R94: only later mail; also where all folders are read again from the start."""
    await with_old_mail(rig, backfill="off")
    added = await rig.people.add_address(RITA, email_of(1), NEW, "work")
    assert "old mail is not looked through" in added.old_mail
    assert await service(rig).run_due("T1") == 0
    for folder in rig.provider.folders.values():
        folder.renumber()
    await rig.read_mail()
    assert await rules_on_stream(rig) == []
    rig.provider.arrive(mail(NEW, number=50))
    await rig.read_mail()
    assert await rules_on_stream(rig) == ["exact_address"]


async def test_old_mail_of_an_added_address_comes_onto_the_stream_once(rig_on_both: Rig) -> None:
    """What came and what went, nothing of a longer address that holds this one, no checkpoint moved, no card."""
    rig = rig_on_both
    await with_old_mail(rig)
    before = await checkpoints(rig)
    added = await rig.people.add_address(RITA, email_of(1), NEW, "work")
    assert "is being looked for in one mailbox" in added.old_mail
    assert await service(rig).run_due("T1") == 1
    lines = [(one.direction, one.rule) for one in (await rig.people.show(ADA, NEW)).activities]
    assert sorted(lines) == [("in", "exact_address")] * 3 + [("out", "exact_address")]
    assert await checkpoints(rig) == before
    assert await rig.cards("reply:") == []
    assert await service(rig).run_due("T1") == 0
    async with rig.store.write("T1") as uow:
        (one,) = await uow.backfills.of([NEW])
        await uow.backfills.ask(NEW, NEW, [one.mailbox_id], rig.clock.now())
    await service(rig).run_due("T1")
    assert len(await rules_on_stream(rig)) == 4
    assert rig.connector.opened[-1].closed


async def test_what_became_of_the_search_is_said(rig: Rig) -> None:
    """On the profile and in the mailbox's log."""
    await with_old_mail(rig)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    await service(rig).run_due("T1")
    words = f"5 old mails of {NEW} were found, all were looked at, 4 stand on a profile."
    assert list((await rig.people.show(ADA, NEW)).old_mail) == [words]
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        assert (await uow.sync_log.list(mailbox.id))[0].raw == words


async def test_no_more_than_the_newest_two_thousand_mails_are_looked_at(rig: Rig) -> None:
    """And the rest is said to be left."""
    await with_old_mail(rig, mails=2_100)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    await service(rig).run_due("T1")
    (search,) = await searches(rig)
    assert (search.there, search.looked_at, search.done_at is not None) == (2_102, 2_000, True)
    (words,) = (await rig.people.show(ADA, NEW)).old_mail
    assert "the newest 2,000 were looked at" in words


async def test_an_old_answer_to_our_campaign_stops_it(rig: Rig) -> None:
    """It lay in a folder that was not read; it truly answers one of ours, so it counts."""
    await rig.open(backfill="on")
    await rig.launch()
    await rig.send_due()
    await rig.read_mail()
    rig.provider.arrive(answer(rig.provider.accepted[0], sender=NEW))
    rig.clock.pass_time(hours=1)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    await service(rig).run_due("T1")
    assert await rig.shows() == "Replied 2"
    assert len(await rig.cards("reply:")) == 2
    await rig.read_mail()
    assert (await rig.events()).count("reply") == 1


async def test_old_mail_that_answers_nothing_stops_nothing(rig: Rig) -> None:
    """A person under way in a campaign gets a second address with a past."""
    await rig.open(backfill="on")
    rig.provider.arrive(mail(NEW))
    await rig.read_mail()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    await service(rig).run_due("T1")
    assert await rig.shows() == "Active 2"
    assert await rig.cards("reply:") == []
    assert await rules_on_stream(rig) == ["exact_address"]


async def test_a_mailbox_in_trouble_is_asked_again_later(rig: Rig) -> None:
    """At growing intervals; after two days it is said that it could not be done."""
    await with_old_mail(rig)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    rig.provider.trouble = ConnectionLostError("gone", layer="imap")
    assert await service(rig).run_due("T1") == 1
    assert await service(rig).run_due("T1") == 0
    (search,) = await searches(rig)
    assert (search.tries, search.not_before - rig.clock.now()) == (1, timedelta(minutes=2))
    rig.provider.trouble = None
    rig.clock.pass_time(minutes=3)
    await service(rig).run_due("T1")
    assert len(await rules_on_stream(rig)) == 4


async def test_what_never_works_ends_and_is_said(rig: Rig) -> None:
    await with_old_mail(rig)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    rig.provider.trouble = ConnectionLostError("gone", layer="imap")
    for _ in range(48):
        await service(rig).run_due("T1")
        rig.clock.pass_time(hours=1)
    (search,) = await searches(rig)
    assert search.done_at is not None
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        assert "could not be looked for" in (await uow.sync_log.list(mailbox.id))[0].raw


async def test_a_search_that_broke_off_begins_again(rig: Rig) -> None:
    """The process ends in the middle: what was logged is logged once, and the rest follows."""
    await with_old_mail(rig)
    await rig.people.add_address(RITA, email_of(1), NEW, "work")
    breaking = Breaking(rig.tools, rig.sync.ingest.answers.progress, rig.outreach)
    with pytest.raises(asyncio.CancelledError):
        await service(rig, breaking).run_due("T1")
    assert 0 < len(await rules_on_stream(rig)) < 4
    assert await service(rig).run_due("T1") == 1
    assert len(await rules_on_stream(rig)) == 4


async def test_the_worker_wakes_up_where_somebody_adds_an_address(rig: Rig) -> None:
    """Without waiting for its next look."""
    await with_old_mail(rig)
    stop, watched = asyncio.Event(), Watched(rig)
    running = asyncio.create_task(BackfillWorker(rig.store, watched).run(stop))
    async with asyncio.timeout(30):
        await watched.looked.wait()
        await rig.people.add_address(RITA, email_of(1), NEW, "work")
        await watched.found.wait()
    stop.set()
    await running
    assert len(await rules_on_stream(rig)) == 4
