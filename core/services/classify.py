"""The ``classify`` command's rows: what Rethread makes of each mail, and of each SMTP answer. No I/O, never raises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from core.domain.address import match_key
from core.domain.inbound import Inbound, classify_raw
from core.domain.message import InboundKind
from core.domain.mime import ParsedMessage, parse_message, visible_reply
from core.domain.smtp_reply import classify_reply

_REPORTS: Final = frozenset({InboundKind.BOUNCE, InboundKind.DELAY, InboundKind.COMPLAINT, InboundKind.DELIVERED})


def classify_files(files: Iterable[tuple[str, bytes]], *, own_addresses: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One row per (name, raw mail), in order: file, kind, class, status, recipients, temporary_recipients,
    original_message_id, return_date (ISO), visible_text. ``status`` is the prospect's status, None where none changes.
    """
    own = frozenset(match_key(address) for address in own_addresses)
    return [_mail_row(name, parse_message(raw), own) for name, raw in files]


def classify_lines(lines: Sequence[str]) -> list[dict[str, Any]]:
    """One row per SMTP answer, in order: line, class, status, transient, fix. Empty lines are skipped."""
    return [_answer_row(line.strip()) for line in lines if line.strip()]


def _mail_row(name: str, message: ParsedMessage, own: frozenset[str]) -> dict[str, Any]:
    verdict = classify_raw(message, own_addresses=own)
    report = verdict.report
    return {
        "file": name,
        "kind": verdict.kind.value,
        "class": _class_name(verdict),
        "status": report.effect.status if report else None,
        "recipients": list(report.recipients) if report else [],
        "temporary_recipients": list(report.temporary_recipients) if report else [],
        "original_message_id": report.original_message_id if report else None,
        "return_date": verdict.return_date.isoformat() if verdict.return_date else None,
        "visible_text": "" if verdict.kind in _REPORTS else visible_reply(message.text),
    }


def _class_name(verdict: Inbound) -> str | None:
    if verdict.report:
        return verdict.report.klass
    return "auto_reply" if verdict.kind is InboundKind.AUTO_REPLY else None


def _answer_row(line: str) -> dict[str, Any]:
    verdict = classify_reply(line)
    return {
        "line": line,
        "class": verdict.klass,
        "status": verdict.effect.status,
        "transient": verdict.transient,
        "fix": verdict.fix,
    }
