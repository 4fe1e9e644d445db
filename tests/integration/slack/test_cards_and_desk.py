"""What the engine hands out is what the cards draw, and what the cards' buttons carry is what the engine takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.slack.action_ids import ButtonValue, decode
from bot.slack.blocks.cards import present
from bot.slack.blocks.kit import Card
from bot.slack.blocks.mailbox_reports import escalation
from core.domain.account import MailboxStatus
from core.domain.actor import Actor, Role
from core.errors import RefusedError
from core.ports.storage import OutboxItem
from storage.sql_store import SqlStore
from tests.services.alert_rig import SECRET, AlertRig
from tests.services.rig import Rig
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_cards import assert_slack_takes

RITA = Actor("T1", "U0RITA", Role.RECRUITER)
ADA = Actor("T1", "U0ADA", Role.ADMIN)


@pytest.fixture
async def alerts(sqlite_store: SqlStore) -> AlertRig:
    rig = AlertRig.on(Rig.on(sqlite_store))
    await rig.open()
    return rig


def drawn(item: OutboxItem) -> Card:
    """As it comes out of the database: JSON."""
    card = present(item.kind, json.loads(json.dumps(dict(item.facts))))
    assert_slack_takes(card)
    return card


def value_of(card: Card, action_id: str) -> ButtonValue:
    elements: list[dict[str, Any]] = [
        element for block in card.blocks if block["type"] == "actions" for element in block["elements"]
    ]
    return decode(next(one["value"] for one in elements if one["action_id"] == action_id))


async def test_an_alert_is_drawn_acknowledged_assigned_and_muted_by_what_its_card_carries(alerts: AlertRig) -> None:
    """Each press by the newest card; one by the card before it is refused with who was faster."""
    await alerts.add("rita")
    await alerts.break_("rita")
    await alerts.look()
    first = drawn((await alerts.in_channel("sync"))[0])
    value = value_of(first, "alert.acknowledge")
    await alerts.desk.acknowledge(RITA, value.id, value.version)
    second = drawn((await alerts.in_channel("sync"))[0])
    assert "Acknowledged by @U0RITA" in aloud(second)
    with pytest.raises(RefusedError, match="<@U0RITA> was faster"):
        await alerts.desk.mute(ADA, value.id, value.version)
    row = decode(next(block["block_id"] for block in second.blocks if "block_id" in block))
    await alerts.desk.assign(ADA, row.id, row.version, "U0OMAR")
    third = drawn((await alerts.in_channel("sync"))[0])
    assert "assigned to @U0OMAR" in aloud(third)
    muted = decode(next(block["block_id"] for block in third.blocks if "block_id" in block))
    await alerts.desk.mute(ADA, muted.id, muted.version, 72)
    assert "muted until (time)" in aloud(drawn((await alerts.in_channel("sync"))[0]))


async def test_a_half_broken_mailbox_says_which_half(alerts: AlertRig) -> None:
    await alerts.add_many("rita", "omar")
    await alerts.break_("rita", status=MailboxStatus.PARTIAL)
    await alerts.break_("omar", status=MailboxStatus.ACTIVE, side="sending")
    await alerts.look()
    said = [aloud(drawn(item)) for item in await alerts.in_channel("sync")]
    assert any(text.startswith("Partial sync: rita@agency.test") for text in said)
    assert any(text.startswith("Sending broken: omar@agency.test") for text in said)


async def test_a_storm_is_drawn_resynced_by_its_button_and_recovers(alerts: AlertRig) -> None:
    """R26: an expired secret is one card, and only support can mend it."""
    names = [f"rec{number}" for number in range(4)]
    await alerts.add_many(*names, provider="microsoft", sign_in="microsoft")
    for name in names:
        await alerts.break_(name, SECRET)
    await alerts.look()
    (item,) = await alerts.in_channel("storm")
    card = drawn(item)
    assert aloud(card).startswith("Connection interrupted: 4 mailboxes at Microsoft")
    value = value_of(card, "storm.resync")
    assert len(await alerts.desk.resync_storm(ADA, value.id, value.version)) == 4
    assert "Resync started by @U0ADA" in aloud(drawn((await alerts.in_channel("storm"))[0]))
    for name in names:
        await alerts.mend(name)
    await alerts.look()
    assert "Sync recovered: 4 mailboxes at Microsoft" in aloud(drawn((await alerts.in_channel("storm"))[0]))


async def test_reminders_and_warnings_are_drawn(alerts: AlertRig) -> None:
    now = alerts.rig.clock.now()
    await alerts.add("rita")
    await alerts.add("omar", provider="microsoft", sign_in="microsoft", signed_in_at=now)
    await alerts.break_("rita")
    await alerts.look()
    await alerts.pass_days(1.1)
    assert "Still broken on day 2: rita@agency.test" in aloud(drawn((await alerts.direct("sync_reminder"))[0]))
    await alerts.pass_days(85)
    assert "Sign-in may end in 4 days: omar@agency.test" in aloud(drawn((await alerts.direct("expiry"))[0]))


async def test_the_collected_facts_are_shown_whole(alerts: AlertRig) -> None:
    """R25."""
    await alerts.add("rita")
    await alerts.break_("rita")
    await alerts.look()
    value = value_of(drawn((await alerts.in_channel("sync"))[0]), "alert.acknowledge")
    pack = await alerts.desk.escalate(RITA, value.id)
    said = aloud(escalation(pack, value.id, "mark", version=value.version))
    assert "\n".join(line for line in pack.text.splitlines() if line) in said  # reading aloud leaves out empty lines
