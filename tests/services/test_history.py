"""Old mail is read in the background, newest first, behind what arrives; nothing is lost, doubled or sent too early."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.account import MailboxStatus
from core.errors import ServerRefusedError
from storage.sql_store import SqlStore
from tests.fakes.fault_imap import FaultImap, Lies
from tests.services.fault_rig import FaultRig
from tests.services.held_session import folder, held, logged, ritas, written
from tests.services.rig import ADA, RITA, SETTINGS, Rig, answer
from tests.services.test_sync_faults import assert_a_campaign_survives, fill, old_ids, sent_and_answered
from tests.stores import NOW

DAY = timedelta(days=1)


async def old_mailbox(rig: Rig, mails: int = 6, **settings: int) -> None:
    """Rita's mailbox, not read yet; so many mails of the first candidate lie in the inbox, one of each day before."""
    rig.provider.batch = 2
    for number in range(1, mails + 1):
        rig.provider.folders["INBOX"].add(written(number), NOW - (mails + 1 - number) * DAY)
    await rig.settings.seed("T1", {**SETTINGS, **settings})
    await rig.import_people(1)
    await rig.connect()


def ids(*numbers: int) -> list[str]:
    return [f"w{number}@candidates.example" for number in numbers]


async def test_old_mail_is_read_newest_first_and_a_crash_in_the_middle_repeats_nothing(rig: Rig) -> None:
    """R10, R11: grey while it lasts, green by itself; the mark moves with each batch."""
    await old_mailbox(rig)
    rig.provider.batches_left = 1
    await rig.read_mail()
    assert await logged(rig) == ids(5, 6)
    assert ((await ritas(rig)).status, (await ritas(rig)).light) == (MailboxStatus.HISTORICAL, "grey")
    assert (await folder(rig, "INBOX")).history_left == 4
    rig.provider.batches_left = None
    await rig.read_mail()
    assert [uid for _, uid in rig.provider.read] == [6, 5, 4, 3, 2, 1]
    assert await logged(rig) == ids(1, 2, 3, 4, 5, 6)
    assert (await ritas(rig)).light == "green"


async def test_a_grey_mailbox_sends(rig: Rig) -> None:
    """R10, R126: the address is available while history is read."""
    await old_mailbox(rig)
    rig.provider.batches_left = 1
    await rig.read_mail()
    await rig.launch()
    assert await rig.send_due() == 1


async def test_new_mail_is_read_before_the_rest_of_history(rig: Rig) -> None:
    await old_mailbox(rig)
    rig.provider.batches_left = 1
    await rig.read_mail()
    rig.provider.arrive(written(7))
    rig.provider.batches_left = None
    await rig.read_mail()
    assert [uid for _, uid in rig.provider.read] == [6, 5, 7, 4, 3, 2, 1]
    assert await logged(rig) == ids(1, 2, 3, 4, 5, 6, 7)


async def test_history_ends_where_the_workspace_wants_it(rig: Rig) -> None:
    await old_mailbox(rig, mails=9, history_days=4)
    await rig.read_mail()
    assert await logged(rig) == ids(6, 7, 8, 9)
    assert (await ritas(rig)).light == "green"


async def test_without_history_only_what_comes_is_read(rig: Rig) -> None:
    await old_mailbox(rig, history_days=0)
    await rig.read_mail()
    rig.provider.arrive(written(7))
    await rig.read_mail()
    assert await logged(rig) == ids(7)


async def test_one_old_mail_among_the_newest_does_not_end_history(rig: Rig) -> None:
    """Somebody moved it here yesterday: its date is that of its first arrival."""
    await old_mailbox(rig, history_days=30)
    rig.provider.folders["INBOX"].add(written(7), NOW - 400 * DAY)
    await rig.read_mail()
    assert await logged(rig) == ids(1, 2, 3, 4, 5, 6)


async def test_the_first_mail_of_an_empty_folder_is_no_history(rig: Rig) -> None:
    """The light stays green: it is read as what it is, new."""
    await rig.open()
    await rig.import_people(1)
    rig.provider.arrive(written(1))
    async with held(rig):
        assert (await ritas(rig)).light == "green"
    assert await logged(rig) == ids(1)
    assert (await folder(rig, "INBOX")).history_below is None


async def test_what_went_out_is_looked_through_before_what_came_in(rig: Rig) -> None:
    """Sent tells under which ids our own mail went out: a first look there, then into the inbox."""
    await old_mailbox(rig)
    for number in (11, 12, 13):
        rig.provider.folders["Sent"].add(written(number, sender="rita@agency.test"), NOW - number * DAY)
    rig.provider.batches_left = 2
    await rig.read_mail()
    assert [name for name, _ in rig.provider.read] == ["Sent", "Sent", "Sent"]


async def test_follow_ups_wait_until_all_old_mail_of_a_renumbered_folder_was_read(rig: Rig) -> None:
    """It may hold an answer: sync_behind, and then on they go."""
    await rig.open()
    await rig.launch()
    assert await rig.send_due() == 1
    for number in range(1, 5):
        rig.clock.pass_time(minutes=10)
        rig.provider.arrive(written(number, sender="stranger@elsewhere.example"))
    await rig.read_mail()
    rig.clock.pass_time(minutes=30)
    rig.provider.folders["INBOX"].renumber()
    rig.provider.batch, rig.provider.batches_left = 2, 1
    await rig.read_mail()
    assert await rig.send_due() == 0
    assert await rig.shows() == "Pending 2 sync_behind"
    rig.provider.batches_left = None
    await rig.read_mail()
    assert await rig.send_due() == 1


async def test_an_old_mail_moved_into_a_renumbered_inbox_proves_nothing_about_answers(rig: Rig) -> None:
    """It is read first, with a date before the connection; the answer below it is not read yet."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(minutes=70)
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    rig.provider.arrive(written(1, sender="stranger@elsewhere.example"))
    inbox = rig.provider.folders["INBOX"]
    inbox.add(written(2, sender="stranger@elsewhere.example"), NOW - 400 * DAY)
    inbox.uidvalidity += 1
    rig.provider.batch, rig.provider.batches_left = 2, 1
    await rig.read_mail()
    assert await rig.send_due() == 0
    rig.provider.batches_left = None
    await rig.read_mail()
    assert await rig.send_due() == 0
    assert await rig.shows() == "Replied 2"


async def test_an_answer_below_hundreds_of_older_mails_still_stops_what_follows(rig: Rig) -> None:
    """A host was changed, and the old mail copied in behind the new: dates prove nothing about what is below."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(minutes=70)
    inbox = rig.provider.folders["INBOX"]
    inbox.uidvalidity, inbox.uidnext, inbox.messages = 2, 1, {}
    inbox.add(answer(rig.provider.accepted[0]), rig.clock.now())
    for number in range(500):
        inbox.add(written(number, sender="stranger@elsewhere.example"), NOW - 400 * DAY)
    rig.provider.batches_left = 2
    await rig.read_mail()
    assert await rig.send_due() == 0
    rig.provider.batches_left = None
    await rig.read_mail()
    assert await rig.send_due() == 0
    assert await rig.shows() == "Replied 2"


async def test_a_renumbered_folder_is_read_again_behind_a_grey_light_and_logged_once(rig: Rig) -> None:
    """Also amid a session that was green."""
    await old_mailbox(rig)
    await rig.read_mail()
    async with held(rig) as session:
        rig.provider.folders["INBOX"].renumber()
        rig.provider.batches_left = 1
        session.let_go(after_s=120)
        with pytest.raises(Exception, match="broke amid a folder"):
            await session.ended()
    assert (await ritas(rig)).light == "grey"
    rig.provider.batches_left = None
    await rig.read_mail()
    assert (await ritas(rig)).light == "green"
    assert await logged(rig) == ids(1, 2, 3, 4, 5, 6)
    assert (await folder(rig, "INBOX")).resets == 0


async def test_a_server_that_renumbers_again_and_again_is_told(rig: Rig) -> None:
    """Five times in a row; when it stops, the next try is believed."""
    await old_mailbox(rig)
    await rig.read_mail()
    rig.provider.renumbers = {"INBOX"}
    mailbox = await ritas(rig)
    with pytest.raises(ServerRefusedError, match="changed 5 times in a row") as refused:
        await rig.sync.run("T1", mailbox.id)
    await rig.sync.failed("T1", mailbox.id, refused.value)
    broken = await ritas(rig)
    assert (broken.light, broken.fault.cause if broken.fault else None) == ("red", "folder_renumbers")
    rig.provider.renumbers = set()
    await rig.mailboxes.request_resync(RITA, mailbox.id)
    await rig.read_mail()
    assert (await ritas(rig)).light == "green"
    assert (await folder(rig, "INBOX")).resets == 0
    assert await logged(rig) == ids(1, 2, 3, 4, 5, 6)


async def test_a_side_folder_that_renumbers_again_and_again_stops_nothing_else(rig: Rig) -> None:
    rig.provider.folders["Junk"].add(written(1), NOW)
    await rig.open()
    await rig.import_people(1)
    rig.provider.renumbers = {"Junk"}
    async with held(rig) as session:
        rig.provider.folders["Junk"].renumber()
        for _ in range(4):
            await session.renew()
        assert (await folder(rig, "Junk")).parked_until is not None
        rig.provider.arrive(written(2))
        await session.push()
        assert ids(2)[0] in await logged(rig)
        assert (await ritas(rig)).light == "green"


async def test_old_mail_is_dropped_where_capturing_ends_while_it_is_read(rig: Rig) -> None:
    """R80: what was switched off is not logged backwards when it is switched on again."""
    await old_mailbox(rig)
    rig.provider.batches_left = 1
    await rig.read_mail()
    mailbox = await ritas(rig)
    await rig.mailboxes.set_switches(RITA, mailbox.id, capture=False)
    async with rig.store.write("T1") as uow:  # a batch that was on its way moves the mark once more
        await uow.folders.set_history((await folder(rig, "INBOX")).id, below=5, left=4)
    rig.provider.batches_left = None
    await rig.read_mail()
    await rig.mailboxes.set_switches(RITA, mailbox.id, capture=True)
    await rig.read_mail()
    assert await logged(rig) == ids(5, 6)
    assert (await rig.mailboxes.find(ADA, mailbox.address)).light == "green"


async def test_a_uidnext_that_never_rises_keeps_no_mail_back(sqlite_store: SqlStore) -> None:
    async with FaultImap(lies=Lies(uidnext=2)) as server:
        fill(server)
        await assert_a_campaign_survives(await FaultRig.on(sqlite_store, server))


async def test_a_uidnext_stuck_at_the_end_of_all_numbers_keeps_no_mail_back(sqlite_store: SqlStore) -> None:
    async with FaultImap(lies=Lies(uidnext=2**32 - 1)) as server:
        fill(server)
        await assert_a_campaign_survives(await FaultRig.on(sqlite_store, server))


async def test_a_folder_that_claims_for_once_to_be_empty_loses_no_answer(sqlite_store: SqlStore) -> None:
    """EXISTS 0 beside a UIDNEXT that rose."""
    async with FaultImap() as server:
        fill(server)
        world = await FaultRig.on(sqlite_store, server)
        await world.rig.import_people(2)
        await world.sync()
        await world.rig.launch(2)
        mail, reply = await sent_and_answered(world)
        server.lies = Empty()
        await world.sync()
        server.lies = Lies()
        await world.sync()
        assert await world.logged(1) == sorted([*old_ids(1), mail, reply])


class Empty(Lies):
    def exists(self, truly: int) -> int:
        del truly
        return 0
