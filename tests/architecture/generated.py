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
from core.domain import provider_caps
from core.domain.diagnosis import CAUSES
from core.domain.enrollment import TRANSITIONS, ProspectEvent, ProspectStatus
from core.domain.reasons import CODES, reason
from core.domain.taxonomy import TOPICS
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


_ACTIONS: Final = {
    "Pause": ProspectEvent.PAUSE,
    "Unpause": ProspectEvent.UNPAUSE,
    "Skip": ProspectEvent.SKIP,
    "Retry": ProspectEvent.RETRY,
    "Retry past validation": ProspectEvent.RETRY_BYPASS,
    "They called, texted, booked": ProspectEvent.THEY_CALLED,
    "Mark finished": ProspectEvent.FINISH,
    "Remove": ProspectEvent.REMOVE,
}
_WARNED: Final = {(ProspectEvent.RETRY, ProspectStatus.BOUNCED), (ProspectEvent.RETRY, ProspectStatus.SPAM)}
"""Legal, but refused once with the reason why it will hardly help."""


def prospect_actions() -> str:
    """What may be done with a prospect in which status."""

    def cell(event: ProspectEvent, status: ProspectStatus) -> str:
        if status not in TRANSITIONS[event]:
            return ""
        return "asks first" if (event, status) in _WARNED else "yes"

    rows = [(status.value, *(cell(event, status) for event in _ACTIONS.values())) for status in ProspectStatus]
    return _table(("status", *_ACTIONS), rows)


_SHOWN_WITH: Final = {
    ProspectStatus.NOT_DELIVERED: (
        "null_email invalid_recipient suppressed no_account_selected email_not_synced email_limit too_many_retries "
        "content_rejected attachment_missing canceled sms_off no_phone sms_refused sms_invalid_number sms_not_mobile "
        "sms_unreachable sms_no_route sms_opted_out sms_country_off sms_not_registered sms_wrong_sender sms_filtered "
        "sms_text sms_account sms_trial sms_busy sms_unavailable sms_unknown"
    ),
    ProspectStatus.PENDING: (
        "risky_address address_check missing_variable sync_behind sync_partial host_away mailbox_paused "
        "mailbox_pending delivery_unknown campaign mailbox_limit minute_limit domain_limit provider_limit "
        "company_limit first_mails_limit sms_limit sms_daily_limit mailbox_brake campaign_brake everything_stopped "
        "owner_away out_of_office manual_stage"
    ),
    ProspectStatus.PAUSED: "they_called they_texted they_booked",
    ProspectStatus.COMPLETE: "unsubscribed",
}
"""Reason codes by the status beside which they are the badge."""


def reasons() -> str:
    """Every badge with what happened and what to press."""
    told = [(status, code) for status, codes in _SHOWN_WITH.items() for code in codes.split()]
    assert sorted(code for _, code in told) == sorted(CODES)
    rows = [(status.value, f"`{code}`", reason(code).text, reason(code).fix) for status, code in told]
    return _table(("status", "code", "shown as", "what to do"), rows)


def refusals() -> str:
    """What a mail server's refusal makes of a prospect."""
    order = [status.value for status in ProspectStatus]
    topics = sorted(
        (topic for topic in TOPICS.values() if topic.status), key=lambda one: (order.index(one.status or ""), one.badge)
    )
    return _table(("status", "badge", "what to do"), [(one.status or "", one.badge, one.fix) for one in topics])


def provider_limits() -> str:
    keys = dict.fromkeys((*provider_caps.DAILY, *provider_caps.PER_MINUTE))
    caps, minutes = provider_caps.DAILY, provider_caps.PER_MINUTE
    return _table(
        ("provider", "name", "in 24 hours", "in a minute"),
        [
            (
                provider_caps.label_of(key),
                f"`{key}`",
                f"{caps[key]:,}" if key in caps else "not limited",
                f"{minutes[key]:,}" if key in minutes else "not limited",
            )
            for key in keys
        ],
    )


PARTS: Final[tuple[tuple[str, str, Callable[[], str]], ...]] = (
    ("core/README.md", "state diagrams", state_diagrams.render),
    ("docs/recruiters.md", "slack commands", slack_commands),
    ("docs/recruiters.md", "prospect actions", prospect_actions),
    ("docs/reasons.md", "reasons", reasons),
    ("docs/reasons.md", "refusals", refusals),
    ("docs/admins.md", "provider limits", provider_limits),
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
