"""What use cases answer with, as far as Slack shows it: named here by what is read, whoever makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.lag import Lag


class FailedStage(Protocol):
    """One stage that failed while a mailbox was down (X3): for whom, where and when."""

    @property
    def campaign(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def stage(self) -> int: ...
    @property
    def failed_at(self) -> datetime: ...


class EscalationPack(Protocol):
    """Everything that whoever helps will ask for, as plain text without secrets (R17, R25)."""

    @property
    def text(self) -> str: ...


class MailTest(Protocol):
    """What became of a test mail (R18). ``raw`` is the server's own answer, ``fix`` what to do where it did not go,
    ``arrival`` in words whether it arrived; empty where nobody could look."""

    @property
    def sent(self) -> bool: ...
    @property
    def to(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def raw(self) -> str: ...
    @property
    def fix(self) -> str: ...
    @property
    def arrival(self) -> str: ...


class ProviderFound(Protocol):
    """Where an address's mail is (R54..R57). ``sign_in`` is google, microsoft or password; ``how`` the evidence and
    ``warnings`` what speaks against it, each in words."""

    @property
    def provider(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def how(self) -> Sequence[str]: ...
    @property
    def sign_in(self) -> str: ...
    @property
    def warnings(self) -> Sequence[str]: ...


class Reading(Protocol):
    """How far a mailbox is read (R10, R19, R20): about how many old mails are still to come, and whether new mail is
    late and why; how many mails of the last thirty days belong to people on profiles, and to nobody (R81)."""

    @property
    def history_left(self) -> int: ...
    @property
    def lag(self) -> Lag: ...
    @property
    def matched(self) -> int | None: ...
    @property
    def strangers(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Seats:
    """How many of a workspace's mailboxes are synced, of how many at most (0: no limit; R35, R38)."""

    used: int
    limit: int
