"""The documents and the product say the same."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli.commands import COMMANDS
from bot.slack.command_parser import MAILBOX, OUTREACH, VERBS
from bot.web.metrics import Metrics, Snapshot
from core import settings
from core.domain.workspace_settings import ALL as SETTINGS
from tests.architecture.generated import PARTS, renewed
from tests.architecture.source_tree import ROOT, name_of, tracked

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "name", "render"), PARTS, ids=[part[1] for part in PARTS])
def test_what_is_written_from_the_code_is_up_to_date(file: str, name: str, render: Callable[[], str]) -> None:
    """Where this fails, run ``make docs``."""
    assert renewed(_text(file), name, render) == _text(file)


def _explained() -> set[str]:
    """The variables of the table; a row may explain several."""
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", _text("docs/operators.md"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"[A-Z_]+", row)}


def test_every_environment_variable_is_explained_to_operators() -> None:
    """Both ways: none is unexplained, and none is explained that is not read."""
    source = inspect.getsource(settings) + _text("app.py")
    read = set(re.findall(r'"((?:SLACK|RETHREAD|DATABASE|GOOGLE|MICROSOFT|TWILIO)_[A-Z_]+)"', source))
    assert len(read) > 15
    assert _explained() == read


def test_the_example_environment_offers_what_must_be_given() -> None:
    """And nothing that is not read."""
    offered = set(re.findall(r"^#? ?([A-Z_]+)=", _text(".env.example"), re.MULTILINE))
    assert offered <= _explained()
    assert {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "RETHREAD_SECRET_KEYS"} <= offered


def test_every_metric_is_explained_to_operators() -> None:
    """By the names under which Prometheus finds them."""

    async def nothing() -> Snapshot:
        return Snapshot()

    made = {family.name for family in Metrics(nothing).registry.collect()}
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", _text("docs/operators.md"), re.MULTILINE))
    assert made
    assert made <= explained, made - explained


def test_commands_named_in_documents_exist() -> None:
    """Those after a slash in Slack, and those of the terminal by their first words."""
    in_slack = {f"{command} {verb.name}" for command in (MAILBOX, OUTREACH) for verb in VERBS[command]}
    typed = {one.verb for one in COMMANDS}
    nouns = {verb.partition(" ")[0] for verb in typed if " " in verb}
    for path in DOCUMENTS:
        for named in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8")):
            words = named.split()
            if re.match(r"/(mailbox|outreach) [a-z]", named):
                assert " ".join(words[:2]) in in_slack, f"{name_of(path)}: {named}"
            elif len(words) > 1 and words[0] in nouns and "…" not in words:
                assert any(f"{named} ".startswith(f"{verb} ") for verb in typed), f"{name_of(path)}: {named}"


def test_limits_are_told_to_admins_with_their_names_and_defaults() -> None:
    """The table says by which setting each is changed; where that is one number, it is the number of the settings."""
    known = {one.key: one for one in SETTINGS}
    limits = _text("docs/admins.md").partition("## Limits")[2].partition("## Brakes")[0]
    rows = [line.strip("| ").split(" | ") for line in limits.splitlines() if line.count(" | ") == 3][1:]
    told = 0
    for what, default, changed_by, _ in (row for row in rows if not row[0].startswith(("---", "Google", "Gmail"))):
        names = re.findall(r"`([a-z_]+)`", changed_by)
        assert set(names) <= known.keys(), what
        if len(names) == 1 and isinstance(number := known[names[0]].default, int):
            assert default.strip("*") == (f"{number:,}" if number else "none"), what
            told += 1
    assert told >= 2


def test_the_readme_names_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8"))}
    first_screen = _text("README.md")[:2_000]
    assert {"make demo", "make test"} <= set(re.findall(r"make \w+", first_screen))
    assert named <= targets, named - targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_files_named_in_documents_exist(path: Path) -> None:
    """`core/domain/delivery.py` in a sentence is a promise too."""
    text = path.read_text(encoding="utf-8")
    for named in re.findall(r"`((?:bot|core|storage|sandbox|tests|bench|docs)/[\w./-]+\.\w+)`", text):
        assert (ROOT / named).exists(), named


def test_every_decision_says_context_decision_and_consequences() -> None:
    decisions = [path for path in DOCUMENTS if name_of(path).startswith("docs/decisions/")]
    decisions = [path for path in decisions if path.name != "README.md"]
    assert len(decisions) >= 6
    for path in decisions:
        headings = re.findall(r"^## (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], name_of(path)


def test_tests_named_in_documents_exist() -> None:
    """A requirement's proof may not vanish behind its back."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", _text("docs/requirements.md")))
    assert len(named) > 100
    for file, test in sorted(named):
        assert re.search(rf"^ *(?:async )?def {test}\(", _text(file), re.MULTILINE), f"{file}::{test}"


def test_every_requirement_that_is_there_names_what_shows_it() -> None:
    """Where nobody can see it fail, nobody may say that it is there; what is there in part may say so instead."""
    done = _text("docs/requirements.md").partition("## Not yet")[0]
    rows = [line for line in done.splitlines() if re.match(r"\| [RX]\d", line)]
    assert rows
    assert [row for row in rows if "`tests/" not in row and "in part" not in row] == []


def test_every_requirement_is_told_done_or_not_yet_and_never_both() -> None:
    """A requirement that nobody mentions is one that everybody forgot."""
    done, _, open_ = _text("docs/requirements.md").partition("## Not yet")
    told = _numbers(done), _numbers(open_)
    everything = {f"R{number}" for number in range(1, 227)} | {f"X{number}" for number in range(1, 13)}
    assert told[0] & told[1] == set()
    assert told[0] | told[1] == everything


def _numbers(text: str) -> set[str]:
    """R102 to R104 are three."""
    found = set(re.findall(r"\b[RX]\d{1,3}\b", text))
    for first, last in re.findall(r"\bR(\d{1,3}) to R(\d{1,3})\b", text):
        found |= {f"R{number}" for number in range(int(first), int(last) + 1)}
    return found
