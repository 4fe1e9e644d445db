"""The engine against servers that break: every message logged once on the right stream, nothing sent after a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from storage.sql_store import SqlStore
from tests.fakes.fault_imap import Deed, Fault, FaultImap, Lies, Profile, Wire
from tests.fakes.fault_imap_faults import POINTS
from tests.fakes.fault_imap_model import plain_mail
from tests.fakes.fault_imap_profiles import DOVECOT, EXCHANGE, PROFILES
from tests.services.fault_rig import PATIENT, SHORT, FaultRig
from tests.services.rig import answer, email_of, message_id

OLD = 3  # mails of each of two candidates that lie there from the start
OTHERS = 210  # and of people whom nobody knows: enough for more than one batch
SEARCHING = {"SEARCH", "SEARCH:tagged"}  # a session may come by without


def fill(server: FaultImap) -> None:
    inbox = server.box[server.profile.inbox]
    for number in range(OTHERS):
        inbox.add(plain_mail(9_000 + number, sender=f"stranger{number}@elsewhere.example"))
    for number in range(OLD):
        for person in (1, 2):
            inbox.add(plain_mail(100 * person + number, sender=email_of(person)))
    inbox.expunge(5)


def old_ids(person: int) -> list[str]:
    return [f"m{100 * person + number}@candidates.example" for number in range(OLD)]


async def sent_and_answered(world: FaultRig) -> tuple[str, str]:
    """A mail goes out to the first candidate and is filed; both candidates write, the first in answer. Returns the
    ids of the mail and of the answer."""
    rig, server = world.rig, world.server
    assert await rig.send_due() == 2
    raw = next(raw for raw in rig.provider.accepted if email_of(1).encode() in raw)
    server.box[server.profile.sent].add(raw)
    server.box[server.profile.inbox].add(answer(raw, number=1))
    server.box[server.profile.inbox].add(plain_mail(777, sender="stranger@elsewhere.example"))
    return message_id(raw).strip("<>"), "answer-1@candidates.example"


async def assert_a_campaign_survives(world: FaultRig, faults: Sequence[Fault] = ()) -> None:
    """Old mail, then a campaign whose first candidate answers; ``faults`` strike in both halves."""
    rig, server = world.rig, world.server
    await rig.import_people(2)
    server.faults = list(faults)
    await world.sync()
    assert await world.logged(1) == old_ids(1)
    assert await world.logged(2) == old_ids(2)
    await rig.launch(2)
    mail, reply = await sent_and_answered(world)
    server.passed.clear()
    await world.sync()
    assert await world.logged(1) == sorted([*old_ids(1), mail, reply])
    assert await world.replies(1) == OLD + 1
    assert await rig.shows(1) == "Replied 2"
    rig.clock.pass_time(hours=1)
    server.faults = []
    await world.sync()
    assert await rig.send_due() == 1  # the one who did not answer
    assert await rig.states(1) == ["1.1 sent", "2.1 cancelled"]


@pytest.mark.parametrize("deed", [Deed.STALL, Deed.DROP, Deed.HANG_UP, Deed.BYE])
async def test_breaks_at_every_point_in_turn_lose_and_double_nothing(sqlite_store: SqlStore, deed: Deed) -> None:
    """Each session gets one point further than the one before."""
    faults = [Fault(point, deed) for point in POINTS]
    async with FaultImap() as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server, SHORT if deed is Deed.STALL else PATIENT)
        await assert_a_campaign_survives(world, faults)
        assert {fault.at for fault in server.struck} >= set(POINTS) - SEARCHING


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
async def test_a_campaign_runs_on_every_provider(sqlite_store: SqlStore, profile: Profile) -> None:
    """GoDaddy's way with From and To is played by a case of its own."""
    profile = replace(profile, quirks=replace(profile.quirks, missing_fields=frozenset()))
    async with FaultImap(profile, wire=Wire(1_000, 3)) as server:
        fill(server)
        await assert_a_campaign_survives(await FaultRig.on(sqlite_store, server))


LIES = {
    "uidvalidity 0": Lies(uidvalidity=0),
    "no uidnext": Lies(uidnext=0),
    "more messages than there are": Lies(exists_more=500),
    "fewer messages than there are": Lies(exists_more=-3),
    "one message only": Lies(exists_more=-100_000),
    "a message far away": Lies(stranger=4_000_000_000),
    "a message twice": Lies(stranger=2),
    "a modseq that stands still": Lies(highestmodseq=1),
    "everything vanished": Lies(vanished="1:26183,26185"),
}


@pytest.mark.parametrize("lies", list(LIES.values()), ids=list(LIES))
async def test_a_campaign_runs_on_false_numbers(sqlite_store: SqlStore, lies: Lies) -> None:
    async with FaultImap(lies=lies) as server:
        fill(server)
        await assert_a_campaign_survives(await FaultRig.on(sqlite_store, server))


async def test_every_answer_said_twice_logs_nothing_twice(sqlite_store: SqlStore) -> None:
    profile = replace(DOVECOT, quirks=replace(DOVECOT.quirks, twice=True))
    async with FaultImap(profile) as server:
        fill(server)
        await assert_a_campaign_survives(await FaultRig.on(sqlite_store, server))


async def test_numbers_that_fell_and_rose_again_lose_nothing(sqlite_store: SqlStore) -> None:
    """UIDNEXT below what was read, for a while: mail that came meanwhile is found when the server knows it again."""
    async with FaultImap(lies=Lies(uidnext=3)) as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        await world.rig.import_people(2)
        await world.sync()
        server.lies = Lies()
        await world.sync()
        assert await world.logged(1) == old_ids(1)
        await world.rig.launch(2)
        server.lies = Lies(uidnext=3)
        mail, reply = await sent_and_answered(world)
        await world.sync()
        server.lies = Lies()
        await world.sync()
        assert await world.logged(1) == sorted([*old_ids(1), mail, reply])
        assert await world.rig.shows(1) == "Replied 2"


async def test_a_new_uidvalidity_amid_it_all_logs_nothing_twice(sqlite_store: SqlStore) -> None:
    async with FaultImap() as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        await world.rig.import_people(2)
        await world.sync()
        await world.rig.launch(2)
        mail, reply = await sent_and_answered(world)
        for folder in server.box.folders.values():
            folder.renumber()
        await world.sync()
        assert await world.logged(1) == sorted([*old_ids(1), mail, reply])
        assert await world.rig.shows(1) == "Replied 2"
        for folder in server.box.folders.values():
            folder.renumber()
            folder.rebuild_index()
        await world.sync()
        assert await world.logged(1) == sorted([*old_ids(1), mail, reply])


async def test_what_the_server_expunges_stays_in_the_log(sqlite_store: SqlStore) -> None:
    async with FaultImap() as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        await world.rig.import_people(2)
        await world.sync()
        for uid in server.box["INBOX"].uids:
            server.box["INBOX"].expunge(uid)
        await world.sync()
        assert await world.logged(1) == old_ids(1)


async def test_a_refused_side_folder_keeps_the_inbox_going(sqlite_store: SqlStore) -> None:
    """Junk fails at every look; the answer in the inbox is still found."""
    async with FaultImap(EXCHANGE) as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        del server.box.folders["Junk-E-Mail"]
        await assert_a_campaign_survives(world)


async def test_a_mail_whose_header_hides_from_and_to_ends_nothing(sqlite_store: SqlStore) -> None:
    """Some hosts leave both out (R74): the answer stands on the stream of whom it answers, by the id that it names, and
    stops what would follow."""
    profile = replace(DOVECOT, quirks=replace(DOVECOT.quirks, missing_fields=frozenset({"FROM", "TO"})))
    async with FaultImap() as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        await world.rig.import_people(2)
        await world.sync()
        await world.rig.launch(2)
        server.profile = profile
        _, reply = await sent_and_answered(world)
        await world.sync()
        assert (await world.logged(1)).count(reply) == 1
        assert await world.rig.shows(1) == "Replied 2"
