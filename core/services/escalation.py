"""The escalation pack: who, which mailbox, what exactly, what was tried (R17, R25, R53). No mail, no secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.domain.alert import Alert, days_of
from core.domain.diagnosis import CauseClass
from core.domain.folder_sync import FolderState
from core.domain.moment import iso, parse_iso
from core.domain.providers import facts as provider_facts
from core.ports.storage import SyncLogEntry, UnitOfWork

_LOG_LINES: Final = 20
_TEXT_MOST: Final = 4_000
_LINE_MOST: Final = 300
_MAILBOXES_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class EscalationPack:
    """``text`` is ready to be forwarded as it is; ``facts`` says the same to programs (JSON values only)."""

    text: str
    facts: Mapping[str, Any]


async def collect(
    uow: UnitOfWork, actor: Actor, alert: Alert, *, now: datetime, versions: Mapping[str, str]
) -> EscalationPack:
    """``alert`` is a mailbox's or a storm's."""
    facts = {
        "at": iso(now),
        "from": {"user": actor.user, "name": actor.name, "email": actor.email},
        "workspace": actor.workspace,
        "alert": alert.id,
        "provider": _label(alert),
        "cause": alert.facts["cause"],
        "title": alert.facts["title"],
        "since": alert.facts["since"],
        "day": days_of(parse_iso(alert.facts["since"]) or alert.opened_at, now),
        "server_text": str(alert.facts["raw"])[:_TEXT_MOST],
        "fix": alert.facts["fix"],
        "for_the_mail_admin": alert.facts.get("forward"),
        "contact_support": alert.facts.get("klass") == CauseClass.OUR_APP.value,
        "versions": dict(versions),
    }
    facts |= await (_of_storm(uow, alert) if alert.kind == "storm" else _of_mailbox(uow, alert))
    return EscalationPack(_text(facts), facts)


def _label(alert: Alert) -> str:
    provider = str(alert.facts.get("provider") or "other")
    known = provider_facts(provider)
    return known.label if provider == "other" or known is not provider_facts(None) else provider


async def _of_mailbox(uow: UnitOfWork, alert: Alert) -> dict[str, Any]:
    mailbox = await uow.mailboxes.get(str(alert.facts["mailbox_id"]))
    return {
        "mailbox": alert.facts["address"],
        "owner": alert.facts["owner"],
        "side": alert.facts.get("side", "reading"),
        "status": mailbox.status.value if mailbox else "gone",
        "tried": [dict(one) for one in alert.facts.get("tried", ())],
        "log": [_logged(one) for one in await uow.sync_log.list(str(alert.facts["mailbox_id"]), limit=_LOG_LINES)],
        "checks": _checks(mailbox, await uow.folders.list(mailbox.id)) if mailbox else {},
    }


async def _of_storm(uow: UnitOfWork, alert: Alert) -> dict[str, Any]:
    """All its mailboxes; the log of those that broke first, in order of time."""
    members = [one for one in await uow.alerts.list_open() if one.facts.get("folded") == alert.id]
    lines: list[dict[str, Any]] = []
    tried: list[dict[str, Any]] = []
    for member in members[:_LOG_LINES]:
        log = await uow.sync_log.list(str(member.facts["mailbox_id"]), limit=1)
        lines += [{**_logged(one), "mailbox": member.facts["address"]} for one in log]
        tried += [{**one, "mailbox": member.facts["address"]} for one in member.facts.get("tried", ())]
    return {
        "status": f"{alert.facts['recovered']} of {alert.facts['total']} mailboxes are back",
        "mailboxes": [one.facts["address"] for one in members[:_MAILBOXES_SHOWN]],
        "tried": sorted(tried, key=lambda one: str(one["at"])),
        "log": lines,
        "checks": {},
    }


def _logged(entry: SyncLogEntry) -> dict[str, Any]:
    return {"at": iso(entry.at), "cause": entry.cause, "raw": entry.raw[:_LINE_MOST]}


def _checks(mailbox: Mailbox, folders: Iterable[FolderState]) -> dict[str, Any]:
    return {
        "last_sync_at": iso(mailbox.last_sync_at),
        "refreshed_at": iso(mailbox.refreshed_at),
        "signs_in_by": mailbox.sign_in,
        "signed_in_at": iso(mailbox.signed_in_at),
        "token_expires_at": iso(mailbox.token_expires_at),
        "imap": f"{mailbox.imap_host}:{mailbox.imap_port} {mailbox.imap_tls}",
        "smtp": f"{mailbox.smtp_host}:{mailbox.smtp_port} {mailbox.smtp_tls}",
        "folders": [
            {
                "name": one.name,
                "role": one.role,
                "read_through_at": iso(one.read_through_at),
                "history_left": one.history_left,
                "errors": one.error_count,
                "parked_until": iso(one.parked_until),
            }
            for one in folders
        ],
    }


def _text(facts: Mapping[str, Any]) -> str:
    """Short lines in sections, plain enough for any ticket or mail."""
    sections = [
        _heading(facts),
        ["The server said:", *_indented(str(facts["server_text"]).splitlines() or ["(nothing)"])],
        ["What to do, as Rethread sees it:", *_indented([facts["fix"]])],
        _section("For the mail administrator:", [facts["for_the_mail_admin"]] if facts["for_the_mail_admin"] else []),
        ["What was tried:", *_indented([_tried(one) for one in facts["tried"]] or ["no resync so far"])],
        _section("Mailboxes:", facts.get("mailboxes", ())),
        _section("Checks:", _check_lines(facts["checks"])),
        _section("Last lines of the log, newest first:", [_log_line(one) for one in facts["log"]]),
        ["Versions: " + ", ".join(f"{name} {number}" for name, number in facts["versions"].items())],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _heading(facts: Mapping[str, Any]) -> list[str]:
    asker = facts["from"]
    person = " ".join(part for part in (asker["name"], f"<{asker['email']}>" if asker["email"] else "") if part)
    lines = [f"Rethread: help wanted, {facts['at']}"]
    if facts["contact_support"]:
        lines.append("Connection interrupted: contact support.")
    what = facts.get("mailbox") or f"{len(facts['mailboxes'])} mailboxes"
    return [
        *lines,
        f"From: {person or asker['user']} ({asker['user']}), workspace {facts['workspace']}",
        f"Mailbox: {what} at {facts['provider']}",
        f"Status: {facts['status']}, broken since {facts['since']} (day {facts['day']})",
        f"Cause: {facts['title']} ({facts['cause']})",
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *_indented(lines)] if lines else []


def _indented(lines: Iterable[str]) -> list[str]:
    # What a server sends may hold anything; a line of ours stays one line.
    return ["  " + "".join(sign if sign.isprintable() else " " for sign in line) for line in lines]


def _tried(one: Mapping[str, Any]) -> str:
    mailbox = f" of {one['mailbox']}" if "mailbox" in one else ""
    return f"{one['at']} resync{mailbox} by {one['by']}"


def _log_line(one: Mapping[str, Any]) -> str:
    mailbox = f"{one['mailbox']}: " if "mailbox" in one else ""
    return f"{one['at']} {mailbox}{one['cause']}: {one['raw']}"


def _check_lines(checks: Mapping[str, Any]) -> list[str]:
    if not checks:
        return []
    lines = [
        f"last read {checks['last_sync_at'] or 'never'}, everything looked through {checks['refreshed_at'] or 'never'}",
        f"signs in by {checks['signs_in_by']}, last at {checks['signed_in_at'] or 'unknown'}, "
        f"token until {checks['token_expires_at'] or 'none'}",
        f"IMAP {checks['imap']}, SMTP {checks['smtp']}",
    ]
    for folder in checks["folders"]:
        parked = f", parked until {folder['parked_until']}" if folder["parked_until"] else ""
        lines.append(
            f"{folder['name']} ({folder['role']}): read through {folder['read_through_at'] or 'never'}, "
            f"{folder['history_left']} old mails left, {folder['errors']} errors{parked}"
        )
    return lines
