"""What can be asked after /outreach. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.slack.command_parser.grammar import EMAIL, OUTREACH, Help, Hint, Verb, hint_for, is_email, name_of, says_all
from bot.slack.typed_words import Word

VERBS: Final = (
    Verb("status", "[campaign]", "how campaigns are doing, and who needs attention"),
    Verb("list", "[mine | running | paused | draft | …]", "all campaigns in short"),
    Verb("new", "", "build a campaign in a window"),
    Verb("open", "campaign", "look into a campaign and change it"),
    Verb("preflight", "campaign", "what will go wrong and when mails will go, before you start"),
    Verb("start", "[campaign]", "start a campaign, or go on after a pause"),
    Verb("pause", "campaign", "send nothing more until it is started again"),
    Verb("stop", "campaign | everything", "end a campaign for good; admins can stop everything"),
    Verb("resume", "everything", "let everything go on that an admin stopped"),
    Verb("add", "[campaign]", "add people to a campaign"),
    Verb("move", "[campaign]", "take people over to another campaign, by status"),
    Verb("retry", "campaign | email | all", "try failed stages again"),
    Verb("person", "email", "what was written to and from somebody, and their campaigns"),
    Verb("log", "[campaign]", "the Email Log: what waits, went, failed; cancel or retry from there"),
    Verb("report", "[campaign]", "opens, clicks, replies per stage, with pictures"),
    Verb("test", "campaign", "send yourself a test letter of a campaign"),
    Verb("import", "", "a campaign file or a list of people"),
    Verb("export", "campaign", "the campaign as a file"),
    Verb("duplicate", "campaign", "a new draft with the same stages"),
    Verb("archive", "campaign", "put a finished campaign away"),
    Verb("block", "[address | @domain]", "do not contact: show the list, or add to it"),
    Verb("away", "date", "hold your follow-ups until that day"),
    Verb("back", "", "let your follow-ups go on"),
    Verb("left", "", "what is left of today's limits"),
    Verb("help", "", "this list"),
)


@dataclass(frozen=True, slots=True)
class OutreachStatus:
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class ListCampaigns:
    """``words`` as typed: mine, shared, a status, a part of a name."""

    words: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class NewCampaign:
    pass


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class PreflightCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class StopCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class StopEverything:
    pass


@dataclass(frozen=True, slots=True)
class ResumeEverything:
    pass


@dataclass(frozen=True, slots=True)
class AddPeople:
    """``name`` None: to be chosen."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class MovePeople:
    """``name`` is where they are now; None: to be chosen."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class ShowLog:
    """``name`` None: of all campaigns."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class ReportCampaign:
    """``name`` None: all together."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class TestLetter:
    name: str

    __test__ = False  # no test class, whatever a test runner makes of its name


@dataclass(frozen=True, slots=True)
class ImportFile:
    pass


@dataclass(frozen=True, slots=True)
class ExportCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class DuplicateCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class ArchiveCampaign:
    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """``entry`` None: show the list; else an address or @domain to add. ``remove``: take it off."""

    entry: str | None = None
    remove: bool = False


@dataclass(frozen=True, slots=True)
class Away:
    """``until`` as typed: a date, a weekday, or a number of days."""

    until: str


@dataclass(frozen=True, slots=True)
class Back:
    pass


@dataclass(frozen=True, slots=True)
class LimitsLeft:
    pass


OutreachRequest = (
    OutreachStatus
    | ListCampaigns
    | StartCampaign
    | PauseCampaign
    | RetryCampaign
    | RetryPerson
    | ShowPerson
    | NewCampaign
    | OpenCampaign
    | PreflightCampaign
    | StopCampaign
    | StopEverything
    | ResumeEverything
    | AddPeople
    | MovePeople
    | ShowLog
    | ReportCampaign
    | TestLetter
    | ImportFile
    | ExportCampaign
    | DuplicateCampaign
    | ArchiveCampaign
    | Block
    | Away
    | Back
    | LimitsLeft
    | Help
    | Hint
)


def _hint(name: str, problem: str) -> Hint:
    return hint_for(OUTREACH, VERBS, name, problem)


def _with_name(verb: str, make: Callable[[str], OutreachRequest]) -> Callable[[list[Word]], OutreachRequest]:
    def read(words: list[Word]) -> OutreachRequest:
        name = name_of(words)
        return make(name) if name else _hint(verb, "Which campaign? Type its name.")

    return read


def _retry(words: list[Word]) -> OutreachRequest:
    if says_all(words):
        return RetryCampaign(None)
    if len(words) == 1 and is_email(words[0]):
        return RetryPerson(words[0].text)
    name = name_of(words)
    return RetryCampaign(name) if name else _hint("retry", "Retry what?")


def _person(words: list[Word]) -> OutreachRequest:
    if len(words) == 1 and EMAIL.fullmatch(words[0].text):
        return ShowPerson(words[0].text)
    return _hint("person", "Whom? Type one e-mail address.")


def _stop(words: list[Word]) -> OutreachRequest:
    if _says_everything(words):
        return StopEverything()
    return _with_name("stop", StopCampaign)(words)


def _resume(words: list[Word]) -> OutreachRequest:
    if _says_everything(words):
        return ResumeEverything()
    return _hint("resume", "A campaign goes on with /outreach start.")


def _says_everything(words: list[Word]) -> bool:
    return len(words) == 1 and not words[0].quoted and words[0].text.lower() == "everything"


def _block(words: list[Word]) -> OutreachRequest:
    if not words:
        return Block()
    remove = len(words) == 2 and words[0].text.lower() == "remove"
    entry = words[-1].text
    if len(words) > 1 + remove or "@" not in entry:
        return _hint("block", "Whom? Type one address, or @domain.")
    return Block(entry, remove)


def _away(words: list[Word]) -> OutreachRequest:
    until = " ".join(word.text for word in words).strip()
    return Away(until) if until else _hint("away", "Until when? Type a date such as 2026-09-30.")


READERS: Final[dict[str, Callable[[list[Word]], OutreachRequest]]] = {
    "status": lambda words: OutreachStatus(name_of(words)),
    "list": lambda words: ListCampaigns(tuple(word.text for word in words)),
    "start": lambda words: StartCampaign(name_of(words)),
    "pause": _with_name("pause", PauseCampaign),
    "retry": _retry,
    "person": _person,
    "new": lambda _: NewCampaign(),
    "open": _with_name("open", OpenCampaign),
    "preflight": _with_name("preflight", PreflightCampaign),
    "stop": _stop,
    "resume": _resume,
    "add": lambda words: AddPeople(name_of(words)),
    "move": lambda words: MovePeople(name_of(words)),
    "log": lambda words: ShowLog(name_of(words)),
    "report": lambda words: ReportCampaign(name_of(words)),
    "test": _with_name("test", TestLetter),
    "import": lambda _: ImportFile(),
    "export": _with_name("export", ExportCampaign),
    "duplicate": _with_name("duplicate", DuplicateCampaign),
    "archive": _with_name("archive", ArchiveCampaign),
    "block": _block,
    "away": _away,
    "back": lambda _: Back(),
    "left": lambda _: LimitsLeft(),
}
