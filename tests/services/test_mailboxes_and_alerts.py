"""Connecting, breaking, mending: nothing stored before it works, one alert per cause, one card that tells the story."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.domain.account import MailboxStatus
from core.errors import (
    InputError,
    LoginRefusedError,
    MailError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    UnreachableError,
)
from core.services.connecting import ConnectRefusedError, ConnectRequest
from tests.services.rig import ADA, OMAR, RITA, SERVER, VERA, Rig
from tests.stores import make_mailbox

WRONG = LoginRefusedError("[AUTHENTICATIONFAILED] Invalid credentials", layer="imap", host="mail.agency.test")
AWAY = UnreachableError("[Errno 111] Connection refused", layer="socket", host="mail.agency.test")


def wanted(address: str = "rita@agency.test", **changes: Any) -> ConnectRequest:
    given: dict[str, Any] = {"username": "", "password": "the right password", "imap": SERVER, "smtp": SERVER}
    return ConnectRequest(address, **{**given, **changes})


# -- connecting


async def test_both_sides_are_tried_and_then_it_is_stored(rig: Rig) -> None:
    """IMAP and SMTP; the address is the username where none was given."""
    mailbox = await rig.connecting.connect(RITA, wanted())
    assert (len(rig.connector.opened), rig.transport.verified) == (1, 1)
    assert rig.connector.opened[0].closed
    assert (mailbox.status, mailbox.username, mailbox.owner) == (
        MailboxStatus.CONNECTING, "rita@agency.test", "U0RITA",
    )  # fmt: skip


async def test_a_mailbox_that_only_reads_is_not_asked_to_send(rig: Rig) -> None:
    """--no-send."""
    await rig.connecting.connect(RITA, wanted(send=False))
    assert rig.transport.verified == 0


async def test_a_refusal_stores_nothing(rig: Rig) -> None:
    """The side and the cause are told; no row, no password."""
    with pytest.raises(ConnectRefusedError) as refused:
        await rig.connecting.connect(RITA, wanted(password="a wrong one"))
    assert (refused.value.side, refused.value.diagnosis.cause) == ("imap", "credentials_rejected")
    assert "a wrong one" not in str(refused.value)
    assert await rig.mailboxes.list(ADA) == []


@pytest.mark.parametrize(
    ("request_", "actor", "error"),
    [
        (wanted("not an address"), RITA, InputError),
        (wanted(password=""), RITA, InputError),
        (wanted(), VERA, NotAllowedError),
        (wanted(owner="U0OMAR"), RITA, NotAllowedError),
    ],
)
async def test_what_cannot_be_connected(rig: Rig, request_: ConnectRequest, actor: Any, error: type[Exception]) -> None:
    """Named before any server is asked."""
    with pytest.raises(error):
        await rig.connecting.connect(actor, request_)
    assert rig.connector.opened == []


async def test_reconnecting_keeps_identity_and_history(rig: Rig) -> None:
    """Same row, same owner; another recruiter may not take it over."""
    await rig.open()
    before = await rig.mailboxes.find(RITA, "rita@agency.test")
    again = await rig.connecting.connect(RITA, wanted("RITA@agency.test"))
    assert (again.id, again.owner, again.created_at) == (before.id, before.owner, before.created_at)
    with pytest.raises(NotAllowedError):
        await rig.connecting.connect(OMAR, wanted())


async def test_two_people_connecting_one_address_at_once(rig_on_both: Rig) -> None:
    """The first owns it; the second is refused, not made the owner of its password."""
    rig = rig_on_both
    results = await asyncio.gather(
        rig.connecting.connect(RITA, wanted()), rig.connecting.connect(OMAR, wanted()), return_exceptions=True
    )
    (mailbox,) = await rig.mailboxes.list(ADA)
    refused = [one for one in results if isinstance(one, Exception)]
    assert len(refused) == 1
    assert isinstance(refused[0], (NotAllowedError, RefusedError))
    assert mailbox.owner in ("U0RITA", "U0OMAR")


# -- one-time links


async def test_a_link_connects_once(rig: Rig) -> None:
    """Looking spends nothing, a refused try spends nothing, success spends it."""
    token = await rig.connecting.issue_ticket(RITA)
    assert (await rig.connecting.ticket(token)).user == "U0RITA"
    with pytest.raises(ConnectRefusedError):
        await rig.connecting.connect_with_ticket(token, wanted(password="wrong"))
    mailbox = await rig.connecting.connect_with_ticket(token, wanted())
    assert mailbox.owner == "U0RITA"
    for _ in range(2):
        with pytest.raises(NotFoundError, match="used already"):
            await rig.connecting.connect_with_ticket(token, wanted())


async def test_a_link_pressed_twice_at_once_connects_once(rig_on_both: Rig) -> None:
    """Two tabs: one mailbox, one refusal."""
    rig = rig_on_both
    token = await rig.connecting.issue_ticket(RITA)
    results = await asyncio.gather(
        rig.connecting.connect_with_ticket(token, wanted("one@agency.test")),
        rig.connecting.connect_with_ticket(token, wanted("two@agency.test")),
        return_exceptions=True,
    )
    assert sum(isinstance(one, NotFoundError) for one in results) == 1
    assert len(await rig.mailboxes.list(ADA)) == 1


@pytest.mark.parametrize("token", ["", "T1", "T1.x", "T9.x", "\x00", "T1." + "x" * 5_000])
async def test_a_guessed_link_is_worth_nothing(rig: Rig, token: str) -> None:
    """Unknown reads as used."""
    with pytest.raises(NotFoundError):
        await rig.connecting.ticket(token)


async def test_a_link_expires_and_belongs_to_its_workspace(rig: Rig) -> None:
    """Ten minutes; and only where it was made."""
    token = await rig.connecting.issue_ticket(RITA)
    with pytest.raises(NotFoundError):
        await rig.connecting.ticket(token.replace("T1.", "T2."))
    rig.clock.pass_time(minutes=10)
    with pytest.raises(NotFoundError, match="expired"):
        await rig.connecting.connect_with_ticket(token, wanted())


async def test_a_link_to_mend_a_mailbox_mends_that_one_as_it_was(rig: Rig) -> None:
    """Whoever opens it and whatever address is typed: that mailbox, its owner, its two switches."""
    await rig.connecting.connect(RITA, wanted(capture=False))
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    token = await rig.connecting.issue_ticket(ADA, mailbox.id)
    mended = await rig.connecting.connect_with_ticket(token, wanted("else@agency.test", owner="U0OMAR"))
    assert (mended.id, mended.owner, mended.capture) == (mailbox.id, "U0RITA", False)
    with pytest.raises(NotAllowedError):
        await rig.connecting.issue_ticket(OMAR, mailbox.id)
    with pytest.raises(NotAllowedError):
        await rig.connecting.issue_ticket(VERA)


# -- breaking and mending


async def break_(rig: Rig, error: MailError, times: int = 1) -> None:
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    for _ in range(times):
        await rig.sync.failed("T1", mailbox.id, error)


async def status(rig: Rig) -> str:
    return (await rig.mailboxes.find(ADA, "rita@agency.test")).status.value


async def test_one_alert_per_cause_spoken_on_change_and_resolved_in_place(rig: Rig) -> None:
    """Broken, broken again, Resync, broken once more, recovered: one card in each place."""
    await rig.open(alert_channel="C0ALERTS")
    await break_(rig, WRONG)
    admins, owner = await rig.cards("sync:")
    assert (admins.destination, owner.destination) == ("C0ALERTS", "user:U0RITA")
    assert (admins.facts["state"], admins.facts["cause"]) == ("broken", "credentials_rejected")
    await break_(rig, WRONG, times=3)
    assert [card.version for card in await rig.cards("sync:")] == [1, 1]
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await rig.mailboxes.request_resync(RITA, mailbox.id)
    assert {card.facts["state"] for card in await rig.cards("sync:")} == {"resyncing"}
    await break_(rig, WRONG)
    assert {card.facts["state"] for card in await rig.cards("sync:")} == {"broken"}
    await rig.read_mail()
    cards = await rig.cards("sync:")
    assert [card.facts["state"] for card in cards] == ["recovered", "recovered"]
    assert await status(rig) == "active"
    await break_(rig, WRONG)
    assert len(await rig.cards("sync:")) == 4


async def test_a_passing_fault_is_told_only_when_it_does_not_pass(rig: Rig) -> None:
    """A host away for a moment is nobody's business; away for long it is."""
    await rig.open()
    await break_(rig, AWAY)
    assert await rig.cards("sync:") == []
    assert await status(rig) == "active"
    for _ in range(4):
        rig.clock.pass_time(minutes=10)
        await break_(rig, AWAY)
    assert [card.facts["state"] for card in await rig.cards("sync:")] == ["broken"]
    assert await status(rig) == "error"


async def test_whoever_pressed_resync_hears_of_any_failure_at_once(rig: Rig) -> None:
    """Patience is for those who did not ask."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await rig.mailboxes.request_resync(RITA, mailbox.id)
    with pytest.raises(RefusedError, match="being resynced already, asked by <@U0RITA>"):
        await rig.mailboxes.request_resync(ADA, mailbox.id)
    assert await rig.sync.is_asked("T1", mailbox.id)
    await break_(rig, AWAY)
    assert [card.facts["state"] for card in await rig.cards("sync:")] == ["broken"]
    assert not await rig.sync.is_asked("T1", mailbox.id)


async def test_resolving_nothing_is_no_error(rig: Rig) -> None:
    """A pass without an alert before it tells nobody."""
    await rig.open()
    await rig.read_mail()
    async with rig.store.write("T1") as uow:
        await rig.alerts.recovered(uow, make_mailbox(), caught_up=0, failed_meanwhile=0)
        await rig.alerts.closed(uow, make_mailbox())
        await rig.alerts.resync_requested(uow, make_mailbox(), "U0RITA")
    assert await rig.cards("sync:") == []


async def test_failures_meanwhile_are_counted_on_recovery(rig: Rig) -> None:
    """What one Retry all would bring back."""
    await rig.open()
    await rig.launch(2)
    await break_(rig, WRONG)
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 1 email_not_synced"
    await rig.read_mail()
    (card,) = await rig.cards("sync:")
    assert card.facts["failed_meanwhile"] == 2
    assert (await rig.prospects.retry_all(RITA, None, why="email_not_synced")).retried == 2
    assert await rig.send_due() == 2


@pytest.mark.parametrize("how", ["pause", "disconnect"])
async def test_switching_off_closes_the_alert_and_lets_nothing_wait_unseen(rig: Rig, how: str) -> None:
    """Paused mail waits with its reason; a disconnected mailbox's mail fails with its fix."""
    await rig.open()
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    await rig.claim()
    assert await rig.shows() == "Pending 2 sync_behind"
    await break_(rig, WRONG)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await (rig.mailboxes.pause if how == "pause" else rig.mailboxes.disconnect)(RITA, mailbox.id)
    assert {card.facts["state"] for card in await rig.cards("sync:")} == {"closed"}
    await rig.claim()
    if how == "disconnect":
        assert await rig.shows() == "Not Delivered 2 email_not_synced"
        with pytest.raises(RefusedError, match="disconnected"):
            await rig.mailboxes.request_resync(RITA, mailbox.id)
        return
    assert (await rig.shows()).startswith("Pending 2")
    await rig.mailboxes.resume(RITA, mailbox.id)
    await rig.read_mail()
    assert await rig.send_due() == 1


async def test_a_paused_mailboxes_session_ends(rig: Rig) -> None:
    """It is not read while it is off."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    assert await rig.sync.runnable() == [("T1", mailbox.id)]
    await rig.mailboxes.pause(RITA, mailbox.id)
    assert await rig.sync.runnable() == []
    with pytest.raises(NotFoundError):
        await rig.sync.run("T1", mailbox.id)
    assert await rig.sync.failed("T1", mailbox.id, AWAY) is None


async def test_every_connection_is_closed(rig: Rig) -> None:
    """Also after an error in the middle of a pass."""
    await rig.open()
    del rig.provider.folders["INBOX"]
    with pytest.raises(MailError, match="INBOX"):
        await rig.read_mail()
    assert all(client.closed for client in rig.connector.opened)


async def test_others_mailboxes_are_not_ones_own(rig: Rig) -> None:
    """Owner and admins; the nearest address is named where one is misspelt."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    for act in (rig.mailboxes.request_resync, rig.mailboxes.pause, rig.mailboxes.disconnect, rig.mailboxes.log):
        with pytest.raises(NotAllowedError):
            await act(OMAR, mailbox.id)  # type: ignore[operator]
    with pytest.raises(NotFoundError) as unknown:
        await rig.mailboxes.find(RITA, "rta@agency.test")
    assert "rita@agency.test" in unknown.value.fix


async def test_the_log_names_each_new_cause_once(rig: Rig) -> None:
    """Transitions, not heartbeats (R39)."""
    await rig.open()
    await break_(rig, WRONG, times=5)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    causes = [entry.cause for entry in await rig.mailboxes.log(RITA, mailbox.id)]
    assert causes == ["credentials_rejected"]


async def test_settings_are_the_admins(rig: Rig) -> None:
    """Shown to all with their defaults; a seed does not undo what a person set."""
    await rig.settings.set(ADA, "spacing_min_s", "90")
    await rig.settings.seed("T1", {"spacing_min_s": 5, "reply_channel": "C0REPLIES", "alert_channel": None})
    lines = {line.setting.key: (line.value, line.is_default) for line in await rig.settings.show(VERA)}
    assert lines["spacing_min_s"] == (90, False)
    assert lines["reply_channel"] == ("C0REPLIES", False)
    assert lines["alert_channel"] == (None, True)
    assert (await rig.settings.set(ADA, "spacing_min_s", "default")).is_default
    with pytest.raises(NotAllowedError):
        await rig.settings.set(RITA, "spacing_min_s", "0")
