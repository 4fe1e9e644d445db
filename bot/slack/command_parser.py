"""What a person typed after /mailbox or /outreach, as a typed request or a hint. Pure.

``VERBS`` is the one list of what is offered: help, the manifest's usage hints and the parser all read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bot.slack.typed_words import Word, words_of
from core.domain.dns_checks import domain_name

MAILBOX: Final = "/mailbox"
OUTREACH: Final = "/outreach"

MOST_CHARACTERS: Final = 1_000
"""Longer text is refused unread: the longest honest request is a campaign's name."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One line of the help text: ``/mailbox resync [address | all]``."""

    name: str
    arguments: str
    does: str


VERBS: Final[dict[str, tuple[Verb, ...]]] = {
    MAILBOX: (
        Verb("status", "[all | address | @person]", "how your mailboxes are, and what to do where one is red"),
        Verb("connect", "[address]", "get a private link to connect a mailbox, or to give it a new password"),
        Verb("resync", "[address | all]", "try again now to reach a broken mailbox"),
        Verb("refresh", "[address]", "read new mail at once"),
        Verb("pause", "[address]", "stop reading and sending for a while"),
        Verb("resume", "[address]", "go on after a pause"),
        Verb("switch", "[address] send|capture on|off", "send from a mailbox or not, read its mail or not"),
        Verb("disconnect", "address", "forget the password; the history stays"),
        Verb("log", "[address]", "recent errors, each with its fix"),
        Verb("check", "[domain | address]", "whether a domain's mail is set up right: MX, SPF, DMARC, DKIM"),
        Verb("test", "[mailbox] [to]", "send a test mail from a mailbox, and see whether it arrives"),
        Verb("escalate", "[address]", "collect the facts about a mailbox for whoever can help"),
        Verb("settings", "[name value]", "how Rethread behaves here; admins can change it"),
        Verb("help", "", "this list"),
    ),
    OUTREACH: (
        Verb("status", "[campaign]", "how campaigns are doing, and who needs attention"),
        Verb("list", "", "all campaigns in short"),
        Verb("start", "[campaign]", "start a campaign, or go on after a pause"),
        Verb("pause", "campaign", "send nothing more until it is started again"),
        Verb("retry", "campaign | email | all", "try failed stages again"),
        Verb("person", "email", "what was written to and from somebody, and their campaigns"),
        Verb("help", "", "this list"),
    ),
}


@dataclass(frozen=True, slots=True)
class Hint:
    """Not understood: what was wrong, and what to type."""

    problem: str
    usage: str


@dataclass(frozen=True, slots=True)
class Help:
    command: str


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


@dataclass(frozen=True, slots=True)
class OutreachStatus:
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class ListCampaigns:
    pass


@dataclass(frozen=True, slots=True)
class StartCampaign:
    """``name`` None: which ones could be started?"""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class PauseCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class RetryCampaign:
    """``name`` None: every campaign."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class RetryPerson:
    email: str


@dataclass(frozen=True, slots=True)
class ShowPerson:
    email: str


MailboxRequest = (
    MailboxStatus
    | ConnectMailbox
    | ResyncMailbox
    | RefreshMailbox
    | PauseMailbox
    | ResumeMailbox
    | SwitchMailbox
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
OutreachRequest = (
    OutreachStatus
    | ListCampaigns
    | StartCampaign
    | PauseCampaign
    | RetryCampaign
    | RetryPerson
    | ShowPerson
    | Help
    | Hint
)


_EMAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def parse_mailbox(text: str) -> MailboxRequest:
    """The request in the text after /mailbox; a Hint where it cannot be understood."""
    verb, arguments = _verb(MAILBOX, text)
    return verb if isinstance(verb, Help | Hint) else _MAILBOX_READERS[verb.name](arguments)


def parse_outreach(text: str) -> OutreachRequest:
    """The request in the text after /outreach; a Hint where it cannot be understood."""
    verb, arguments = _verb(OUTREACH, text)
    return verb if isinstance(verb, Help | Hint) else _OUTREACH_READERS[verb.name](arguments)


def usage(command: str, verb: Verb) -> str:
    """``/mailbox resync [address | all]``"""
    return f"{command} {verb.name} {verb.arguments}".rstrip()


def _verb(command: str, text: str) -> tuple[Verb | Help | Hint, list[Word]]:
    if len(text) > MOST_CHARACTERS:
        return Hint(f"That is too long: at most {MOST_CHARACTERS} characters.", f"{command} help"), []
    words = words_of(text)
    if not words:
        return Help(command), []
    said, arguments = words[0].text.lower().lstrip("/"), words[1:]
    known = {verb.name: verb for verb in VERBS[command]}
    if said in known:
        return (Help(command) if said == "help" else known[said]), arguments
    return _unknown(command, words[0].text, list(known)), []


def _unknown(command: str, said: str, known: list[str]) -> Hint:
    shown = said[:40]
    elsewhere = OUTREACH if command == MAILBOX else MAILBOX
    if shown.lower() in {verb.name for verb in VERBS[elsewhere]}:
        return Hint(f"“{shown}” belongs to {elsewhere}.", f"{elsewhere} {shown.lower()}")
    near = get_close_matches(shown.lower(), known, n=1, cutoff=0.5)
    suggestion = f" Did you mean “{near[0]}”?" if near else ""
    return Hint(f"I do not know “{shown}”.{suggestion}", f"{command} {near[0] if near else 'help'}")


def _hint(command: str, name: str, problem: str) -> Hint:
    verb = next(verb for verb in VERBS[command] if verb.name == name)
    return Hint(problem, usage(command, verb))


def _is_email(word: Word) -> bool:
    return not word.quoted and _EMAIL.fullmatch(word.text) is not None


def _address(words: list[Word]) -> str | Hint | None:
    """No word: None. One word: an address. Anything else is a hint without its usage line."""
    if not words:
        return None
    if len(words) > 1:
        return Hint("One address at a time, please.", "")
    word = words[0]
    return word.text if _EMAIL.fullmatch(word.text) else Hint(f"“{word.text[:60]}” is not an e-mail address.", "")


def _with_address(name: str, make: Callable[[str | None], MailboxRequest]) -> Callable[[list[Word]], MailboxRequest]:
    def read(words: list[Word]) -> MailboxRequest:
        address = _address(words)
        return _hint(MAILBOX, name, address.problem) if isinstance(address, Hint) else make(address)

    return read


def _says_all(words: list[Word]) -> bool:
    return len(words) == 1 and not words[0].quoted and words[0].text.lower() == "all"


def _status(words: list[Word]) -> MailboxRequest:
    if _says_all(words):
        return MailboxStatus(everybody=True)
    if len(words) == 1 and words[0].mention:
        return MailboxStatus(owner=words[0].text)
    return _with_address("status", lambda address: MailboxStatus(address=address))(words)


def _resync(words: list[Word]) -> MailboxRequest:
    if _says_all(words):
        return ResyncMailbox(everything=True)
    return _with_address("resync", lambda address: ResyncMailbox(address=address))(words)


def _switch(words: list[Word]) -> MailboxRequest:
    which, to = (["", "", *(word.text.lower() for word in words)])[-2:]
    if which not in ("send", "capture") or to not in ("on", "off"):
        return _hint(MAILBOX, "switch", "Which switch, and on or off?")
    return _with_address("switch", lambda address: SwitchMailbox(address, which, to == "on"))(words[:-2])


def _disconnect(words: list[Word]) -> MailboxRequest:
    problem = "Which mailbox? Name its address."
    return _with_address(
        "disconnect",
        lambda address: DisconnectMailbox(address) if address else _hint(MAILBOX, "disconnect", problem),
    )(words)


def _check(words: list[Word]) -> MailboxRequest:
    if not words:
        return CheckDomain()
    if len(words) > 1:
        return _hint(MAILBOX, "check", "One domain at a time, please.")
    domain = domain_name(words[0].text)
    return CheckDomain(domain) if domain else _hint(MAILBOX, "check", f"“{words[0].text[:60]}” is not a domain.")


def _test(words: list[Word]) -> MailboxRequest:
    if len(words) > 2:
        return _hint(MAILBOX, "test", "Two addresses at most: your mailbox, and where the test mail goes.")
    for word in words:
        if not _EMAIL.fullmatch(word.text):
            return _hint(MAILBOX, "test", f"“{word.text[:60]}” is not an e-mail address.")
    return TryMailbox(tuple(word.text for word in words))


def _settings(words: list[Word]) -> MailboxRequest:
    if len(words) > 2 and words[0].text.lower() == "set":
        words = words[1:]
    if not words:
        return ShowSettings()
    if len(words) < 2:
        return _hint(MAILBOX, "settings", f"“{words[0].text[:60]}”: to which value?")
    return ChangeSetting(words[0].text.lower(), " ".join(word.text for word in words[1:]))


def _name(words: list[Word]) -> str | None:
    """The rest of the line is a campaign's name, with or without quotes."""
    return " ".join(word.text for word in words).strip() or None


def _with_name(verb: str, make: Callable[[str], OutreachRequest]) -> Callable[[list[Word]], OutreachRequest]:
    def read(words: list[Word]) -> OutreachRequest:
        name = _name(words)
        return make(name) if name else _hint(OUTREACH, verb, "Which campaign? Type its name.")

    return read


def _retry(words: list[Word]) -> OutreachRequest:
    if _says_all(words):
        return RetryCampaign(None)
    if len(words) == 1 and _is_email(words[0]):
        return RetryPerson(words[0].text)
    name = _name(words)
    return RetryCampaign(name) if name else _hint(OUTREACH, "retry", "Retry what?")


def _person(words: list[Word]) -> OutreachRequest:
    if len(words) == 1 and _EMAIL.fullmatch(words[0].text):
        return ShowPerson(words[0].text)
    return _hint(OUTREACH, "person", "Whom? Type one e-mail address.")


_MAILBOX_READERS: Final[dict[str, Callable[[list[Word]], MailboxRequest]]] = {
    "status": _status,
    "connect": _with_address("connect", ConnectMailbox),
    "resync": _resync,
    "refresh": _with_address("refresh", RefreshMailbox),
    "pause": _with_address("pause", PauseMailbox),
    "resume": _with_address("resume", ResumeMailbox),
    "switch": _switch,
    "disconnect": _disconnect,
    "log": _with_address("log", MailboxLog),
    "check": _check,
    "test": _test,
    "escalate": _with_address("escalate", EscalateMailbox),
    "settings": _settings,
}

_OUTREACH_READERS: Final[dict[str, Callable[[list[Word]], OutreachRequest]]] = {
    "status": lambda words: OutreachStatus(_name(words)),
    "list": lambda _: ListCampaigns(),
    "start": lambda words: StartCampaign(_name(words)),
    "pause": _with_name("pause", PauseCampaign),
    "retry": _retry,
    "person": _person,
}
