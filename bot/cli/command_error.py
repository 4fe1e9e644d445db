"""An error as it crosses the control channel and as the terminal shows it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from core.errors import InputError, MailError, RefusedError, RethreadError, SettingsError

log = logging.getLogger("rethread.cli")

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
_USAGE_CODES: Final = frozenset({"usage", "settings"})


class UsageError(InputError):
    """The command line itself cannot be used."""

    code = "usage"


class CommandError(Exception):
    """What went wrong: a code for machines, a sentence, what to do, and facts that may be shown."""

    def __init__(self, code: str, message: str, fix: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.fix, self.facts = code, message, fix, dict(facts or {})

    @property
    def exit_status(self) -> int:
        """1 refused or failed, 2 wrong usage or settings (contract)."""
        return WRONG_USAGE if self.code in _USAGE_CODES else FAILED

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "fix": self.fix, "facts": self.facts}


def command_error_of(error: Exception) -> CommandError:
    """What an error means to a person. One that nobody expected gets a reference into the log."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, RethreadError):
        return CommandError(error.code, error.message, error.fix, _facts(error))
    reference = f"r-{secrets.token_hex(3)}"
    log.error("action=command_failed reference=%s", reference, exc_info=error)
    return CommandError(
        "internal",
        f"Something went wrong on our side (reference {reference}).",
        "The log has the reference and the details.",
        {"reference": reference},
    )


def _facts(error: RethreadError) -> dict[str, Any]:
    if isinstance(error, SettingsError):
        return {"mistakes": error.mistakes}
    if isinstance(error, MailError):
        return {"layer": error.layer, "host": error.host}
    if isinstance(error, RefusedError):
        return {"reason": error.reason, **_refused_connection(error)}
    if isinstance(error, InputError):
        return {"where": error.where, "field": error.field, "reason": error.reason, **_faults(error)}
    return {}


def _refused_connection(error: RefusedError) -> dict[str, Any]:
    """Which side of a mailbox did not work, and the server's own words (R43)."""
    diagnosis = getattr(error, "diagnosis", None)
    if diagnosis is None:
        return {}
    return {"side": getattr(error, "side", ""), "cause": diagnosis.cause, "server_said": diagnosis.raw}


def _faults(error: InputError) -> dict[str, Any]:
    faults = getattr(error, "faults", None)
    if faults is None:
        return {}
    return {"faults": [{"line": one.line, "field": one.field, "reason": one.reason} for one in faults]}
