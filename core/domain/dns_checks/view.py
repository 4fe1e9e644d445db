"""DNS as the rules see it: answers that are there already, and a list of what they would still like to know. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

MAX_RECORDS: Final = 50
MAX_TEXT: Final = 4_096
"""Records of one name, and characters of one record, that are looked at. The longest honest ones stay under 1,000."""


class Kind(StrEnum):
    MX = "MX"
    TXT = "TXT"
    ADDRESS = "ADDRESS"


class Question(NamedTuple):
    kind: Kind
    name: str


Facts = Mapping[Question, tuple[str, ...] | None]
"""Answers by question: the records as text (MX as "10 mail.agency.test", the null MX as "0 "), () where the server
said that there are none, None where nobody could tell."""


class View:
    """The facts; ``wanted`` collects the questions that have no answer yet, in the order asked."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.wanted: dict[Question, None] = {}

    def ask(self, kind: Kind, name: str) -> tuple[str, ...] | None:
        """The records; None where they are not known, be it not yet or not at all."""
        question = Question(kind, name)
        if question not in self._facts:
            self.wanted[question] = None
            return None
        found = self._facts[question]
        return None if found is None else tuple(record[:MAX_TEXT] for record in found[:MAX_RECORDS])


def tags(record: str) -> dict[str, str]:
    """The tag=value list of DMARC and DKIM (RFC 6376 3.2), names in lower case. A tag given twice keeps its first
    value; what has no "=" is left out."""
    found: dict[str, str] = {}
    for part in record[:MAX_TEXT].split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found
