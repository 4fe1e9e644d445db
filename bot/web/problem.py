"""Why a mailbox was not connected, in the words of the page. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from core.domain.providers import facts
from core.errors import MailError, RethreadError
from core.services.connecting import ConnectRefusedError
from core.services.discovery import Found

_PRESS: Final = re.compile(r"(?P<first>[Pp])ress Reconnect and (?P<verb>\w)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it did not work: the server's own words (``said``, by ``speaker``) and the fix (R43); ``forward`` is for the
    mail administrator, ``obsolete`` names outdated advice (R226), ``wrong_way`` the choice that was wrong (R54)."""

    title: str
    fix: str = ""
    said: str = ""
    forward: str | None = None
    obsolete: str | None = None
    speaker: str = "The mail server"
    wrong_way: str = ""


NO_COOKIE: Final = Problem(
    "Your browser did not send this page's cookie back, so nothing was tried.",
    "Fill in the form once more. If it stays, allow cookies for this site.",
)


def problem_of(error: RethreadError, provider: str = "") -> Problem:
    """``provider`` is whose sign-in it was; empty for a form with a password."""
    if isinstance(error, ConnectRefusedError):
        verdict = error.diagnosis
        speaker = facts(provider).label if error.side == "sign_in" and provider else "The mail server"
        return Problem(error.message, _here(error.fix), verdict.raw, verdict.forward, verdict.obsolete, speaker)
    if isinstance(error, MailError):
        return Problem("The mail server did not do it.", error.fix, error.raw)
    return Problem(error.message, error.fix)


def with_wrong_way(problem: Problem, found: Found | None) -> Problem:
    """Names the wrong choice where a password was typed for a provider that takes none (R54)."""
    if found is None or facts(found.provider).passwords != "none":
        return problem
    domain, label = found.address.rpartition("@")[2], found.label
    return replace(
        problem,
        wrong_way=f"{domain} is at {label}, and {label} takes no passwords here: this form is the wrong choice, "
        f"whatever is typed into it. Sign in with {label} instead.",
    )


def _here(fix: str) -> str:
    """A fix for this page: whoever reads it has pressed that button of the card already."""
    fix = _PRESS.sub(lambda found: found["verb"].upper() if found["first"] == "P" else found["verb"], fix)
    return fix.replace("Press Reconnect", "Try again").replace("press Reconnect", "try again")
