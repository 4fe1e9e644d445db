"""Outreach at the terminal: files, copies, moves, edits, bulk actions, the Email Log, the do-not-contact list."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.sql_store import SqlStore
from tests.integration.cli.conftest import Terminal, services_on
from tests.stores import make_mailbox

T1 = ("--workspace", "T1")
MAYA, NOOR = "maya@candidates.example", "noor@candidates.example"
FILE = """\
name: Autumn
from: rita@agency.test
owner: U0RITA
shared: true
job: Backend engineer
job_stage: Sourced
stages:
  - subject: Hello
    body: Hi {{first_name}}
    attachments: [jd.pdf]
  - delay: 1d
    body: Still there?
  - kind: call
    delay: 1d
    note: Ask
"""


@pytest.fixture
async def autumn(terminal: Terminal, sqlite_store: SqlStore, tmp_path: Path) -> Terminal:
    """A running campaign with Maya and Noor."""
    terminal.services = services_on(sqlite_store)
    async with sqlite_store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
    people, campaign = tmp_path / "people.csv", tmp_path / "autumn.yml"
    people.write_text(f"first_name,personal_email\nMaya,{MAYA}\nNoor,{NOOR}\n")
    campaign.write_text(FILE)
    (tmp_path / "jd.pdf").write_bytes(b"%PDF" + bytes(1_500_000))
    made = await terminal.json("campaign", "import", str(campaign), *T1)
    assert [warning[:15] for warning in made["warnings"]] == ["jd.pdf has 1.5 "]
    await terminal.json("campaign", "enroll", "Autumn", "--people", str(people), *T1)
    await terminal.json("campaign", "start", "Autumn", *T1)
    return terminal


async def test_a_campaign_comes_back_with_its_files(autumn: Terminal, tmp_path: Path) -> None:
    """The YAML on standard output, what it attaches in a folder."""
    into = tmp_path / "out"
    exported = await autumn.json("campaign", "export", "Autumn", "--files", str(into), *T1)
    assert exported["files"] == [str(into / "jd.pdf")]
    assert (into / "jd.pdf").stat().st_size == 1_500_004
    assert "job_stage: Sourced" in exported["file"]


async def test_campaigns_are_filtered_and_sorted(autumn: Terminal) -> None:
    """R157, R158, R160."""
    copy = await autumn.json("campaign", "duplicate", "Autumn", *T1)
    assert (copy["name"], copy["status"]) == ("Autumn (copy)", "draft")
    for options, names in (
        (("--status", "draft"), ["Autumn (copy)"]),
        (("--shared", "yes", "--sort", "prospects"), ["Autumn", "Autumn (copy)"]),
        (("--job", "backend", "--sort", "name", "--reverse"), ["Autumn (copy)", "Autumn"]),
        (("--owner", "U0OMAR"), []),
    ):
        assert [one["name"] for one in await autumn.json("campaign", "list", *options, *T1)] == names
    assert await autumn.run("campaign", "list", "--status", "gone", *T1) == 1
    assert "no status of a campaign" in autumn.err


async def test_people_move_by_status(autumn: Terminal) -> None:
    """R146, R161: added there, finished here; who is there already is named."""
    await autumn.json("campaign", "duplicate", "Autumn", "--as", "Winter", *T1)
    await autumn.json("prospect", "pause", "Autumn", NOOR, *T1)
    moved = await autumn.json("campaign", "move", "Autumn", "Winter", "--status", "Paused", *T1)
    assert moved == {"moved": 1, "skipped": []}
    again = await autumn.json("campaign", "move", "Autumn", "Winter", *T1)
    assert again["moved"] == 1
    assert [one["email"] for one in again["skipped"]] == [NOOR]
    page = await autumn.json("prospect", "list", "Autumn", "--sort", "name", *T1)
    assert [row["status"] for row in page["prospects"]] == ["Complete", "Complete"]


async def test_stages_change_and_go(autumn: Terminal) -> None:
    """R154: while people are at it, a stage stays, unless they are skipped."""
    assert await autumn.run("campaign", "stage", "delete", "Autumn", "1", *T1) == 1
    assert "2 people are at stage 1" in autumn.err
    assert await autumn.run("campaign", "stage", "delete", "Autumn", "1", "--skip", *T1) == 1
    assert "subject is missing" in autumn.err
    await autumn.json("campaign", "stage", "change", "Autumn", "2", "--set", "subject=Hello again", *T1)
    changed = await autumn.json("campaign", "stage", "delete", "Autumn", "1", "--skip", *T1)
    assert changed["stages"] == 2
    await autumn.json("campaign", "stage", "add", "Autumn", "--set", "kind=task", "--set", "note=Wave", *T1)
    await autumn.json("campaign", "stage", "change", "Autumn", "3", "--set", "delay=2bd", *T1)
    page = await autumn.json("prospect", "list", "Autumn", *T1)
    assert [row["stage"] for row in page["prospects"]] == [2, 2]
    assert "2bd" in (await autumn.json("campaign", "export", "Autumn", *T1))["file"]


async def test_a_finish_is_undone_and_the_ledger_tells_both(autumn: Terminal) -> None:
    """X7, X8, X9."""
    assert (await autumn.json("prospect", "called", "Autumn", MAYA, *T1))["status"] == "Paused"
    assert (await autumn.json("prospect", "finish", "Autumn", MAYA, *T1))["status"] == "Complete"
    assert (await autumn.json("prospect", "undo", "Autumn", MAYA, *T1))["status"] == "Paused"
    lines = await autumn.json("prospect", "ledger", "Autumn", MAYA, *T1)
    assert [(one["event"], one["before"], one["after"]) for one in lines] == [
        ("they_called", "Active", "Paused"),
        ("finish", "Paused", "Complete"),
        ("undo_finish", "Complete", "Paused"),
    ]
    assert await autumn.run("prospect", "ledger", "Autumn", MAYA, *T1) == 0
    assert "They called at the command line: Active → Paused" in autumn.out


async def test_one_action_on_all_that_match(autumn: Terminal) -> None:
    """R140 to R142; the export is CSV."""
    assert await autumn.json("prospect", "bulk", "pause", "Autumn", "--text", "maya", *T1) == {"done": 1, "refused": []}
    refused = (await autumn.json("prospect", "bulk", "unpause", "Autumn", *T1))["refused"]
    assert [one["email"] for one in refused] == [NOOR]
    assert await autumn.run("prospect", "export", "Autumn", "--status", "Active", *T1) == 0
    assert autumn.out.splitlines()[0] == "name,email,status,reason,stage,next_at"
    assert MAYA in autumn.out


async def test_the_log_is_cancelled_and_retried_from(autumn: Terminal) -> None:
    """R163, R164, R169."""
    (row,) = await autumn.json("email-log", "--person", "maya", *T1)
    assert row["status"] == "Waiting"
    assert (await autumn.json("email-log", "cancel", row["id"], *T1))["reason"]["code"] == "canceled"
    assert (await autumn.json("email-log", "retry", row["id"], *T1))["status"] == "Active"
    assert await autumn.run("email-log", "retry", row["id"], *T1) == 1
    assert len(await autumn.json("email-log", "--size", "1", "--page", "2", *T1)) == 1


async def test_the_do_not_contact_list(autumn: Terminal, tmp_path: Path) -> None:
    """Who is put on it is stopped at once, and cannot be enrolled any more."""
    added = await autumn.json("block", "add", MAYA, "--note", "asked by phone", *T1)
    assert added == {"added": 1, "stopped": 1, "rejected": []}
    listed = tmp_path / "block.csv"
    listed.write_text("email,why\n@candidates.example,client\nnonsense\n")
    imported = await autumn.json("block", "import", str(listed), *T1)
    assert (imported["added"], imported["stopped"], imported["rejected"][0]["line"]) == (1, 1, 3)
    await autumn.json("campaign", "duplicate", "Autumn", "--as", "Winter", *T1)
    enrolled = await autumn.json("campaign", "enroll", "Winter", "--email", MAYA, NOOR, *T1)
    assert enrolled["enrolled"] == 0
    assert {one["email"] for one in enrolled["skipped"]} == {MAYA, NOOR}
    assert (await autumn.json("block", "list", *T1))["total"] == 2
    assert (await autumn.json("block", "remove", "@candidates.example", *T1))["code"] == "asked"
    assert await autumn.run("block", "remove", "@candidates.example", *T1) == 1


async def test_everything_stops_and_goes_on(autumn: Terminal) -> None:
    """The admin's brake and a recruiter's days off, said at the terminal."""
    assert (await autumn.json("stop-everything", *T1))["held"] == "everything_stopped"
    assert (await autumn.json("left", *T1))["stopped"]
    assert "going_on" in await autumn.json("resume-everything", *T1)
    assert (await autumn.json("away", "U0RITA", *T1))["of"] == "U0RITA"
    assert "going_on" in await autumn.json("back", "U0RITA", *T1)
    assert await autumn.run("away", "U0RITA", "--until", "soon", *T1) == 1
