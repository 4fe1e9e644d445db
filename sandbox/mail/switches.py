"""The switches a person or a test turns on one mailbox, described for the page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.mail.accounts import Account, Role, domain_of

if TYPE_CHECKING:
    from sandbox.mail.host import MailHost

Value = bool | str | None
Kind = Literal["toggle", "text", "action", "choice"]
_SIGNED_OUT = "Session expired, please login again."


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: how it reads, how it is told to a person, what turning it does."""

    name: str
    label: str
    help: str
    kind: Kind
    role: Role
    read: Callable[["MailHost", Account], Value]
    turn: Callable[["MailHost", Account, Any], Awaitable[None]]
    options: tuple[tuple[str, str], ...] = field(default=())

    def described(self) -> dict[str, object]:
        told: dict[str, object] = {
            "label": self.label,
            "help": self.help,
            "kind": self.kind,
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


async def _change_password(host: "MailHost", account: Account, value: str | None) -> None:
    if not value:
        raise ValueError("password takes a text that is not empty")
    account.password = value
    host.sign_out(account.address, _SIGNED_OUT)


async def _drop(host: "MailHost", account: Account, _value: None) -> None:
    host.drop_connections(account.address)


async def _silence(_host: "MailHost", account: Account, value: bool) -> None:
    account.silent = value


async def _imap_off(host: "MailHost", account: Account, value: bool) -> None:
    account.imap_off = value
    if value:
        host.sign_out(account.address, _SIGNED_OUT)


async def _throttle(host: "MailHost", account: Account, value: bool) -> None:
    account.throttled = value
    if value:
        host.sign_out(account.address, "Too many simultaneous connections")


async def _smtp_off(host: "MailHost", account: Account, value: bool) -> None:
    account.smtp_off = value
    if value:
        host.end_submission(account.address)


async def _files_sent(_host: "MailHost", account: Account, value: bool) -> None:
    account.files_sent = value


async def _break_dns(host: "MailHost", account: Account, value: str) -> None:
    host.zones.break_domain(domain_of(account.address), value)


async def _ooo(_host: "MailHost", account: Account, value: str | None) -> None:
    account.set_ooo(value)


async def _refuse(host: "MailHost", account: Account, value: str) -> None:
    host.directory.refuse(account.address, value)


SWITCHES: dict[str, Switch] = {
    switch.name: switch
    for switch in (
        Switch(
            "password",
            "Password",
            "Changes the mailbox's password and signs out every program that uses it, as providers do.",
            "text",
            "recruiter",
            lambda _host, account: account.password,
            _change_password,
        ),
        Switch(
            "drop",
            "Drop connections",
            "Cuts every open connection of this mailbox at once, as a restarting server does.",
            "action",
            "recruiter",
            lambda _host, _account: None,
            _drop,
        ),
        Switch(
            "silent",
            "Go silent",
            "Connections stay open, but the server answers nothing and tells of no new mail.",
            "toggle",
            "recruiter",
            lambda _host, account: account.silent,
            _silence,
        ),
        Switch(
            "imap_off",
            "IMAP turned off",
            "The account's settings no longer allow IMAP: signing in is refused with Gmail's words.",
            "toggle",
            "recruiter",
            lambda _host, account: account.imap_off,
            _imap_off,
        ),
        Switch(
            "throttled",
            "Too many connections",
            "Signing in is refused because too many connections are open.",
            "toggle",
            "recruiter",
            lambda _host, account: account.throttled,
            _throttle,
        ),
        Switch(
            "smtp_off",
            "Sending turned off",
            "The outgoing server closes the connection with 421 when this account signs in.",
            "toggle",
            "recruiter",
            lambda _host, account: account.smtp_off,
            _smtp_off,
        ),
        Switch(
            "files_sent",
            "Files sent mail",
            "The server puts a copy of what it accepts into Sent, as Gmail and Microsoft do.",
            "toggle",
            "recruiter",
            lambda _host, account: account.files_sent,
            _files_sent,
        ),
        Switch(
            "dns",
            "Domain's DNS",
            "What is wrong with the DNS of the mailbox's domain (all mailboxes of the domain share it).",
            "choice",
            "recruiter",
            lambda host, account: host.zones.fault(domain_of(account.address)),
            _break_dns,
            (
                ("none", "In order"),
                ("spf", "No SPF record"),
                ("dmarc", "No DMARC record"),
                ("nxdomain", "Domain does not exist"),
                ("servfail", "Name server fails"),
                ("silent", "Name server gives no answer"),
            ),
        ),
        Switch(
            "ooo",
            "Out of office",
            "Answers each sender once with this text; empty turns it off.",
            "text",
            "candidate",
            lambda _host, account: account.ooo,
            _ooo,
        ),
        Switch(
            "refuse",
            "Incoming mail",
            "What happens to mail for this address.",
            "choice",
            "candidate",
            lambda host, account: host.directory.refusal(account.address),
            _refuse,
            (
                ("none", "Arrives"),
                ("bounce", "Bounces: unknown user"),
                ("full", "Bounces: mailbox full"),
                ("reject", "Refused at once: unknown user"),
                ("defer", "Refused for now: try later"),
                ("spam", "Refused as spam"),
                ("drop", "Arrives, but the connection is cut before the answer"),
                ("drop_before", "The connection is cut and the mail is lost"),
            ),
        ),
    )
}


def switches_for(role: Role) -> list[Switch]:
    return [switch for switch in SWITCHES.values() if switch.role == role]
