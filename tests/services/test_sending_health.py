"""Whether a mailbox can send, as campaigns find out: what a refused login changes, and what it leaves as it is."""

from __future__ import annotations

from core.errors import UnreachableError
from tests.services.rig import ADA, Rig

RITAS = "rita@agency.test"
AWAY = UnreachableError("[Errno 111] Connection refused", layer="socket", host="mail.agency.test")


async def test_a_login_refused_while_sending_breaks_the_mailbox(rig: Rig) -> None:
    await rig.open()
    await rig.launch()
    rig.provider.password = "changed"
    await rig.send_due()
    mailbox = await rig.mailboxes.find(ADA, RITAS)
    assert mailbox.status.value == "error"
    assert mailbox.send_fault is not None


async def test_a_send_under_way_brings_no_mailbox_back_that_was_given_up(rig: Rig) -> None:
    """It holds no seat any more: only a person's Resync may bring it back (R33, R213)."""
    await rig.open()
    await rig.launch()
    (outgoing,) = await rig.claim()
    mailbox = await rig.mailboxes.find(ADA, RITAS)
    await rig.sync.failed("T1", mailbox.id, AWAY)
    rig.clock.pass_time(days=2)
    await rig.sync.failed("T1", mailbox.id, AWAY)
    before = await rig.mailboxes.find(ADA, RITAS)
    assert before.status.value == "connection_issue"
    rig.provider.password = "changed"
    await rig.outreach.deliver(outgoing)
    assert await rig.mailboxes.find(ADA, RITAS) == before
    assert await rig.shows() == "Not Delivered 1 email_not_synced"
