"""`diagnose`: what servers' answers mean, one a line (contract of the command line)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from core.domain.account import SyncFault
from core.domain.diagnosis import CAUSES, LAYERS, CauseClass, Diagnosis, Failure, Who, diagnose
from core.errors import InputError, MailError

# "class" is a keyword of Python, hence the functional form.
DiagnosisRow = TypedDict(
    "DiagnosisRow",
    {"line": str, "cause": str, "class": str, "transient": bool, "who": str, "fix": str, "obsolete": str | None},
)


def diagnose_lines(lines: Iterable[str], layer: str, host: str = "") -> list[DiagnosisRow]:
    """One row per non-empty line, in the order given.

    Raises InputError where ``layer`` is not one of imap, smtp, oauth, tls, dns, socket.
    """
    if layer not in LAYERS:
        raise InputError(f"no such layer: {layer}", field="layer", fix=f"Use one of {', '.join(LAYERS)}.")
    stripped = (line.strip() for line in lines)
    return [_row(line, layer, host) for line in stripped if line]


def diagnose_error(error: MailError, *, provider: str | None = None) -> Diagnosis:
    """The verdict on an error of the mail layer; ``provider`` where the mailbox's own is known, else by the host."""
    return diagnose(Failure(error.layer, error.raw, error.host, error.smtp_code), provider=provider)


def recalled(fault: SyncFault, *, provider: str | None = None) -> Diagnosis:
    """A stored fault in the words of the cause table: it was judged when it came, by more than its text."""
    cause = CAUSES.get(fault.cause)
    return Diagnosis(
        cause=fault.cause,
        klass=cause.klass.value if cause else CauseClass.WAIT.value,
        transient=cause.passes_by_itself() if cause else True,
        who=cause.mended_by(provider).value if cause else Who.NOBODY.value,
        fix=fault.fix,
        raw=fault.raw,
        obsolete=cause.obsolete_for(provider) if cause else None,
        title=cause.title if cause else "The server said something new",
        forward=cause.forward_for(provider) if cause else None,
        provider=provider,
    )


def _row(line: str, layer: str, host: str) -> DiagnosisRow:
    verdict = diagnose(Failure(layer, line, host))
    return {
        "line": line,
        "cause": verdict.cause,
        "class": verdict.klass,
        "transient": verdict.transient,
        "who": verdict.who,
        "fix": verdict.fix,
        "obsolete": verdict.obsolete,
    }
