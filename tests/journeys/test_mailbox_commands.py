"""A team's mailboxes by the command line alone: seats, switches, test mails, beginning afresh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.process import QUICK, Product, Stage, stage, until

RITA, OMAR = "rita@agency.test", "omar@agency.test"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as one:
        await one.product.start()
        await one.product.settings(**QUICK)
        yield one


async def shown(product: Product, address: str, status: str) -> dict[str, Any]:
    """The mailbox once it has this status."""

    async def there() -> Any:
        row = (await product.ask("mailbox", "show", address))[0]
        return row if row["status"] == status else None

    found: dict[str, Any] = await until(there, f"{address} is {status}")
    return found


async def test_a_test_mail_leaves_one_mailbox_and_arrives_in_the_other(around: Stage) -> None:
    """Sent by one recruiter's server, found in the other's inbox; never to itself (R18)."""
    product = around.product
    await around.connect()
    await around.green()
    assert "no other connected mailbox" in await product.refused("mailbox", "test", RITA)
    await around.connect(OMAR, "U0OMAR")
    await around.green(OMAR)
    result = await product.ask("mailbox", "test", RITA)
    assert (result["sent"], result["to"], result["arrived"], result["arrived_in"]) == (True, OMAR, True, "INBOX")
    assert result["server_said"]
    assert "proves nothing" in await product.refused("mailbox", "test", RITA, "--to", "Rita+x@agency.test")
    elsewhere = await product.ask("mailbox", "test", RITA, "--to", "somebody@candidates.example")
    assert (elsewhere["sent"], elsewhere["arrived"]) == (True, None)
    said = await product.run("mailbox", "test", RITA, "--to", OMAR)
    assert said.code == 0
    assert f"It arrived in {OMAR}, folder INBOX." in said.out


async def test_seats_go_round_by_themselves(around: Stage) -> None:
    """Connected beyond the limit it waits, and is synced as soon as a seat is free (R35, R38, R214)."""
    product = around.product
    await product.settings(mailbox_limit="1")
    await around.connect()
    await around.green()
    added = await around.connect(OMAR, "U0OMAR")
    assert (added["status"], added["light"], added["seat"]) == ("pending", "grey", "waits")
    assert added["note"].startswith("waits for a seat: 1 of 1 seat is in use")
    listed = await product.run("mailbox", "list")
    assert "1 of 1 seat is in use, 1 waiting." in listed.out
    await product.ask("mailbox", "pause", RITA)
    await shown(product, OMAR, "active")
    assert (await product.ask("mailbox", "resume", RITA))["status"] == "pending"
    await product.settings(mailbox_limit="2")
    await shown(product, RITA, "active")
    lowered = await product.ask("settings", "set", "mailbox_limit", "1")
    assert OMAR in lowered["note"]
    assert (await product.ask("mailbox", "show", OMAR))[0]["status"] == "pending"
    await product.ask("mailbox", "remove", RITA)
    await shown(product, OMAR, "active")


async def test_switches_refresh_help_and_beginning_afresh(around: Stage) -> None:
    """Every other word about one mailbox, one after the other."""
    product = around.product
    await around.connect()
    row = await around.green()
    assert (row["send"], row["capture"], row["history_left"], row["seat"]) == (True, True, 0, "held")
    assert row["lag_s"] is not None
    off = await product.ask("mailbox", "switch", RITA, "--send", "off", "--capture", "off")
    assert (off["send"], off["capture"]) == (False, False)
    assert "switched off" in await product.refused("mailbox", "test", RITA, "--to", "somebody@candidates.example")
    on = await product.ask("mailbox", "switch", RITA, "--send", "on", "--capture", "on")
    assert (on["send"], on["capture"]) == (True, True)
    await product.refused("mailbox", "switch", RITA, code=2)
    assert (await product.ask("mailbox", "refresh", RITA))["address"] == RITA
    pack = await product.ask("mailbox", "escalate", RITA)
    assert around.host.account(RITA).password not in str(pack)
    assert "IMAP" in pack["text"]
    await product.ask("mailbox", "remove", RITA)
    assert "disconnected" in await product.refused("mailbox", "refresh", RITA)
    again = await around.connect()
    assert again["id"] == row["id"]
    await around.green()
