"""Which folders of a mailbox are read, and which one is waited on. Pure (sync: which folders; R211).

Gmail keeps every mail in All Mail, sent and received alike: one folder shows both at once. Elsewhere a reply arrives
in the inbox or in Junk, and what people write themselves is filed in Sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FURTHER = "further"
"""The role of a folder that is read because the workspace says so."""

EVERYTHING = "all"
"""In place of names: every folder but those that hold nobody's answers."""

_NEVER = frozenset({"drafts", "trash", "all", "archive"})


class Listed(Protocol):
    """A folder as the server lists it."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str | None: ...
    @property
    def selectable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder to read and the role in which it is read."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Choice:
    """``folders`` in the order in which they are read, the waited-on ``main`` one last. ``all_mail_hidden``: Gmail
    keeps All Mail from us, so the inbox and Sent are read in its place."""

    folders: tuple[Watched, ...]
    main: str
    all_mail_hidden: bool = False


def choose(listed: Sequence[Listed], *, provider: str, further: Sequence[str] = ()) -> Choice | None:
    """None where there is nothing to wait on: neither an inbox nor All Mail."""
    usable = [one for one in listed if one.selectable]
    all_mail = _first(usable, "all") if provider == "google" else None
    main = all_mail or _first(usable, "inbox")
    if main is None:
        return None
    roles = ("junk",) if all_mail else ("sent", "junk")
    chosen = [Watched(one.name, role) for role in roles if (one := _first(usable, role)) is not None]
    taken = {main.name, *(one.name for one in chosen)}
    if not all_mail:
        chosen += [Watched(one.name, FURTHER) for one in usable if one.name not in taken and _is_further(one, further)]
    chosen.append(Watched(main.name, str(main.role)))
    return Choice(tuple(chosen), main.name, all_mail_hidden=provider == "google" and all_mail is None)


def _first(listed: Sequence[Listed], role: str) -> Listed | None:
    """Where a server marks two as Sent, the first is the one in use."""
    return next((one for one in listed if one.role == role), None)


def _is_further(folder: Listed, further: Sequence[str]) -> bool:
    if folder.role in _NEVER:
        return False
    return EVERYTHING in further or folder.name.casefold() in {name.casefold() for name in further}
