"""Whose mailbox gets a seat, or loses it, hears of it: it happens by somebody else's hand."""

from __future__ import annotations

from core.domain.actor import Actor, Role
from tests.services.rig import ADA, OMAR, RITA, Rig

RITAS, OMARS = "rita@agency.test", "omar@agency.test"


async def told(rig: Rig) -> list[tuple[str, str, str, str]]:
    """(who, which mailbox, what, how many seats)"""
    cards = sorted(await rig.cards("seat:"), key=lambda card: int(card.key.rpartition(":")[2]))
    return [(card.destination, card.facts["address"], card.facts["state"], card.facts["seats"]) for card in cards]


async def full(rig: Rig, second: Actor = OMAR) -> None:
    """One seat, Rita's; another mailbox waits."""
    await rig.settings.set(ADA, "mailbox_limit", "1")
    await rig.connect(RITAS)
    rig.clock.pass_time(minutes=1)
    await rig.connect(OMARS, second)


async def test_whoever_gets_a_seat_is_told(rig: Rig) -> None:
    """Nobody is told of what they did themselves: connecting said already that it waits, pausing that it is paused."""
    await full(rig)
    assert await told(rig) == []
    await rig.mailboxes.pause(RITA, (await rig.mailboxes.find(ADA, RITAS)).id)
    assert await told(rig) == [("user:U0OMAR", OMARS, "seated", "1 of 1 seat is in use")]
    assert await rig.store.wait("notifications", 0)


async def test_whoever_loses_a_seat_is_told_and_told_again_each_time(rig: Rig) -> None:
    """Messages of their own: an edit would tell nobody."""
    await rig.connect(RITAS)
    rig.clock.pass_time(minutes=1)
    await rig.connect(OMARS, OMAR)
    for limit in ("1", "2", "1"):
        await rig.settings.set(ADA, "mailbox_limit", limit)
    assert await told(rig) == [
        ("user:U0OMAR", OMARS, "waiting", "1 of 1 seat is in use"),
        ("user:U0OMAR", OMARS, "seated", "2 of 2 seats are in use"),
        ("user:U0OMAR", OMARS, "waiting", "1 of 1 seat is in use"),
    ]


async def test_an_owner_who_is_not_in_slack_is_sent_nothing(rig: Rig) -> None:
    """Connected at the terminal, say."""
    await full(rig, Actor("T1", "cli", Role.ADMIN))
    await rig.mailboxes.disconnect(RITA, (await rig.mailboxes.find(ADA, RITAS)).id)
    assert (await rig.mailboxes.find(ADA, OMARS)).status.value == "connecting"
    assert await told(rig) == []
