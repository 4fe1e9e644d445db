"""The two switches, refresh, and what connecting again means: what is logged, and that it is logged once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.actor import Actor
from core.domain.folder_sync import FolderState
from core.errors import InputError, NotAllowedError, RefusedError
from core.services.mailboxes import SendRefusedError
from tests.services.rig import ADA, OMAR, RITA, VERA, Rig, answer, email_of


async def ritas(rig: Rig) -> str:
    return (await rig.mailboxes.find(ADA, "rita@agency.test")).id


def from_candidate(number: int) -> bytes:
    return (
        f"From: {email_of(1)}\r\nTo: rita@agency.test\r\nSubject: Question {number}\r\n"
        f"Message-ID: <question-{number}@candidates.example>\r\nDate: Tue, 01 Sep 2026 09:30:00 +0000\r\n\r\nHi.\r\n"
    ).encode()


async def logged(rig: Rig) -> list[str]:
    """Subjects on the first person's stream, sorted."""
    return sorted(one.subject for one in (await rig.people.show(ADA, email_of(1))).activities)


async def folder(rig: Rig, name: str) -> FolderState:
    async with rig.store.read("T1") as uow:
        return next(one for one in await uow.folders.list(await ritas(rig)) if one.name == name)


async def test_what_comes_while_capture_is_off_is_never_logged(rig: Rig) -> None:
    """On again, what comes from then on is (R80); nothing is logged backwards."""
    await rig.import_people(1)
    await rig.open()
    rig.provider.arrive(from_candidate(1))
    await rig.read_mail()
    off = await rig.mailboxes.set_switches(RITA, await ritas(rig), capture=False)
    assert (off.send, off.capture) == (True, False)
    rig.provider.arrive(from_candidate(2))
    await rig.read_mail()
    await rig.mailboxes.set_switches(RITA, await ritas(rig), capture=True)
    rig.provider.arrive(from_candidate(3))
    await rig.read_mail()
    assert await logged(rig) == ["Question 1", "Question 3"]


async def test_old_mail_is_not_read_on_once_capture_is_off(rig: Rig) -> None:
    """Also where a pass that was under way noted what it had still to read; it stays unread when the switch is on."""
    await rig.import_people(1)
    await rig.connect(capture=False)
    rig.provider.arrive(from_candidate(1))
    await rig.read_mail()
    inbox = await folder(rig, "INBOX")
    async with rig.store.write("T1") as uow:
        await uow.folders.set_history(inbox.id, below=2, left=1)
    await rig.read_mail()
    assert await logged(rig) == []
    await rig.mailboxes.set_switches(RITA, await ritas(rig), capture=True)
    await rig.read_mail()
    assert await logged(rig) == []


async def test_nothing_is_sent_while_send_is_off(rig: Rig) -> None:
    """Campaigns say why (R6, R21)."""
    await rig.open()
    await rig.launch()
    await rig.mailboxes.set_switches(RITA, await ritas(rig), send=False)
    await rig.send_due()
    assert rig.provider.accepted == []
    assert await rig.shows() == "Not Delivered 1 email_not_synced"


async def test_a_switch_that_stands_right_is_left_alone(rig: Rig) -> None:
    """No new version, nothing to write down; naming neither is a mistake."""
    await rig.open()
    before = await rig.mailboxes.find(ADA, "rita@agency.test")
    assert await rig.mailboxes.set_switches(RITA, before.id, send=True, capture=True) == before
    with pytest.raises(InputError):
        await rig.mailboxes.set_switches(RITA, before.id)


async def test_sending_is_tried_before_it_is_switched_on(rig: Rig) -> None:
    """Refused in the server's own words, and off as before; on once it works (R43)."""
    await rig.open()
    mailbox = await ritas(rig)
    off = await rig.mailboxes.set_switches(RITA, mailbox, send=False)
    right, rig.provider.password = rig.provider.password, "changed"
    with pytest.raises(SendRefusedError, match="stays off") as refused:
        await rig.mailboxes.set_switches(RITA, mailbox, send=True, capture=False)
    assert refused.value.diagnosis.raw
    assert refused.value.fix
    assert await rig.mailboxes.get(RITA, mailbox) == off
    rig.provider.password = right
    assert (await rig.mailboxes.set_switches(RITA, mailbox, send=True)).send


async def test_what_is_on_already_is_not_tried_again(rig: Rig) -> None:
    """Nor is anything tried to switch it off, or for somebody who may not."""
    await rig.open()
    mailbox, before = await ritas(rig), rig.transport.verified
    await rig.mailboxes.set_switches(RITA, mailbox, send=True, capture=False)
    await rig.mailboxes.set_switches(RITA, mailbox, send=False)
    with pytest.raises(NotAllowedError):
        await rig.mailboxes.set_switches(OMAR, mailbox, send=True)
    assert rig.transport.verified == before


async def test_a_disconnected_mailbox_is_connected_before_it_sends(rig: Rig) -> None:
    await rig.open()
    mailbox = await ritas(rig)
    await rig.mailboxes.set_switches(RITA, mailbox, send=False)
    await rig.mailboxes.disconnect(RITA, mailbox)
    with pytest.raises(RefusedError, match="connect it again first"):
        await rig.mailboxes.set_switches(RITA, mailbox, send=True)


@pytest.mark.parametrize("actor", [OMAR, VERA], ids=["another", "viewer"])
async def test_switches_are_the_owners_and_the_admins(rig: Rig, actor: Actor) -> None:
    await rig.open()
    with pytest.raises(NotAllowedError):
        await rig.mailboxes.set_switches(actor, await ritas(rig), send=False)


async def test_refresh_wakes_a_folder_that_rests(rig: Rig) -> None:
    """Parked for six hours after three failures; whoever presses Refresh does not wait for that (R24)."""
    await rig.open()
    junk = await folder(rig, "Junk")
    async with rig.store.write("T1") as uow:
        await uow.folders.note_failure(junk.id, parked_until=rig.clock.now() + timedelta(hours=6))
    await rig.mailboxes.refresh(RITA, await ritas(rig))
    woken = await folder(rig, "Junk")
    assert (woken.parked_until, woken.error_count) == (None, 0)
    assert await rig.store.wait(f"sync:{junk.mailbox_id}", 0)


async def test_every_look_at_all_folders_restarts_the_daily_timer(rig: Rig) -> None:
    """The automatic one comes a day after the last one by hand (R31, R32)."""
    await rig.open()
    rig.clock.pass_time(hours=3)
    await rig.mailboxes.refresh(RITA, await ritas(rig))
    await rig.read_mail()
    assert (await rig.mailboxes.find(ADA, "rita@agency.test")).refreshed_at == rig.clock.now()


async def test_a_disconnected_mailbox_is_not_refreshed(rig: Rig) -> None:
    await rig.open()
    await rig.mailboxes.disconnect(RITA, await ritas(rig))
    with pytest.raises(RefusedError, match="disconnected"):
        await rig.mailboxes.refresh(RITA, await ritas(rig))


async def test_disconnect_then_connect_reads_all_again_and_logs_nothing_twice(rig: Rig) -> None:
    """An answer that came meanwhile is found among the old mail, and counts once (R52)."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.provider.arrive(from_candidate(1))
    await rig.read_mail()
    first = await logged(rig)
    before = await rig.mailboxes.find(ADA, "rita@agency.test")
    await rig.mailboxes.disconnect(RITA, before.id)
    rig.clock.pass_time(minutes=5)
    rig.provider.arrive(answer(rig.provider.accepted[0]))
    await rig.connect()
    assert (await folder(rig, "INBOX")).uidvalidity is None
    await rig.read_mail()
    again = await rig.mailboxes.find(ADA, "rita@agency.test")
    assert (again.id, again.created_at, again.light) == (before.id, before.created_at, "green")
    assert len(await logged(rig)) == len(first) + 1
    assert (await rig.shows()).startswith("Replied")
    assert len(await rig.cards("reply:")) == len({card.key for card in await rig.cards("reply:")})


async def test_reconnecting_without_disconnecting_keeps_every_checkpoint(rig: Rig) -> None:
    """No negative effects, nothing read again (R49)."""
    await rig.open()
    before = await folder(rig, "INBOX")
    await rig.mailboxes.set_switches(RITA, await ritas(rig), capture=False)
    await rig.connect(capture=False)
    assert (await folder(rig, "INBOX")).uidnext == before.uidnext
    assert (await folder(rig, "INBOX")).uidvalidity == before.uidvalidity
