"""What every command's text has in common: verbs, hints, help, addresses, names. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bot.slack.typed_words import Word, words_of

MAILBOX: Final = "/mailbox"
OUTREACH: Final = "/outreach"

MOST_CHARACTERS: Final = 1_000
"""Longer text is refused unread: the longest honest request is a campaign's name."""

EMAIL: Final = re.compile(r"[^\s@<>]+@[^\s@<>]+")


@dataclass(frozen=True, slots=True)
class Verb:
    """One line of the help text: ``/mailbox resync [address | all]``."""

    name: str
    arguments: str
    does: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Not understood: what was wrong, and what to type."""

    problem: str
    usage: str


@dataclass(frozen=True, slots=True)
class Help:
    command: str


def usage(command: str, verb: Verb) -> str:
    """``/mailbox resync [address | all]``"""
    return f"{command} {verb.name} {verb.arguments}".rstrip()


def verb_of(
    command: str, verbs: Sequence[Verb], elsewhere: Sequence[Verb], text: str
) -> tuple[Verb | Help | Hint, list[Word]]:
    """The verb that a text begins with, and its arguments; help or a hint where there is none."""
    if len(text) > MOST_CHARACTERS:
        return Hint(f"That is too long: at most {MOST_CHARACTERS} characters.", f"{command} help"), []
    words = words_of(text)
    if not words:
        return Help(command), []
    said, arguments = words[0].text.lower().lstrip("/"), words[1:]
    known = {verb.name: verb for verb in verbs}
    if said in known:
        return (Help(command) if said == "help" else known[said]), arguments
    return _unknown(command, words[0].text, list(known), {verb.name for verb in elsewhere}), []


def _unknown(command: str, said: str, known: list[str], others: set[str]) -> Hint:
    shown = said[:40]
    elsewhere = OUTREACH if command == MAILBOX else MAILBOX
    if shown.lower() in others:
        return Hint(f"“{shown}” belongs to {elsewhere}.", f"{elsewhere} {shown.lower()}")
    near = get_close_matches(shown.lower(), known, n=1, cutoff=0.5)
    suggestion = f" Did you mean “{near[0]}”?" if near else ""
    return Hint(f"I do not know “{shown}”.{suggestion}", f"{command} {near[0] if near else 'help'}")


def hint_for(command: str, verbs: Sequence[Verb], name: str, problem: str) -> Hint:
    """What was wrong with a verb's arguments, and how it is typed."""
    verb = next(verb for verb in verbs if verb.name == name)
    return Hint(problem, usage(command, verb))


def is_email(word: Word) -> bool:
    return not word.quoted and EMAIL.fullmatch(word.text) is not None


def address_of(words: list[Word]) -> str | Hint | None:
    """No word: None. One word: an address. Anything else is a hint without its usage line."""
    if not words:
        return None
    if len(words) > 1:
        return Hint("One address at a time, please.", "")
    word = words[0]
    return word.text if EMAIL.fullmatch(word.text) else Hint(f"“{word.text[:60]}” is not an e-mail address.", "")


def says_all(words: list[Word]) -> bool:
    return len(words) == 1 and not words[0].quoted and words[0].text.lower() == "all"


def name_of(words: list[Word]) -> str | None:
    """The rest of the line is a campaign's name, with or without quotes."""
    return " ".join(word.text for word in words).strip() or None
