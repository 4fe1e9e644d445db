"""What can be asked after /mailbox. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.slack.command_parser.grammar import EMAIL, MAILBOX, Help, Hint, Verb, address_of, hint_for, says_all
from bot.slack.typed_words import Word
from core.domain.dns_checks import domain_name

VERBS: Final = (
    Verb("status", "[all | address | @person]", "how your mailboxes are, and what to do where one is red"),
    Verb("connect", "[address]", "get a private link to connect a mailbox, or to give it a new password"),
    Verb("resync", "[address | all]", "try again now to reach a broken mailbox"),
    Verb("refresh", "[address]", "read new mail at once"),
    Verb("pause", "[address]", "stop reading and sending for a while"),
    Verb("resume", "[address]", "go on after a pause"),
    Verb("switch", "[address] send|capture on|off", "send from a mailbox or not, read its mail or not"),
    Verb("signature", "[address]", "what stands under your campaign mails, and further From addresses"),
    Verb("disconnect", "address", "forget the password; the history stays"),
    Verb("log", "[address]", "recent errors, each with its fix"),
    Verb("check", "[domain | address]", "whether a domain's mail is set up right: MX, SPF, DMARC, DKIM"),
    Verb("test", "[mailbox] [to]", "send a test mail from a mailbox, and see whether it arrives"),
    Verb("escalate", "[address]", "collect the facts about a mailbox for whoever can help"),
    Verb("settings", "[name value]", "how Rethread behaves here; admins can change it"),
    Verb("help", "", "this list"),
)


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """At most one of the three is set; none: the person's own mailboxes."""

    everybody: bool = False
    address: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectMailbox:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ResyncMailbox:
    """``address`` None without ``everything``: the person's own broken mailboxes."""

    address: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class RefreshMailbox:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class PauseMailbox:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeMailbox:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class SwitchMailbox:
    """``switch`` is send or capture."""

    address: str | None
    switch: str
    on: bool


@dataclass(frozen=True, slots=True)
class EditSignature:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class DisconnectMailbox:
    address: str


@dataclass(frozen=True, slots=True)
class MailboxLog:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class CheckDomain:
    """``domain`` None: that of the person's own mailbox."""

    domain: str | None = None


@dataclass(frozen=True, slots=True)
class TryMailbox:
    """At most two addresses, in the order typed: the mailbox, and where the test mail goes."""

    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalateMailbox:
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ShowSettings:
    pass


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    key: str
    value: str


MailboxRequest = (
    MailboxStatus
    | ConnectMailbox
    | ResyncMailbox
    | RefreshMailbox
    | PauseMailbox
    | ResumeMailbox
    | SwitchMailbox
    | EditSignature
    | DisconnectMailbox
    | MailboxLog
    | CheckDomain
    | TryMailbox
    | EscalateMailbox
    | ShowSettings
    | ChangeSetting
    | Help
    | Hint
)


def _hint(name: str, problem: str) -> Hint:
    return hint_for(MAILBOX, VERBS, name, problem)


def _with_address(name: str, make: Callable[[str | None], MailboxRequest]) -> Callable[[list[Word]], MailboxRequest]:
    def read(words: list[Word]) -> MailboxRequest:
        address = address_of(words)
        return _hint(name, address.problem) if isinstance(address, Hint) else make(address)

    return read


def _status(words: list[Word]) -> MailboxRequest:
    if says_all(words):
        return MailboxStatus(everybody=True)
    if len(words) == 1 and words[0].mention:
        return MailboxStatus(owner=words[0].text)
    return _with_address("status", lambda address: MailboxStatus(address=address))(words)


def _resync(words: list[Word]) -> MailboxRequest:
    if says_all(words):
        return ResyncMailbox(everything=True)
    return _with_address("resync", lambda address: ResyncMailbox(address=address))(words)


def _switch(words: list[Word]) -> MailboxRequest:
    which, to = (["", "", *(word.text.lower() for word in words)])[-2:]
    if which not in ("send", "capture") or to not in ("on", "off"):
        return _hint("switch", "Which switch, and on or off?")
    return _with_address("switch", lambda address: SwitchMailbox(address, which, to == "on"))(words[:-2])


def _disconnect(words: list[Word]) -> MailboxRequest:
    problem = "Which mailbox? Name its address."
    return _with_address(
        "disconnect",
        lambda address: DisconnectMailbox(address) if address else _hint("disconnect", problem),
    )(words)


def _check(words: list[Word]) -> MailboxRequest:
    if not words:
        return CheckDomain()
    if len(words) > 1:
        return _hint("check", "One domain at a time, please.")
    domain = domain_name(words[0].text)
    return CheckDomain(domain) if domain else _hint("check", f"“{words[0].text[:60]}” is not a domain.")


def _test(words: list[Word]) -> MailboxRequest:
    if len(words) > 2:
        return _hint("test", "Two addresses at most: your mailbox, and where the test mail goes.")
    for word in words:
        if not EMAIL.fullmatch(word.text):
            return _hint("test", f"“{word.text[:60]}” is not an e-mail address.")
    return TryMailbox(tuple(word.text for word in words))


def _settings(words: list[Word]) -> MailboxRequest:
    if len(words) > 2 and words[0].text.lower() == "set":
        words = words[1:]
    if not words:
        return ShowSettings()
    if len(words) < 2:
        return _hint("settings", f"“{words[0].text[:60]}”: to which value?")
    return ChangeSetting(words[0].text.lower(), " ".join(word.text for word in words[1:]))


READERS: Final[dict[str, Callable[[list[Word]], MailboxRequest]]] = {
    "status": _status,
    "connect": _with_address("connect", ConnectMailbox),
    "resync": _resync,
    "refresh": _with_address("refresh", RefreshMailbox),
    "pause": _with_address("pause", PauseMailbox),
    "resume": _with_address("resume", ResumeMailbox),
    "switch": _switch,
    "signature": _with_address("signature", EditSignature),
    "disconnect": _disconnect,
    "log": _with_address("log", MailboxLog),
    "check": _check,
    "test": _test,
    "escalate": _with_address("escalate", EscalateMailbox),
    "settings": _settings,
}
