"""Whoever presses a button of a card that is out of date hears how things stand; nothing is undone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.slack.action_ids import RESYNC_HERE, encode, used
from bot.slack.blocks.cards import present
from bot.slack.listeners.actions import buttons
from bot.slack.uses import Connect, Services
from core.domain.actor import Actor, Role
from core.errors import NotFoundError, RefusedError
from storage.sql_store import SqlStore
from tests.fakes.services import FakeDomains
from tests.services.alert_rig import SECRET, AlertRig
from tests.services.rig import Rig
from tests.unit.bot.test_every_button import pressable

ADA = Actor("T1", "U0ADA", Role.ADMIN)
NAMES = ["rec0", "rec1", "rec2", "rec3"]


@pytest.fixture
async def alerts(sqlite_store: SqlStore) -> AlertRig:
    """Four mailboxes in a storm, Rita's broken by a cause of its own and told again, Omar's sign-in about to end."""
    rig = AlertRig.on(Rig.on(sqlite_store))
    await rig.open()
    await rig.add_many(*NAMES, provider="microsoft", sign_in="microsoft")
    await rig.add("rita")
    await rig.add("omar", provider="microsoft", sign_in="microsoft", signed_in_at=rig.rig.clock.now())
    await rig.pass_days(86)
    for name in NAMES:
        await rig.break_(name, SECRET)
    await rig.break_("rita")
    await rig.look()
    await rig.pass_days(1.1)
    return rig


def services_of(alerts: AlertRig) -> Services:
    rig = alerts.rig
    domains = FakeDomains()
    return Services(
        rig.mailboxes, rig.connecting, rig.campaigns, rig.prospects, rig.people, rig.settings, domains, alerts.desk
    )


async def told(alerts: AlertRig, pressed: dict[str, Any]) -> str:
    """What an admin hears who presses this; empty where only a card would change."""
    desk: Any = None
    listeners = buttons(desk, services_of(alerts), Connect("http://127.0.0.1:3000", secure=True))
    try:
        card = await listeners[pressed["action_id"]](ADA, used(pressed))
    except (RefusedError, NotFoundError) as refused:
        return refused.message
    return card.text if card else ""


async def mended(alerts: AlertRig) -> None:
    for name in (*NAMES, "rita"):
        await alerts.mend(name)
    await alerts.look()


async def disconnected(alerts: AlertRig) -> None:
    for name in (*NAMES, "rita", "omar"):
        await alerts.rig.mailboxes.disconnect(ADA, name)
    await alerts.look()


@pytest.mark.parametrize("happened", [mended, disconnected])
async def test_every_button_of_a_card_out_of_date_is_answered(
    alerts: AlertRig, happened: Callable[[AlertRig], Awaitable[None]]
) -> None:
    items = await alerts.rig.cards()
    assert {item.kind for item in items} == {"sync", "storm", "sync_reminder", "expiry"}
    cards = [present(item.kind, json.loads(json.dumps(dict(item.facts)))) for item in items]
    await happened(alerts)
    before = [one.status for one in await alerts.rig.mailboxes.list(ADA)]
    silent = [
        (card.text, pressed["action_id"])
        for card in cards
        for pressed in pressable(card.blocks)
        if not await told(alerts, pressed)
    ]
    assert silent == []
    assert [one.status for one in await alerts.rig.mailboxes.list(ADA)] == before


async def test_a_reminders_resync_of_a_mailbox_that_waits_for_a_seat_says_so(alerts: AlertRig) -> None:
    """R214: it is refused, with what it waits for."""
    await alerts.rig.settings.set(ADA, "mailbox_limit", "1")
    waiting = next(one for one in await alerts.rig.mailboxes.list(ADA) if one.status.value == "pending")
    pressed = {"type": "button", "action_id": RESYNC_HERE, "value": encode(waiting.id)}
    assert "waits for a free seat" in await told(alerts, pressed)
