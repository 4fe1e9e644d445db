"""Results as people read them: plain tables and sentences. Pure.

Mail and server answers are hostile: whatever could drive the terminal (control and direction marks) is replaced.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.cli.command_error import CommandError
from core.domain.diagnosis.causes_own import OWN_CAUSES
from core.domain.dns_checks import PROPAGATION, Verdict
from core.domain.figures import CAVEATS, ENGAGED, percent, share
from core.domain.providers import facts
from core.domain.seats import SeatCount

_MOST_IN_CELL: Final = 60
_DNS_CHECKS: Final = ("mx", "spf", "dmarc", "dkim")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Row = Mapping[str, Any]


def _safe(line: str) -> str:
    """A line with its own spaces, and nothing that drives the terminal."""
    return "".join(" " if unicodedata.category(char) in _HIDDEN else char for char in line)


def plain(value: Any, *, most: int | None = None) -> str:
    """A value as one line of harmless text."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(_safe(str(value)).split())
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns as wide as their longest cell."""
    cells = [[plain(cell, most=_MOST_IN_CELL) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    lines = [headings, *cells]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def render(verb: str, result: Any) -> str:
    """What a person reads of a command's result."""
    return _RENDERERS.get(verb, _sentence)(result)


def words_of(failure: CommandError) -> str:
    """What went wrong, the server's own words where there are any, and what to do."""
    faults = failure.facts.get("faults") or []
    lines = [plain(line) for line in failure.message.splitlines()] if not faults else ["The file has faults:"]
    lines += [f"  line {one['line']}, {plain(one['field'])}: {plain(one['reason'])}" for one in faults]
    if failure.facts.get("server_said"):
        lines.append(f"The server said: {plain(failure.facts['server_said'])}")
    if failure.fix:
        lines.append(plain(failure.fix))
    return "\n".join(lines)


def _sentence(result: Any) -> str:
    """Any object, a name and a value a line."""
    rows = result if isinstance(result, list) else [result]
    return "\n\n".join("\n".join(f"{_label(key)}: {_value(value)}" for key, value in row.items()) for row in rows)


def _label(key: str) -> str:
    return key.replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_label(key)} {_value(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "–"
    return plain(value)


def _mailboxes(rows: Sequence[Row]) -> str:
    if not rows:
        return "No mailbox is connected."
    lines = table(
        ("LIGHT", "ADDRESS", "STATUS", "SEND", "CAPTURE", "LAST READ", "OLD MAIL LEFT"),
        [
            (r["light"], r["address"], r["status"], r["send"], r["capture"], r["last_sync_at"], r["history_left"])
            for r in rows
        ],
    )
    waiting = [f"{row['address']} {plain(row['note'])}" for row in rows if row["note"]]
    return "\n".join([lines, *waiting, *(_trouble(row) for row in rows if row["error"])])


def _mailbox_list(rows: Sequence[Row]) -> str:
    """The seats last, where there is a limit (R38)."""
    shown = _mailboxes(rows)
    seats = rows[0]["seats"] if rows else None
    if not seats or not seats["limit"]:
        return shown
    return f"{shown}\n\n{SeatCount(seats['used'], seats['limit']).words}, {seats['waiting']} waiting."


def _mailbox_shown(rows: Sequence[Row]) -> str:
    """One mailbox with everything that is known of it."""
    (row,) = rows
    seat = {"held": "has a seat", "waits": "waits for a seat", "none": "has no seat"}[row["seat"]]
    reading = f"{plain(row['lag'])}; {row['history_left']:,} old mails to read; {seat}"
    counted = ""
    if row["matched"] is not None:
        counted = (
            f"\nLast 30 days: {row['matched']:,} mails of people on profiles, {row['strangers']:,} of nobody known "
            "(nothing is kept of those)"
        )
    return f"{_mailboxes(rows)}\n\n{reading}{counted}"


def _trial(result: Row) -> str:
    lines = [f"The mail server took the test mail to {plain(result['to'])}."]
    if result["server_said"]:
        lines.append(f"The server said: {plain(result['server_said'])}")
    lines.append(plain(result["arrival"]) if result["arrival"] else "Look there whether it has arrived, also in spam.")
    return "\n".join(lines)


def _escalation(result: Row) -> str:
    return "\n".join(_safe(line) for line in str(result["text"]).splitlines())


def _trouble(row: Row) -> str:
    error = row["error"]
    whose = "Rethread saw" if error["cause"] in OWN_CAUSES else "The server said"
    what = "sending broken, mail is read; " if row["broken"] == "sending" else ""
    return (
        f"\n{row['address']}: {what}{plain(error['cause'])} since {error['at']}\n"
        f"  {whose}: {plain(error['raw'])}\n  {plain(error['fix'])}"
    )


def _mailbox(row: Row) -> str:
    return _mailboxes([row])


def _sync_log(rows: Sequence[Row]) -> str:
    return (
        table(("AT", "CAUSE", "SAID OR SEEN"), [(r["at"], r["cause"], r["raw"]) for r in rows]) if rows else "Nothing."
    )


def _imported(result: Row) -> str:
    lines = [f"{result['created']} created, {result['updated']} updated, {len(result['rejected'])} rejected"]
    return "\n".join([*lines, *(f"  line {one['line']}: {plain(one['reason'])}" for one in result["rejected"])])


def _person(result: Row) -> str:
    parts = [
        plain(result["name"]),
        table(("ADDRESS", "TYPE", "PRIMARY"), [tuple(e.values()) for e in result["emails"]]),
    ]
    if result.get("enrollments"):
        rows = [(e["campaign"], e["status"], e["stage"], _why(e["reason"])) for e in result["enrollments"]]
        parts.append(table(("CAMPAIGN", "STATUS", "STAGE", "REASON"), rows))
    if result.get("activities"):
        rows = [(a["at"], a["direction"], a["mailbox"], a["subject"]) for a in result["activities"]]
        parts.append(table(("AT", "WAY", "MAILBOX", "SUBJECT"), rows))
    parts.extend(plain(sentence) for sentence in result.get("old_mail", ()))
    return "\n\n".join(parts)


def _why(reason: Row | None) -> str | None:
    return reason["text"] if reason else None


def _campaigns(rows: Sequence[Row]) -> str:
    if not rows:
        return "There is no campaign yet."
    return table(
        ("NAME", "STATUS", "STAGES", "PEOPLE", "PROSPECTS"),
        [(r["name"], r["status"], r["stages"], r["people"], _value(r["prospects"])) for r in rows],
    )


def _exported(result: Row) -> str:
    """The file itself, for redirecting; it was written by us from checked values."""
    return str(result["file"]).rstrip("\n")


def _named(people: Sequence[Row]) -> list[str]:
    return [f"  {plain(one['email'])}: {plain(one['reason'])}" for one in people]


def _elsewhere(result: Row) -> list[str]:
    """The same person in two running campaigns is worth a look."""
    return [
        f"  {plain(one['email'])} is written to by {', '.join(map(plain, one['campaigns']))} as well"
        for one in result.get("also_in", ())
    ]


def _enrolled(result: Row) -> str:
    head = f"{result['enrolled']} enrolled, {len(result['skipped'])} skipped"
    return "\n".join([head, *_named(result["skipped"]), *_elsewhere(result)])


def _moved(result: Row) -> str:
    head = f"{result['moved']} moved, {len(result['skipped'])} left as they are"
    return "\n".join([head, *_named(result["skipped"]), *_elsewhere(result)])


def _in_bulk(result: Row) -> str:
    return "\n".join([f"{result['done']} done, {len(result['refused'])} refused", *_named(result["refused"])])


def _ledger(rows: Sequence[Row]) -> str:
    return "\n".join(f"{row['at']}  {plain(row['sentence'])}" for row in rows) or "Nothing has happened yet."


def _prospect_page(result: Row) -> str:
    rows = [
        (p["person"], p["email"], p["status"], p["stage"], p["next_at"], _why(p["reason"])) for p in result["prospects"]
    ]
    shown = table(("NAME", "EMAIL", "STATUS", "STAGE", "NEXT", "REASON"), rows) if rows else "Nobody matches."
    return f"{shown}\n\nPage {result['page']}, {result['total']:,} in all."


def _blocked(result: Row) -> str:
    lines = [f"{result['added']} added, {result['stopped']} prospects stopped"]
    return "\n".join([*lines, *(f"  line {one['line']}: {plain(one['reason'])}" for one in result["rejected"])])


def _block_list(result: Row) -> str:
    rows = [(one["key"], one["code"], one["at"], one["actor"], one["note"]) for one in result["entries"]]
    shown = table(("ADDRESS", "WHY", "SINCE", "BY", "NOTE"), rows) if rows else "Nobody is on the list."
    return f"{shown}\n\n{result['total']:,} in all."


def _preflight(result: Row) -> str:
    verdict = "nothing will make mails fail" if result["ok"] else "mails will fail"
    lines = [f"{result['people']} people; {verdict}."]
    for one in result["problems"]:
        lines.append(f"{one['severity'].upper()}: {plain(one['text'])} {plain(one['fix'])}")
    numbers = ("stage", "will_send", "will_wait", "will_fail")
    days = [(line["date"], *(line[name] for name in numbers)) for line in result["forecast"]]
    return "\n\n".join(["\n".join(lines), table(("DAY", "STAGE", "GO", "NO ROOM", "FAIL"), days)])


def _campaign_status(result: Row) -> str:
    figures = result["metrics"]
    head = f"{plain(result['name'])}: {result['status']}, {figures['people']} people, {figures['replied']} replied"
    counted = ("sent", "opened", "opened_machine", "clicked", "clicked_machine", "downloaded", "replied")
    stages = table(
        ("STAGE", "SENT", "OPENED", "BY MACHINE", "CLICKED", "BY MACHINE", "DOWNLOADED", "REPLIED"),
        [(s["stage"], *(s[name] for name in counted)) for s in figures["stages"]],
    )
    prospects = table(
        ("EMAIL", "STATUS", "STAGE", "NEXT", "REASON"),
        [(p["email"], p["status"], p["stage"], p["next_at"], _why(p["reason"])) for p in result["prospects"]],
    )
    return "\n\n".join([head, stages, prospects])


def _report(result: Row) -> str:
    """Campaign rates are of those reached, in any stage (R180); stage rates of all people (R179)."""
    figures = result["metrics"]
    people, reached = figures["people"], figures["recipients"]
    whole = [(name, figures[name], percent(share(figures[name], reached))) for name in ENGAGED]
    rows = [(s["stage"], *(_of(s[name], people) for name in ("sent", *ENGAGED))) for s in figures["stages"]]
    parts = [
        f"{plain(result['name'])}: {people:,} people, {reached:,} reached, {result['failed']:,} failed",
        table(("IN ANY STAGE", "PEOPLE", "OF THOSE REACHED"), whole),
        f"By mail systems alone, likely: {figures['opened_machine']:,} opened, {figures['clicked_machine']:,} clicked",
    ]
    if rows:
        parts.append(table(("STAGE", "SENT", *map(str.upper, ENGAGED)), rows))
    if result["failures"]:
        parts.append(table(("FAILED", "REASON"), [(one["people"], one["text"]) for one in result["failures"]]))
    written = result.get("pictures") or ()
    return "\n\n".join([*parts, *CAVEATS, *([f"Pictures: {', '.join(map(plain, written))}"] if written else [])])


def _of(done: int, people: int) -> str:
    return f"{done:,} ({percent(share(done, people))})"


def _prospect(result: Row) -> str:
    done = f"{plain(result['email'])} is {result['status']} (stage {result['stage']})."
    return "\n".join([done, *([f"Beware: {plain(result['warning'])}"] if result.get("warning") else [])])


def _retried(result: Row) -> str:
    lines = [f"{result['retried']} retried, {len(result['refused'])} refused"]
    return "\n".join([*lines, *(f"  {plain(one['email'])}: {plain(one['reason'])}" for one in result["refused"])])


def _email_log(rows: Sequence[Row]) -> str:
    if not rows:
        return "The Email Log is empty."
    return table(
        ("ID", "AT", "CAMPAIGN", "EMAIL", "STAGE", "STATUS", "REASON"),
        [(r["id"], r["at"], r["campaign"], r["email"], r["stage"], r["status"], _why(r["reason"])) for r in rows],
    )


def _settings(rows: Sequence[Row]) -> str:
    lines = [f"{row['key']} = {_value(row['value'])}{_default(row)}\n    {row['meaning']}" for row in rows]
    return "\n".join([*lines, *(plain(row["note"]) for row in rows if row.get("note"))])


def _default(row: Row) -> str:
    return "" if row["is_default"] else f" (default {_value(row['default'])})"


def _checks(rows: Sequence[Row]) -> str:
    """Whole sentences and addresses to copy: nothing is cut."""
    lines = []
    for row in rows:
        lines.append(f"{'ok' if row['ok'] else 'NO':<4}{plain(row['name'])}: {plain(row['detail'])}")
        if row["fix"]:
            lines.append(f"      {plain(row['fix'])}")
    return "\n".join(lines)


def _domain(result: Row) -> str:
    """The verdict in words first; records are long, so each stands on a line of its own."""
    provider = f", mail at {facts(result['provider']).label}" if result["provider"] else ""
    lines = [f"{plain(result['domain'])}: {Verdict(result['verdict']).words}{provider}"]
    for name in _DNS_CHECKS:
        one = result[name]
        lines += ["", f"{name.upper()}: {Verdict(one['verdict']).words}. {plain(one['detail'])}"]
        lines += [
            f"  {label}: {plain(one[key])}" for label, key in (("Record", "record"), ("To do", "fix")) if one[key]
        ]
    if any(result[name]["verdict"] in (Verdict.WARN, Verdict.FAIL) for name in _DNS_CHECKS):
        lines += ["", PROPAGATION]
    return "\n".join(lines)


def _classified(rows: Sequence[Row]) -> str:
    if rows and "file" in rows[0]:
        return table(
            ("FILE", "KIND", "CLASS", "STATUS", "RECIPIENTS"),
            [(r["file"], r["kind"], r["class"], r["status"], ", ".join(r["recipients"])) for r in rows],
        )
    return _sentence(list(rows))


_ON_PROSPECT: Final = (
    *("pause", "unpause", "skip", "finish", "undo", "remove", "retry"),
    *("called", "texted", "booked"),
)
_RENDERERS: Final[dict[str, Callable[[Any], str]]] = {
    "check": _checks,
    "mailbox list": _mailbox_list,
    "mailbox show": _mailbox_shown,
    "mailbox log": _sync_log,
    **{f"mailbox {verb}": _mailbox for verb in ("add", "resync", "refresh", "switch", "pause", "resume", "remove")},
    "mailbox test": _trial,
    "mailbox escalate": _escalation,
    "mailbox check": _domain,
    "domain check": _domain,
    "people import": _imported,
    "people show": _person,
    "people address add": _person,
    "people address remove": _person,
    "campaign list": _campaigns,
    "campaign export": _exported,
    "campaign enroll": _enrolled,
    "campaign move": _moved,
    "prospect bulk": _in_bulk,
    "prospect ledger": _ledger,
    "prospect list": _prospect_page,
    "prospect export": _exported,
    "block add": _blocked,
    "block import": _blocked,
    "block list": _block_list,
    "campaign status": _campaign_status,
    "campaign preflight": _preflight,
    "campaign report": _report,
    **{f"prospect {verb}": _prospect for verb in _ON_PROSPECT},
    "retry": _retried,
    "email-log": _email_log,
    "settings show": _settings,
    "settings set": lambda row: _settings([row]),
    "classify": _classified,
}
