"""What a switch is: how it reads to a person, what it takes, what turning it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.mail.accounts import Account, Provider, Role

if TYPE_CHECKING:
    from sandbox.mail.host import MailHost

Value = bool | str | None
Kind = Literal["toggle", "text", "action", "choice"]
Group = Literal["Sign-in", "Server", "Silence", "Sending", "Name and certificate", "Candidate"]
Read = Callable[["MailHost", Account], Value]
Turn = Callable[["MailHost", Account, Any], Awaitable[None]]

EVERY_PROVIDER: tuple[Provider, ...] = ("password", "google", "microsoft")


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch. ``well`` is the value at which it harms nothing; None where no value does harm."""

    name: str
    group: Group
    label: str
    help: str
    kind: Kind
    read: Read
    turn: Turn
    options: tuple[tuple[str, str], ...] = field(default=())
    well: Value = None
    role: Role = "recruiter"
    providers: tuple[Provider, ...] = EVERY_PROVIDER

    def fits(self, account: Account) -> bool:
        """Whether this account has the switch."""
        return self.role == account.seed.role and account.seed.provider in self.providers

    def described(self) -> dict[str, object]:
        """The switch as the page draws it."""
        told: dict[str, object] = {
            "group": self.group,
            "label": self.label,
            "help": self.help,
            "kind": self.kind,
            "well": self.well,
            "roles": [self.role],
        }
        if self.options:
            told["options"] = [{"value": value, "label": label} for value, label in self.options]
        return told

    def checked(self, value: object) -> Value:
        """The value if it fits the kind.

        Raises:
            ValueError: it does not; the text says what is wanted.
        """
        if self.kind == "action":
            return None
        if self.kind == "toggle" and not isinstance(value, bool):
            raise ValueError(f"{self.name} takes true or false")
        if self.kind == "choice" and value not in [allowed for allowed, _ in self.options]:
            raise ValueError(f"{self.name} takes one of {', '.join(allowed for allowed, _ in self.options)}")
        if self.kind == "text" and not isinstance(value, str | None):
            raise ValueError(f"{self.name} takes a text")
        return value  # type: ignore[return-value]


def nothing(_host: "MailHost", _account: Account) -> Value:
    """What an action reads as."""
    return None
