"""Parts of the documents that are written from the code, so that both say the same.

``make docs`` writes them; test_docs.py fails while one of them is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Final

from bot.cli.commands import COMMANDS
from bot.cli.grammar import Command
from bot.slack.command_parser import MAILBOX, OUTREACH, VERBS, usage
from core.domain.diagnosis import CAUSES
from core.domain.workspace_settings import ALL as SETTINGS
from core.domain.workspace_settings import Setting
from tests.architecture import state_diagrams
from tests.architecture.source_tree import ROOT

_WHO: Final = {
    "nobody": "nobody: it passes",
    "recruiter": "the mailbox's owner",
    "mail_admin": "the mail administrator",
    "operator": "whoever runs Rethread",
    "vendor": "the makers of Rethread",
}


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def slack_commands() -> str:
    rows = [(f"`{usage(command, verb)}`", verb.does) for command in (MAILBOX, OUTREACH) for verb in VERBS[command]]
    return _table(("type", "and"), rows)


def cli_commands() -> str:
    return _table(("command", "does"), [(f"`{_line(one)}`", one.help) for one in COMMANDS])


def _line(command: Command) -> str:
    words = [command.verb]
    for one in command.arguments:
        name, keywords = one.names[0], one.keywords
        if not name.startswith("-"):
            shown = str(keywords.get("metavar") or name.upper())
            words.append(f"[{shown} …]" if keywords.get("nargs") == "*" else shown)
            continue
        flag = "action" in keywords and str(keywords["action"]).startswith("store_")
        value = "" if flag else " " + _value(one.names[0], keywords)
        words.append(f"{name}{value}" if keywords.get("required") else f"[{name}{value}]")
    return " ".join(words)


def _value(name: str, keywords: object) -> str:
    assert isinstance(keywords, dict)
    choices = keywords.get("choices")
    return "|".join(choices) if choices else str(keywords.get("metavar") or name.lstrip("-").upper())


def workspace_settings() -> str:
    return _table(
        ("setting", "default", "may be", "meaning"),
        [(f"`{one.key}`", _default(one), _bounds(one), one.meaning) for one in SETTINGS],
    )


def _default(setting: Setting) -> str:
    if setting.default in (None, ()):
        return "none"
    if isinstance(setting.default, tuple):
        return ",".join(f"{value:g}" for value in setting.default)
    return str(setting.default)


def _bounds(setting: Setting) -> str:
    if setting.kind == "choice":
        return ", ".join(setting.choices)
    if setting.kind == "channel":
        return "a channel"
    if setting.kind == "names":
        return "names, separated by commas"
    numbers = f"{setting.low:g} to {setting.high:.9g}"
    return f"up to ten growing numbers, {numbers}" if setting.kind == "numbers" else numbers


def causes() -> str:
    rows = [
        (f"`{name}`", cause.title, _WHO[cause.mended_by().value], cause.fix)
        for name, cause in sorted(CAUSES.items(), key=lambda pair: (pair[1].mended_by().value, pair[0]))
    ]
    return _table(("cause", "shown as", "who mends it", "what to do"), rows)


PARTS: Final[tuple[tuple[str, str, Callable[[], str]], ...]] = (
    ("core/README.md", "state diagrams", state_diagrams.render),
    ("docs/recruiters.md", "slack commands", slack_commands),
    ("docs/admins.md", "workspace settings", workspace_settings),
    ("docs/causes.md", "causes", causes),
    ("docs/operators.md", "command line", cli_commands),
)
"""File, name of the part, what writes it."""


def renewed(text: str, name: str, render: Callable[[], str]) -> str:
    """A document with one part renewed. Raises ValueError where its markers are missing."""
    begin, end = f"<!-- {name}: written by `make docs` -->", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no markers for {name}")
    return pattern.sub(lambda _: f"{begin}\n\n{render().strip()}\n\n{end}", text, count=1)


if __name__ == "__main__":
    for file, name, render in PARTS:
        path = ROOT / file
        path.write_text(renewed(path.read_text(encoding="utf-8"), name, render), encoding="utf-8")
        sys.stdout.write(f"{file}: {name}\n")
