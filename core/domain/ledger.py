"""A prospect's ledger in sentences: what changed it, from what to what, by whom, on which evidence (X9). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from core.domain.enrollment import ProspectEvent, ProspectStatus

SET_ASIDE: Final = "set_aside"
_MESSAGE_ID = re.compile(r"[^\s<>:,]{1,200}@[^\s<>,]{1,200}")

_WORDS: Final[dict[str, str]] = {
    "pause": "Paused",
    "unpause": "Unpaused",
    "skip": "The stage was skipped",
    "retry": "The stage is tried again",
    "retry_bypass": "The stage is tried again, whatever the check of the address says",
    "finish": "Marked finished",
    "undo_finish": "Mark finished was undone",
    "reply": "A reply came",
    "late_reply": "A reply came after the last stage",
    "hard_bounce": "The mail bounced",
    "spam_block": "The recipient's host took the mail for spam",
    "not_delivered": "The stage was not delivered",
    "wait": "The stage waits",
    "release": "The campaign goes on",
    "completed": "The last stage is done",
    "opted_out": "Nothing more is sent: the person is not to be contacted",
    "they_called": "They called",
    "they_texted": "They texted",
    "they_booked": "They booked a meeting",
    "sent": "The mail went out",
    "done": "A call or a task was done",
    "auto_reply": "An automatic answer came",
    "out_of_office": "An out-of-office answer came",
    "delay": "The recipient's host said that the mail is late",
    "calendar": "A calendar answer came",
    "receipt": "A read receipt came",
    "challenge": "The recipient's host asks the sender to prove to be a person",
    "report": "A delivery report came",
}


class Line(Protocol):
    """A stored line: as ``EnrollmentEvent``."""

    @property
    def at(self) -> datetime: ...
    @property
    def event(self) -> str: ...
    @property
    def status(self) -> ProspectStatus: ...
    @property
    def stage(self) -> int: ...
    @property
    def actor(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def evidence(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One change, or something that was only logged (``before`` is ``after``). ``actor`` is a Slack user id, operator,
    engine or recipient; ``reason`` a code; ``message_id`` the mail that proves it, None where none does."""

    at: datetime
    event: str
    before: ProspectStatus
    after: ProspectStatus
    stage: int
    actor: str
    reason: str
    evidence: str
    message_id: str | None
    sentence: str


def ledger(lines: Iterable[Line]) -> list[LedgerLine]:
    """In the order in which they happened; a prospect begins Active."""
    told, before = list[LedgerLine](), ProspectStatus.ACTIVE
    for line in lines:
        if line.event != SET_ASIDE:
            told.append(_told(line, before))
        before = line.status
    return told


def _told(line: Line, before: ProspectStatus) -> LedgerLine:
    found = _MESSAGE_ID.search(line.evidence)
    return LedgerLine(
        at=line.at,
        event=line.event,
        before=before,
        after=line.status,
        stage=line.stage,
        actor=line.actor,
        reason=line.reason,
        evidence=line.evidence,
        message_id=found.group() if found else None,
        sentence=_sentence(line, before),
    )


def _sentence(line: Line, before: ProspectStatus) -> str:
    what = _WORDS.get(line.event, line.event.replace("_", " ").capitalize())
    who = {"engine": "", "operator": " at the command line", "recipient": " by the recipient"}.get(line.actor)
    by = f" by <@{line.actor}>" if who is None and line.actor.startswith(("U", "W")) else who or ""
    moved = f": {before.value} → {line.status.value}" if before is not line.status else ""
    if line.event == ProspectEvent.RELEASE.value and before is line.status:
        what = "On to the next stage"
    why = f", {line.reason.replace('_', ' ')}" if line.reason else ""
    proof = f" ({line.evidence[:200]})" if line.evidence else ""
    return f"{what}{by}{moved}, stage {line.stage}{why}{proof}."
