"""What each command line asks for, and which ones are wrong usage."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.cli.command_error import UsageError
from bot.cli.commands import COMMANDS, parse
from bot.cli.executor import HANDLERS
from bot.cli.grammar import Invocation, Place
from bot.cli.source import Source
from core.errors import InputError

ADD = "mailbox add --address rita@agency.test --owner U0RITA --imap [::1]:1143 --smtp smtp.agency.test:587"


def understood(line: str | list[str], stdin: bytes = b"") -> Invocation:
    argv = line.split() if isinstance(line, str) else line
    return parse(argv, Source(io.BytesIO(stdin)))


@pytest.mark.parametrize(
    ("line", "verb", "args"),
    [
        ("serve", "serve", {"role": None}),
        ("serve --role bot", "serve", {"role": "bot"}),
        ("mailbox list", "mailbox list", {}),
        ("mailbox resync rita@agency.test", "mailbox resync", {"address": "rita@agency.test"}),
        ("mailbox log rita@agency.test", "mailbox log", {"address": "rita@agency.test", "limit": 20}),
        ("people address add a@x.test b@x.test", "people address add",
         {"email": "a@x.test", "address": "b@x.test", "type": "other"}),
        ("campaign enroll Autumn --email a@x.test b@x.test --email c@x.test", "campaign enroll",
         {"name": "Autumn", "csv": None, "emails": ["a@x.test", "b@x.test", "c@x.test"]}),
        ("prospect retry Autumn a@x.test --bypass-validation", "prospect retry",
         {"name": "Autumn", "email": "a@x.test", "bypass_validation": True}),
        ("retry Autumn --reason mailbox_full", "retry", {"name": "Autumn", "reason": "mailbox_full"}),
        ("email-log --status Sent --person maya", "email-log",
         {"campaign": None, "status": "Sent", "person": "maya", "page": 1, "size": 500}),
        ("campaign stage change Autumn 2 --set delay=3d --set required=true", "campaign stage change",
         {"name": "Autumn", "stage": 2, "fields": {"delay": "3d", "required": True}}),
        ("campaign set Autumn --set shared=yes --set job=", "campaign set",
         {"name": "Autumn", "fields": {"shared": True, "job": ""}}),
        ("campaign move Autumn Winter --status Complete", "campaign move",
         {"from": "Autumn", "to": "Winter", "status": ["Complete"]}),
        ("email-log cancel d1", "email-log cancel", {"id": "d1"}),
        ("settings set freshness_s 60", "settings set", {"key": "freshness_s", "value": "60"}),
        ("classify a.eml b.eml --own rita@agency.test omar@agency.test", "classify",
         {"files": ["a.eml", "b.eml"], "own": ["rita@agency.test", "omar@agency.test"]}),
        ("classify --own rita@agency.test a.eml", "classify", {"files": ["a.eml"], "own": ["rita@agency.test"]}),
    ],
)  # fmt: skip
def test_command_lines_become_requests(line: str, verb: str, args: dict[str, Any]) -> None:
    """Verb and arguments as the executor takes them."""
    assert understood(line).request.verb == verb
    assert understood(line).request.args == args


def test_a_mailbox_is_described_in_full() -> None:
    """The password comes in by the standard input; what is left out follows from the rest."""
    request = understood(f"{ADD} --password-stdin --no-capture", b"correct horse\r\nsecond line\n").request

    assert request.args == {
        "address": "rita@agency.test",
        "owner": "U0RITA",
        "display_name": "",
        "imap": {"host": "::1", "port": 1143, "tls": "ssl"},
        "smtp": {"host": "smtp.agency.test", "port": 587, "tls": "starttls"},
        "username": "rita@agency.test",
        "password": "correct horse",
        "send": True,
        "capture": False,
    }


@pytest.mark.parametrize("line", ["--json --workspace T1 mailbox list", "mailbox list --workspace T1 --json"])
def test_common_options_stand_anywhere(line: str) -> None:
    """Before the command or behind it."""
    invocation = understood(line)

    assert invocation.json
    assert invocation.workspace == "T1"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "mailbox",
        "mailbx list",
        "mailbox test",
        "mailbox switch rita@agency.test",
        "mailbox switch rita@agency.test --send perhaps",
        "mailbox list extra",
        "mailbox list --jso",
        "serve --role king",
        ADD,
        f"{ADD.replace('587', '99999')} --password-stdin",
        f"{ADD.replace('[::1]:1143', 'imap.agency.test')} --password-stdin",
        "diagnose",
        "diagnose --layer carrier-pigeon",
        "classify",
        "classify --smtp a.eml",
        "email-log cancel",
    ],
)
def test_wrong_usage_is_said_and_nothing_else(line: str) -> None:
    """Exit status 2 belongs to this error."""
    with pytest.raises(UsageError):
        understood(line, b"secret\n")


def test_files_are_read_where_the_person_is(tmp_path: Path) -> None:
    """CSV travels byte by byte, YAML as text; both fit into JSON."""
    people, campaign = tmp_path / "people.csv", tmp_path / "campaign.yml"
    people.write_bytes(b"personal_email\nZo\xeb@candidates.example\n")
    campaign.write_text("\ufeffname: Backend engineers\n", "utf-8")

    imported = understood(["people", "import", str(people)]).request
    assert base64.b64decode(json.loads(json.dumps(imported.args))["csv"]) == people.read_bytes()
    assert understood(["campaign", "import", str(campaign)]).request.args == {"yaml": "name: Backend engineers\n"}


CAMPAIGN = """\
name: Backend engineers
from: rita@agency.test
stages:
  - subject: Hello
    body: Hi
    attachments: [jd.pdf]
"""


def test_the_files_that_a_campaign_attaches_travel_with_it(tmp_path: Path) -> None:
    """Read beside the file, by the person who names it."""
    campaign = tmp_path / "campaign.yml"
    campaign.write_text(CAMPAIGN)
    (tmp_path / "jd.pdf").write_bytes(b"%PDF")
    args = understood(["campaign", "import", str(campaign)]).request.args
    assert {name: base64.b64decode(content) for name, content in args["files"].items()} == {"jd.pdf": b"%PDF"}


@pytest.mark.parametrize("kind", ["missing", "link", "folder", "pipe", "large"])
def test_what_is_no_plain_file_of_ten_megabytes_is_not_read(tmp_path: Path, kind: str) -> None:
    """No link out of the folder, no pipe that never ends."""
    campaign, there = tmp_path / "campaign.yml", tmp_path / "jd.pdf"
    campaign.write_text(CAMPAIGN)
    match kind:
        case "link":
            there.symlink_to("/etc/hostname")
        case "folder":
            there.mkdir()
        case "pipe":
            os.mkfifo(there)
        case "large":
            with there.open("wb") as file:
                file.truncate(10_000_001)
    with pytest.raises(InputError, match=r"jd\.pdf"):
        understood(["campaign", "import", str(campaign)])


def test_a_path_out_of_the_folder_is_never_followed(tmp_path: Path) -> None:
    """The file itself has a fault then, and nothing is read."""
    campaign = tmp_path / "campaign.yml"
    campaign.write_text(CAMPAIGN.replace("jd.pdf", "../../etc/passwd"))
    assert "files" not in understood(["campaign", "import", str(campaign)]).request.args


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Missing, a folder, or no text."""
    latin = tmp_path / "latin.yml"
    latin.write_bytes(b"name: Zo\xeb\n")
    for path, reason in ((tmp_path / "none.yml", "No such file"), (tmp_path, "directory"), (latin, "not UTF-8")):
        with pytest.raises(InputError, match=reason) as caught:
            understood(["campaign", "import", str(path)])
        assert caught.value.where == str(path)


def test_a_missing_password_is_said() -> None:
    """An empty standard input is a mistake, not an empty password."""
    with pytest.raises(InputError, match="holds no password"):
        understood(f"{ADD} --password-stdin", b"")


def test_every_command_has_somebody_who_carries_it_out() -> None:
    """The table of commands and the table of handlers name the same verbs."""
    offered = {command.verb for command in COMMANDS if command.place is Place.STORE}

    assert offered - {"backup"} == set(HANDLERS)
