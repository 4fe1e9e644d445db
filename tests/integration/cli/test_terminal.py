"""Command lines carried out: by the running server, else in the terminal's own process, with the same result."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.cli.control import socket_path
from bot.cli.control_server import serve_control
from bot.cli.executor import answer
from bot.cli.grammar import Request
from bot.cli.main import CheckLine
from core.domain.account import MailboxStatus, SyncFault
from storage.sql_store import SqlStore
from tests.integration.cli.conftest import Terminal, services_on
from tests.stores import NOW, make_mailbox

PEOPLE = (
    "first_name,personal_email,company\nMaya,maya@candidates.example,Northwind\nJonas,jonas@candidates.example,Initech\n"
    "Nobody,not-an-address,Initech\n"
)
CAMPAIGN = """
name: Backend engineers, autumn
from: rita@agency.test
stages:
  - {kind: email, delay: 0s, subject: "A role, {{first_name}}", body: "Hi"}
  - {kind: email, delay: 2d, body: "Again"}
"""
NAME = "Backend engineers, autumn"
T1 = ("--workspace", "T1")


async def test_the_running_server_carries_commands_out(terminal: Terminal, tmp_path: Path) -> None:
    """The terminal does not touch the database then."""
    terminal.socket = socket_path(tmp_path / "db")

    async def handle(request: Request, workspace: str | None) -> Any:
        return [{"verb": request.verb, "workspace": workspace}]

    async with serve_control(terminal.socket, handle):
        assert await terminal.json("mailbox", "list", *T1) == [{"verb": "mailbox list", "workspace": "T1"}]
    assert terminal.opened == 0


async def test_without_a_server_the_terminal_opens_the_database(
    terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path
) -> None:
    """Where a socket could be, and where there is none at all."""
    terminal.services = services_on(sqlite_store)
    for terminal.socket in (socket_path(tmp_path / "db"), None):
        assert await terminal.json("mailbox", "list", *T1) == []
    assert terminal.opened == 2


async def test_a_database_in_use_is_waited_for(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """A server that has begun opens the database before it listens; another command holds it for a moment."""
    terminal.services, terminal.locked = services_on(sqlite_store), 3

    assert await terminal.json("campaign", "list", *T1) == []
    assert terminal.opened == 4


async def test_a_campaign_by_command_lines(terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path) -> None:
    """Import, enrol from a file with people who are new, start, look, finish: each in the promised shape."""
    terminal.services = services_on(sqlite_store)
    people, campaign = tmp_path / "people.csv", tmp_path / "campaign.yml"
    people.write_text(PEOPLE)
    campaign.write_text(CAMPAIGN)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())

    made = await terminal.json("campaign", "import", str(campaign), *T1)
    assert (made["name"], made["stages"]) == (NAME, 2)
    assert await terminal.json("campaign", "enroll", NAME, "--people", str(people), *T1) == {
        "enrolled": 2,
        "skipped": [{"email": "line 4", "reason": "line 4: personal_email 'not-an-address' is not an e-mail address"}],
    }
    again = await terminal.json("campaign", "enroll", NAME, "--email", "maya@candidates.example", "x@y.test", *T1)
    assert again["enrolled"] == 0
    assert {one["email"] for one in again["skipped"]} == {"maya@candidates.example", "x@y.test"}

    assert (await terminal.json("campaign", "start", NAME, *T1))["status"] == "active"
    status = await terminal.json("campaign", "status", NAME, *T1)
    assert status["status"] == "active"
    assert status["prospects"][0].keys() >= {"email", "status", "reason", "stage", "next_at"}
    assert status["metrics"].keys() >= {"people", "opened", "clicked", "downloaded", "replied", "stages"}
    finished = await terminal.json("prospect", "finish", NAME, "maya@candidates.example", *T1)
    assert finished["status"] == "Complete"
    assert await terminal.run("prospect", "retry", NAME, "maya@candidates.example", *T1) == 1
    assert "This person is finished" in terminal.err

    (listed,) = await terminal.json("campaign", "list", *T1)
    assert listed["prospects"] == {"Active": 1, "Complete": 1}
    exported = (await terminal.json("campaign", "export", NAME, *T1))["file"]
    assert NAME in exported
    assert await terminal.run("campaign", "export", NAME, *T1) == 0
    assert terminal.out.strip() == exported.strip()


async def test_a_person_and_an_address_more_or_less(terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path) -> None:
    """The profile's addresses, its stream and its campaigns."""
    terminal.services = services_on(sqlite_store)
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    imported = await terminal.json("people", "import", str(people), *T1)
    assert (imported["created"], imported["updated"], [one["line"] for one in imported["rejected"]]) == (2, 0, [4])

    maya = ("maya@candidates.example", "maya@northwind.test")
    added = await terminal.json("people", "address", "add", *maya, "--type", "work", *T1)
    assert {"address": maya[1], "type": "work", "primary": False} in added["emails"]
    shown = await terminal.json("people", "show", maya[1], *T1)
    assert (shown["name"], shown["activities"], shown["enrollments"]) == ("Maya", [], [])
    removed = await terminal.json("people", "address", "remove", *maya, *T1)
    assert [one["address"] for one in removed["emails"]] == [maya[0]]


async def test_a_broken_mailbox_in_the_promised_shape(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Light, lag and error; ``show`` gives the same row, and an unknown address names the nearest."""
    terminal.services = services_on(sqlite_store)
    fault = SyncFault("credentials_rejected", "NO [AUTHENTICATIONFAILED]", "Press Reconnect.", NOW)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox(status=MailboxStatus.ERROR, fault=fault, last_sync_at=NOW))

    (row,) = await terminal.json("mailbox", "list", *T1)
    assert (row["status"], row["light"], row["lag_s"]) == ("error", "red", 0.0)
    assert row["last_sync_at"] == "2026-09-01T09:00:00Z"
    assert row["error"] == {"cause": fault.cause, "raw": fault.raw, "fix": fault.fix, "at": "2026-09-01T09:00:00Z"}
    assert row["broken"] == "reading"
    assert await terminal.json("mailbox", "show", "rita@agency.test", *T1) == [row]
    assert (await terminal.json("mailbox", "pause", "rita@agency.test", *T1))["status"] == "paused"
    assert await terminal.run("mailbox", "show", "rota@agency.test", *T1) == 1
    assert "Did you mean rita@agency.test?" in terminal.err


async def test_a_mailbox_that_only_sends_no_more_is_told_apart(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Red all the same, but mail is read."""
    terminal.services = services_on(sqlite_store)
    fault = SyncFault("smtp_auth_disabled", "535 5.7.139 disabled", "Ask the administrator.", NOW)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox(status=MailboxStatus.ERROR, fault=fault, send_fault=fault))

    (row,) = await terminal.json("mailbox", "list", *T1)
    assert (row["light"], row["error"]["cause"], row["broken"]) == ("red", "smtp_auth_disabled", "sending")


async def test_the_two_switches(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Each by itself, the other stays (R6, R9)."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
    switched = await terminal.json("mailbox", "switch", "rita@agency.test", "--capture", "off", *T1)
    assert (switched["send"], switched["capture"]) == (True, False)
    switched = await terminal.json("mailbox", "switch", "rita@agency.test", "--send", "off", "--capture", "on", *T1)
    assert (switched["send"], switched["capture"]) == (False, True)
    assert await terminal.run("mailbox", "switch", "rita@agency.test", *T1) == 2
    assert "--send" in terminal.err


async def test_a_mailbox_that_waits_for_a_seat_says_so(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Its seat, everybody's seats and what ends the wait; the limit's answer names who is moved (R35, R38)."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        later = NOW + timedelta(minutes=1)
        await uow.mailboxes.add(make_mailbox("mb2", address="omar@agency.test", owner="U0OMAR", created_at=later))
    changed = await terminal.json("settings", "set", "mailbox_limit", "1", *T1)
    assert changed["note"] == "Waiting for a seat from now on: omar@agency.test."
    rita, omar = await terminal.json("mailbox", "list", *T1)
    assert (rita["seat"], omar["seat"], omar["status"], omar["light"]) == ("held", "waits", "pending", "grey")
    assert omar["seats"] == {"used": 1, "limit": 1, "waiting": 1}
    assert omar["note"] == (
        "waits for a seat: 1 of 1 seat is in use; somebody must disconnect or pause a mailbox, "
        "or an admin raise mailbox_limit"
    )
    assert await terminal.run("mailbox", "list", *T1) == 0
    assert "1 of 1 seat is in use, 1 waiting." in terminal.out
    await terminal.json("mailbox", "remove", "rita@agency.test", *T1)
    (shown,) = await terminal.json("mailbox", "show", "omar@agency.test", *T1)
    assert (shown["status"], shown["seat"], shown["lag"]) == ("connecting", "held", "waiting to connect")


async def test_help_is_asked_for_with_the_facts(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Text for people, the same facts for programs, no secret (R25)."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
    pack = await terminal.json("mailbox", "escalate", "rita@agency.test", *T1)
    assert pack["facts"]["mailbox"] == "rita@agency.test"
    assert await terminal.run("mailbox", "escalate", "rita@agency.test", *T1) == 0
    assert "Rethread knows of no fault" in terminal.out


async def test_a_test_mail_to_itself_is_refused(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Exit 1 in words (R18)."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
    words = ("mailbox", "test", "rita@agency.test", "--to", "Rita+me@agency.test")
    assert await terminal.run(*words, *T1) == 1
    assert "proves nothing" in terminal.err
    assert await terminal.run("mailbox", "test", "rita@agency.test", *T1) == 1
    assert "no other connected mailbox" in terminal.err


async def test_settings_are_shown_and_set(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Each with default and meaning; out of bounds is refused."""
    terminal.services = services_on(sqlite_store)

    changed = await terminal.json("settings", "set", "freshness_s", "60", *T1)
    assert (changed["value"], changed["default"], changed["is_default"]) == (60, 300, False)
    lines = {line["key"]: line for line in await terminal.json("settings", "show", *T1)}
    assert lines["freshness_s"]["value"] == 60
    assert all(line["meaning"] for line in lines.values())
    assert await terminal.run("settings", "set", "freshness_s", "9999999", *T1) == 1
    assert await terminal.run("settings", "show", *T1) == 0
    assert "freshness_s = 60 (default 300)" in terminal.out


async def test_which_workspace_must_be_clear(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """More than one: wrong usage without --workspace; an unknown one is not found."""
    terminal.services = services_on(sqlite_store)

    assert await terminal.run("mailbox", "list") == 2
    assert "--workspace" in terminal.err
    assert await terminal.run("mailbox", "list", "--workspace", "T9") == 1


async def test_faults_of_a_campaign_file_reach_the_terminal_from_the_server(
    terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path
) -> None:
    """Line, field and reason, on standard error alone."""
    services, terminal.socket = services_on(sqlite_store), socket_path(tmp_path / "db")
    faulty = tmp_path / "faulty.yml"
    faulty.write_text("name: X\nfrom: rita@agency.test\nstages:\n  - kind: pigeon\n    body: Hi\n")

    async with serve_control(terminal.socket, lambda request, workspace: answer(services, request, workspace)):
        assert await terminal.run("campaign", "import", str(faulty), "--json", *T1) == 1
    assert terminal.out == ""
    assert "line 4" in terminal.err
    assert "kind" in terminal.err


async def test_a_backup_is_a_whole_database(terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path) -> None:
    """Taken while the store is open."""
    terminal.services = services_on(sqlite_store)
    copy = tmp_path / "copy.db"

    done = await terminal.json("backup", str(copy))

    assert done == {"file": str(copy)}
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM workspaces").fetchone() == (2,)


async def test_check_says_which_mailboxes_are_broken(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """A red light is a line that fails; where no mailbox is named for looking at, nothing is wrong."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox(status=MailboxStatus.ERROR))
    assert await terminal.run("check") == 0
    assert await terminal.run("check", "--json", "--workspace", "T1") == 1
    assert json.loads(terminal.out)[-1]["detail"] == "1 connected, 1 broken: rita@agency.test"


async def test_check_fails_when_one_line_does(terminal: Terminal, sqlite_store: SqlStore) -> None:
    """Exit 1, with the whole table."""
    terminal.services = services_on(sqlite_store)
    terminal.checks = [CheckLine("database", True, "newest schema")]
    assert await terminal.run("check") == 0
    terminal.checks.append(CheckLine("slack", False, "invalid_auth", "Copy the token again."))
    assert await terminal.run("check", "--json") == 1
    assert json.loads(terminal.out)[1] == {
        "name": "slack",
        "ok": False,
        "detail": "invalid_auth",
        "fix": "Copy the token again.",
    }


async def test_serve_and_migrate_are_the_composition_roots(terminal: Terminal) -> None:
    """Their status and their words are passed on."""
    assert await terminal.run("serve", "--role", "bot") == 7
    assert await terminal.json("migrate") == {"revision": "0003"}


async def test_classify_and_diagnose_touch_nothing(terminal: Terminal, tmp_path: Path) -> None:
    """Neither socket nor database; rows in the order given."""
    mails = []
    for number in range(3):
        mails.append(tmp_path / f"{number}.eml")
        await asyncio.to_thread(
            mails[-1].write_bytes, b"From: maya@candidates.example\r\nSubject: Re: A role\r\n\r\nYes.\r\n"
        )

    rows = await terminal.json("classify", *map(str, mails), "--own", "rita@agency.test")
    assert [row["file"] for row in rows] == [str(one) for one in mails]
    assert (
        await terminal.run("diagnose", "--layer", "imap", "--json", stdin=b"NO [AUTHENTICATIONFAILED] x\n\nodd \xff\n")
        == 0
    )
    assert [row["cause"] for row in json.loads(terminal.out)] == ["credentials_rejected", "unknown"]
    assert terminal.opened == 0
