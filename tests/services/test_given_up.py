"""A mailbox that was given up after two days stays so until a person asks (R33, R213)."""

from __future__ import annotations

from core.errors import UnreachableError
from tests.services.rig import ADA, Rig

RITAS = "rita@agency.test"
AWAY = UnreachableError("[Errno 111] Connection refused", layer="socket", host="mail.agency.test")


async def test_a_send_under_way_brings_no_mailbox_back_that_was_given_up(rig: Rig) -> None:
    """Its seat is gone, and nobody has asked for it. The refused stage is told all the same."""
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
