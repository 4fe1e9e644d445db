"""Every error that Rethread raises on purpose.

RethreadError
├── SettingsError            wrong or missing settings, all of them at once
├── InputError               a file, form or argument that cannot be used: where, which field, why, what to do
├── NotFoundError            the thing named does not exist in this workspace
├── RefusedError             a legal request that the rules refuse now, with the reason
├── NotAllowedError          this person may not do this
├── MailError                the world of mail did not do what we asked
│   ├── UnreachableError     DNS, socket or TLS: no conversation took place
│   ├── LoginRefusedError    the server refused the credentials or the account
│   │   └── FreshTokenRefusedError  also with an access token given a moment ago
│   ├── ServerRefusedError   the server said NO, BAD or 4xx/5xx to something else
│   │   └── SmsRefusedError  the text message provider said no, with a code of its own
│   ├── ConnectionLostError  a conversation broke off or fell silent
│   │   └── ServerSilentError    the connection stands, but nothing comes of it
│   └── OutcomeUnknownError  it broke off after the message's last byte: it may have gone out
├── SlackError               Slack did not take a message
│   ├── SlackRefusedError    it said no, for good: the route or the message is wrong
│   ├── SlackBusyError       not now: rate limit or outage before anything happened
│   └── SlackUnknownError    the answer was lost: the message may stand there
└── StorageError             the database did not take a statement
    ├── LostRaceError        somebody changed the row between our reading and writing: try the whole unit again
    ├── StorageBusyError     locked, serialisation or deadlock: try the whole unit again
    ├── SealedError          stored credentials that no key of ours opens
    ├── DatabaseInUseError   another process holds this SQLite file
    └── SchemaMismatchError  the schema is older or newer than this program

Each class says whether trying again makes sense (``retryable``), carries a machine-readable ``code`` and facts
that may be shown to a person: never a secret, never a message body.
"""

from __future__ import annotations

from typing import ClassVar


class RethreadError(Exception):
    """Something that Rethread can name."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class SettingsError(RethreadError):
    """Wrong or missing settings; ``mistakes`` holds one sentence each, with the variable's name and the fix."""

    code = "settings"

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class InputError(RethreadError):
    """Input that cannot be used. ``where`` is a file and line or a form, ``field`` the column or key."""

    code = "input"

    def __init__(self, reason: str, *, where: str = "", field: str = "", fix: str = "") -> None:
        place = ", ".join(part for part in (where, field) if part)
        super().__init__(f"{place}: {reason}" if place else reason, fix=fix)
        self.where, self.field, self.reason = where, field, reason


class NotFoundError(RethreadError):
    """Nothing of that name here."""

    code = "not_found"


class RefusedError(RethreadError):
    """The rules refuse this now; ``reason`` is a code, the message a sentence."""

    code = "refused"

    def __init__(self, message: str, *, reason: str = "refused", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.reason = reason


class NotAllowedError(RethreadError):
    """This person may not do this."""

    code = "not_allowed"


class MailError(RethreadError):
    """A conversation with a mail server failed.

    ``layer`` is imap, smtp, oauth, sms, tls, dns or socket; ``raw`` the server's (or operating system's) own words,
    never with a credential in it; ``host`` the server's name.
    """

    code = "mail"
    retryable = True

    def __init__(self, raw: str, *, layer: str, host: str = "", smtp_code: int | None = None) -> None:
        super().__init__(raw)
        self.raw, self.layer, self.host, self.smtp_code = raw, layer, host, smtp_code


class UnreachableError(MailError):
    """DNS, socket or TLS: no conversation took place."""

    code = "unreachable"


class LoginRefusedError(MailError):
    """The server refused the credentials or the account."""

    code = "login_refused"
    retryable = False


class FreshTokenRefusedError(LoginRefusedError):
    """An access token given a moment ago was refused: not the token is wrong but what it is to open."""

    code = "fresh_token_refused"


class ServerRefusedError(MailError):
    """The server answered NO, BAD, 4xx or 5xx. For SMTP ``smtp_code`` says which; the outcome is certain."""

    code = "server_refused"


class SmsRefusedError(ServerRefusedError):
    """The text message provider took nothing, for certain. ``provider_code`` is its own number (0: none was given),
    ``status`` that of HTTP, ``retry_after`` seconds where it said so. ``sms_codes.classify`` reads them."""

    code = "sms_refused"

    def __init__(
        self, raw: str, *, host: str = "", provider_code: int = 0, status: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(raw, layer="sms", host=host)
        self.provider_code, self.status, self.retry_after = provider_code, status, retry_after


class ConnectionLostError(MailError):
    """A conversation broke off or fell silent before anything was handed over."""

    code = "connection_lost"


class ServerSilentError(ConnectionLostError):
    """The connection stands, and for too long nothing has come of it (R4)."""

    code = "server_silent"


class OutcomeUnknownError(MailError):
    """It broke off after the message's last byte (RFC 1047): the mail may have gone out."""

    code = "outcome_unknown"
    retryable = False


class SlackError(RethreadError):
    """Slack did not take a message; ``slack_code`` is Slack's own word."""

    code = "slack"

    def __init__(self, slack_code: str, *, retry_after: float | None = None) -> None:
        super().__init__(slack_code)
        self.slack_code, self.retry_after = slack_code, retry_after


class SlackRefusedError(SlackError):
    """Slack said no, for good: the route or the message is wrong."""

    code = "slack_refused"


class SlackBusyError(SlackError):
    """Not now; nothing happened. ``retry_after`` in seconds where Slack said so."""

    code = "slack_busy"
    retryable = True


class SlackUnknownError(SlackError):
    """The answer was lost: the message may stand there."""

    code = "slack_unknown"


class StorageError(RethreadError):
    """The database did not take a statement."""

    code = "storage"


class StorageBusyError(StorageError):
    """Locked, serialisation failure or deadlock: the whole unit may be tried again."""

    code = "storage_busy"
    retryable = True


class LostRaceError(StorageError):
    """Somebody changed the row between our reading and writing: the unit is rolled back and may be tried again."""

    code = "lost_race"
    retryable = True

    def __init__(self) -> None:
        super().__init__("Somebody else changed this at the same moment.", fix="Look again, then decide.")


class SealedError(StorageError):
    """Stored credentials that do not open: their key is not on the ring, or they were changed, cut or moved."""

    code = "sealed"


class DatabaseInUseError(StorageError):
    """Another process holds this SQLite file."""

    code = "database_in_use"


class SchemaMismatchError(StorageError):
    """The schema is older or newer than this program."""

    code = "schema_mismatch"
