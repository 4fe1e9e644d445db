"""What the core says, in the shapes that scripts rely on (docs: command line). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxStatus
from core.domain.campaign import Campaign
from core.domain.delivery import shown
from core.domain.dns_checks import DomainReport
from core.domain.figures import CampaignFigures, Report, StageFigures
from core.domain.ledger import LedgerLine
from core.domain.people import Person
from core.domain.reasons import reason as reason_of_code
from core.domain.reasons import reason_of_refusal
from core.domain.seats import SeatCount
from core.domain.taxonomy import TOPICS
from core.ports.storage import Activity, LogLine, ProspectRow, Suppression, SyncLogEntry
from core.services.campaigns import CampaignLine, Skipped
from core.services.email_log import failed_even_so
from core.services.launch_check import LaunchReport
from core.services.metrics import CampaignPage
from core.services.outcomes import AlsoIn
from core.services.people import ImportResult, PersonReport
from core.services.readings import Reading
from core.services.settings import SettingLine
from core.services.suppression_list import BlockResult
from core.services.trial_mail import TrialResult

Shape = dict[str, Any]
_SEATS: Final = {MailboxStatus.PENDING: "waits"}


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, ending in Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def mailbox(one: Mailbox, reading: Reading, seats: SeatCount) -> Shape:
    """``lag_s``: seconds since the mailbox was known to be read to its end, None before the first time; ``lag`` says
    why; ``history_left``: about how many old mails are still to be read. ``matched`` and ``strangers`` count the last
    thirty days' mail, null where many mailboxes are listed. ``seat``: held, waits or none. ``broken``: of an error,
    reading, or sending where mail is read as before."""
    fault = one.fault
    error = fault and {"cause": fault.cause, "raw": fault.raw, "fix": fault.fix, "at": moment(fault.at)}
    lag = reading.lag.seconds
    return {
        "id": one.id,
        "address": one.address,
        "owner": one.owner,
        "provider": one.provider,
        "status": one.status.value,
        "light": one.light,
        "send": one.send,
        "capture": one.capture,
        "last_sync_at": moment(one.last_sync_at),
        "lag_s": None if lag is None else round(lag, 3),
        "lag": reading.lag.reason,
        "history_left": reading.history_left,
        "matched": reading.matched,
        "strangers": reading.strangers,
        "seat": _SEATS.get(one.status, "held" if one.status in SEATED_STATUSES else "none"),
        "seats": {"used": seats.used, "limit": seats.limit, "waiting": seats.waiting},
        "note": f"waits for a seat: {seats.advice}" if one.status is MailboxStatus.PENDING else "",
        "error": error,
        "broken": error and ("sending" if one.only_sending_is_broken else "reading"),
    }


def trial(result: TrialResult) -> Shape:
    """A test mail that went; ``arrived`` is None where nobody looked."""
    return {
        "sent": result.sent,
        "to": result.to,
        "message_id": result.message_id,
        "server_said": result.raw,
        "arrived": result.arrived,
        "arrived_in": result.arrived_in or None,
        "arrival": result.arrival,
    }


def sync_log(entries: Iterable[SyncLogEntry]) -> list[Shape]:
    return [{"at": moment(one.at), "cause": one.cause, "raw": one.raw, "fix": one.fix} for one in entries]


def domain_report(report: DomainReport) -> Shape:
    """One object a check, under its name: mx, spf, dmarc, dkim."""
    checks = {
        one.name: {"verdict": one.verdict.value, "record": one.record, "detail": one.detail, "fix": one.fix}
        for one in report.findings
    }
    return {"domain": report.domain, "provider": report.provider, "verdict": report.verdict.value, **checks}


def imported(result: ImportResult) -> Shape:
    rejected = [{"line": one.line, "reason": one.reason} for one in result.rejected]
    return {"created": result.created, "updated": result.updated, "rejected": rejected}


def profile(person: Person) -> Shape:
    emails = [{"address": one.address, "type": one.type, "primary": one.primary} for one in person.addresses]
    return {"name": person.name, "emails": emails}


def person(report: PersonReport) -> Shape:
    enrollments = [
        {"campaign": one.campaign, "status": one.status, "stage": one.stage, "reason": reason(one.reason)}
        for one in report.enrollments
    ]
    activities = [activity(one) for one in report.activities]
    old_mail = {"old_mail": [*report.old_mail]} if report.old_mail else {}
    return {**profile(report.person), "activities": activities, "enrollments": enrollments, **old_mail}


def activity(one: Activity) -> Shape:
    return {
        "at": moment(one.at),
        "direction": one.direction,
        "kind": one.kind,
        "subject": one.subject,
        "message_id": one.message_id,
        "mailbox": one.mailbox,
        "rule": one.rule,
        "campaign": one.campaign,
    }


def campaign(one: Campaign) -> Shape:
    return {"id": one.id, "name": one.name, "status": one.status.value, "stages": len(one.live_stages)}


def launch(report: LaunchReport) -> Shape:
    """What stands in a campaign's way, and its mails by day and stage (dates of the workspace)."""
    problems = [
        {
            "code": one.code,
            "severity": one.severity,
            "count": one.count,
            "text": one.text,
            "fix": one.fix,
            "examples": list(one.examples),
        }
        for one in report.problems
    ]
    days = [
        {
            "date": line.date.isoformat(),
            "stage": line.stage,
            "will_send": line.will_send,
            "will_wait": line.will_wait,
            "will_fail": line.will_fail,
        }
        for line in report.forecast.lines
    ]
    return {"ok": report.ok, "people": report.people, "problems": problems, "forecast": days}


def campaign_line(line: CampaignLine) -> Shape:
    counts = {status.value: count for status, count in line.counts.items()}
    one = line.campaign
    facts = {"owner": one.owner, "shared": one.shared, "job": one.job, "job_stage": one.job_stage}
    return {**campaign(one), **facts, "people": line.people, "prospects": counts}


def skipped(people: Iterable[Skipped]) -> list[Shape]:
    return [{"email": one.email, "reason": one.reason} for one in people]


def campaign_page(page: CampaignPage) -> Shape:
    return {
        "name": page.campaign.name,
        "status": page.campaign.status.value,
        "prospects": [prospect(row) for row in page.prospects],
        "metrics": metrics(page.figures),
    }


def metrics(figures: CampaignFigures) -> Shape:
    """``opened`` and ``clicked`` are likely people; with ``_machine`` those of whom only a machine was seen."""
    stages = [{"stage": one.stage, "sent": one.sent, **_engaged(one)} for one in figures.stages]
    return {"people": figures.people, "recipients": figures.recipients, **_engaged(figures), "stages": stages}


def report(one: Report) -> Shape:
    """``days`` as far as anything happened on them, in the workspace's zone."""
    days = [
        {"date": day.date.isoformat(), "sent": day.sent, "replied": day.replied, "failed": day.failed}
        for day in one.figures.days
    ]
    return {
        "name": one.figures.campaign,
        "metrics": metrics(one.figures),
        "failed": one.figures.failed,
        "failures": [{"code": why.code, "text": why.text, "people": why.people} for why in one.failures],
        "days": days,
    }


def _engaged(figures: CampaignFigures | StageFigures) -> Shape:
    names = ("opened", "clicked", "downloaded", "replied", "opened_machine", "clicked_machine")
    return {name: getattr(figures, name) for name in names}


def prospect(row: ProspectRow) -> Shape:
    why = row.reason_code and {"code": row.reason_code, "text": row.reason_text or "", "fix": row.reason_fix or ""}
    return {
        "email": row.email,
        "person": row.person,
        "status": row.status.value,
        "reason": why or None,
        "stage": row.stage,
        "next_at": moment(row.next_at),
    }


def log_line(line: LogLine) -> Shape:
    """``note`` where a line was tried past validation and failed even so (R144)."""
    note = failed_even_so(line.state, bypass=line.bypass)
    return {
        "id": line.id,
        "campaign": line.campaign,
        "email": line.email,
        "person": line.person,
        "stage": line.stage,
        "kind": line.kind,
        "subject": line.subject,
        "status": shown(line.state, line.kind, line.settled_by),
        "reason": reason(line.reason),
        "server_text": line.server_text,
        "at": moment(line.at),
        "due_at": moment(line.due_at),
        "message_id": line.message_id,
        **({"note": note} if note else {}),
    }


def also_in(people: Iterable[AlsoIn]) -> list[Shape]:
    return [{"email": one.email, "campaigns": [*one.campaigns]} for one in people]


def ledger_line(line: LedgerLine) -> Shape:
    return {
        "at": moment(line.at),
        "event": line.event,
        "before": line.before.value,
        "after": line.after.value,
        "stage": line.stage,
        "actor": line.actor,
        "reason": line.reason or None,
        "message_id": line.message_id,
        "sentence": line.sentence,
    }


def blocked(result: BlockResult) -> Shape:
    rejected = [{"line": one.line, "reason": one.reason} for one in result.rejected]
    return {"added": result.added, "stopped": result.stopped, "rejected": rejected}


def block(entry: Suppression) -> Shape:
    return {"key": entry.key, "code": entry.code, "actor": entry.actor, "at": moment(entry.at), "note": entry.note}


def reason(code: str | None) -> Shape | None:
    """A stored reason code with its words."""
    if not code:
        return None
    refusals = {known.code: known for known in map(reason_of_refusal, TOPICS.values())}
    try:
        known = refusals.get(code) or reason_of_code(code)
    except KeyError:
        return {"code": code, "text": code.replace("_", " "), "fix": ""}
    return {"code": known.code, "text": known.text, "fix": known.fix}


def setting(line: SettingLine) -> Shape:
    one = line.setting
    return {
        "key": one.key,
        "value": line.value,
        "default": one.default,
        "is_default": line.is_default,
        "meaning": one.meaning,
        **({"note": line.note} if line.note else {}),
    }
