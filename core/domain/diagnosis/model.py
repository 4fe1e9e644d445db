"""The values of a diagnosis: what failed, and what that means to the people who must mend it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CauseClass(StrEnum):
    """How the product behaves when a cause of this class is met."""

    SILENT = "silent"
    WAIT = "wait"
    SLOW_DOWN = "slow down"
    PAUSE_SENDING = "pause sending"
    USER_RECONNECTS = "user reconnects"
    MAILBOX_SWITCH = "mailbox switch"
    TENANT_ADMIN = "tenant admin"
    OUR_APP = "our app"
    SETTINGS = "settings"
    ONE_FOLDER = "one folder"
    OUR_BUG = "our bug"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Who(StrEnum):
    """Who can mend it."""

    NOBODY = "nobody"
    RECRUITER = "recruiter"
    MAIL_ADMIN = "mail_admin"
    OPERATOR = "operator"
    VENDOR = "vendor"


WHO_MENDS: Mapping[CauseClass, Who] = {
    CauseClass.SILENT: Who.NOBODY,
    CauseClass.WAIT: Who.NOBODY,
    CauseClass.SLOW_DOWN: Who.NOBODY,
    CauseClass.PAUSE_SENDING: Who.MAIL_ADMIN,
    CauseClass.USER_RECONNECTS: Who.RECRUITER,
    CauseClass.MAILBOX_SWITCH: Who.RECRUITER,
    CauseClass.TENANT_ADMIN: Who.MAIL_ADMIN,
    CauseClass.OUR_APP: Who.OPERATOR,
    CauseClass.SETTINGS: Who.RECRUITER,
    CauseClass.ONE_FOLDER: Who.RECRUITER,
    CauseClass.OUR_BUG: Who.VENDOR,
    CauseClass.RECIPIENT: Who.RECRUITER,
    CauseClass.CONTENT: Who.RECRUITER,
}

_PASSES_BY_ITSELF = frozenset({CauseClass.SILENT, CauseClass.WAIT, CauseClass.SLOW_DOWN})


@dataclass(frozen=True, slots=True)
class Cause:
    """What we know of a cause, whichever server named it.

    ``fix`` is one or two sentences in the recruiter's words: what happened, why, what to press (R207).
    ``fix_by_provider`` replaces it where a provider needs other steps, ``who_by_provider`` who is to take them.
    ``forward`` is text that a recruiter can send on
    to the mail administrator as it is. ``obsolete`` names advice still found in old guides, with what replaced it
    (R226).
    ``who`` and ``transient`` follow the class unless given.
    """

    klass: CauseClass
    title: str
    fix: str
    who: Who | None = None
    transient: bool | None = None
    forward: str | None = None
    obsolete: str | None = None
    fix_by_provider: Mapping[str, str] = field(default_factory=dict)
    who_by_provider: Mapping[str, Who] = field(default_factory=dict)
    obsolete_by_provider: Mapping[str, str] = field(default_factory=dict)

    def mended_by(self, provider: str | None = None) -> Who:
        """Who can mend it, at this provider, by the cause itself or by its class."""
        return self.who_by_provider.get(provider or "") or self.who or WHO_MENDS[self.klass]

    def passes_by_itself(self) -> bool:
        """Whether trying again, unchanged, can succeed."""
        return self.klass in _PASSES_BY_ITSELF if self.transient is None else self.transient

    def fix_for(self, provider: str | None) -> str:
        """The fix in the provider's own steps, else the general one."""
        return self.fix_by_provider.get(provider or "", self.fix)

    def forward_for(self, provider: str | None) -> str | None:
        """Text for the mail administrator, unless somebody else has to act at this provider."""
        return None if provider in self.who_by_provider else self.forward

    def obsolete_for(self, provider: str | None) -> str | None:
        """Outdated advice a person may have read, with today's remedy beside it, or None."""
        return self.obsolete_by_provider.get(provider or "", self.obsolete or "") or None


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong with a mail server.

    ``layer`` is imap, smtp, oauth, tls, dns or socket; ``raw`` the whole reply or error text; ``host`` the server that
    was spoken to (the login host, or the remote server for a bounce), which decides whose wording is read.
    """

    layer: str
    raw: str
    host: str = ""
    smtp_code: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on a failure.

    ``cause`` is a name of the cause table or ``unknown``; ``klass`` a CauseClass value; ``who`` a Who value;
    ``raw`` the server's words unchanged (R43). ``retry_after_s`` is the pause in seconds that the server itself asked
    for, where it named one.
    """

    cause: str
    klass: str
    transient: bool
    who: str
    fix: str
    raw: str
    obsolete: str | None
    title: str = ""
    forward: str | None = None
    provider: str | None = None
    retry_after_s: float | None = None
