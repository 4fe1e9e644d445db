"""The one place where an error becomes words for a person and a reference for the log."""

from __future__ import annotations

import logging
import secrets
from typing import Final

from bot.slack.blocks import answers
from bot.slack.blocks.kit import Card
from core.domain.diagnosis import Diagnosis
from core.errors import (
    InputError,
    LostRaceError,
    MailError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    SlackBusyError,
    SlackError,
    StorageError,
)

log = logging.getLogger("rethread.slack")

_OURS: Final = "Something went wrong on our side; nothing more was done."
_OURS_FIX: Final = "Try again. If it stays, tell whoever runs Rethread this reference."
_NO_WAY_IN: Final = frozenset(("not_in_channel", "channel_not_found", "is_archived"))
_INVITE: Final = "Type /invite @Rethread there, or let an admin choose another with /mailbox settings alert_channel."
_DATABASE: Final = "Rethread's database did not answer; nothing was changed."


def new_reference() -> str:
    """``r-3fa9c1``: short enough to read out, found again in the log."""
    return f"r-{secrets.token_hex(3)}"


def explain(error: Exception, *, asked: str) -> Card:
    """The card that the person sees; a failure's reference stands in the log too, with a traceback where nobody
    expected it. A refusal by the rules needs none.

    ``asked`` names what was asked (a command, a button), never with its arguments.
    """
    reference = new_reference()
    if isinstance(error, NotFoundError | RefusedError | NotAllowedError | InputError | LostRaceError):
        log.info("action=slack_refused asked=%s code=%s", asked, error.code)
        # The sentence says it all: nobody has to be asked.
        faults = [str(fault) for fault in getattr(error, "faults", ())]
        message = "The file cannot be used:" if faults else error.message
        return answers.error(message, error.fix, quoted=_server_words(error), listed=faults)
    if isinstance(error, MailError):
        log.warning("action=slack_mail_failed reference=%s asked=%s layer=%s", reference, asked, error.layer)
        return answers.error("The mail server did not do it.", error.fix, quoted=error.raw, reference=reference)
    if isinstance(error, SlackError):
        log.warning("action=slack_api_failed reference=%s asked=%s slack=%s", reference, asked, error.slack_code)
        return answers.error(*_slack_words(error), reference=reference)
    if isinstance(error, StorageError):
        log.error("action=slack_storage_failed reference=%s asked=%s", reference, asked, exc_info=error)
        return answers.error(_DATABASE, _OURS_FIX, reference=reference)
    log.error("action=slack_failed reference=%s asked=%s", reference, asked, exc_info=error)
    return answers.error(_OURS, _OURS_FIX, reference=reference)


def _server_words(error: Exception) -> str:
    """The mail server's own, where it was tried and refused (R43)."""
    diagnosis = getattr(error, "diagnosis", None)
    return diagnosis.raw if isinstance(diagnosis, Diagnosis) else ""


def _slack_words(error: SlackError) -> tuple[str, str]:
    if isinstance(error, SlackBusyError):
        return "Slack is not answering Rethread just now.", "Try again in a minute."
    if error.slack_code == "missing_scope":
        return (
            "Rethread lacks a permission in this workspace.",
            "An admin has to reinstall it with the newest manifest.",
        )
    if error.slack_code in _NO_WAY_IN:
        return "Rethread cannot post to that channel.", _INVITE
    return f"Slack refused a request of Rethread ({error.slack_code}).", _OURS_FIX
