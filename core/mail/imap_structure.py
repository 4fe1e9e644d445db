"""Finds the readable text in a BODYSTRUCTURE (RFC 3501 7.4.2). Pure; raises StructureError where it is broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import Union, cast

_MAX_DEPTH = 30
_MAX_TOKENS = 20_000

_TOKEN = re.compile(rb"\s*(?:([()])|\"((?:[^\"\\]|\\.)*)\"|~?\{(\d{1,9})\+?\}\r\n|([^\s()\"{]+))", re.DOTALL)
# A plain text that comes first, alone or in multiparts, and is no attachment: most mail looks so.
_USUAL = re.compile(
    rb"(\({1,4})\"text\" \"plain\" "
    rb"(?:NIL|\(\"charset\" \"([^\"\\]{1,40})\"(?: \"(?:format|delsp)\" \"[a-z]{1,10}\")*\)) "
    rb"NIL NIL \"([0-9a-z-]{1,20})\" ([1-9]\d{0,9}) \d{1,10}(?: NIL NIL| NIL \(\"inline\" NIL\)| ?\))",
    re.IGNORECASE,
)

Node = Union[bytes, None, list["Node"]]  # noqa: UP007 - a recursive alias needs it on 3.11


class StructureError(ValueError):
    """The BODYSTRUCTURE breaks the grammar or goes beyond sense."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Where the text is: section number, "plain" or "html" or another subtype, charset and transfer encoding (lower
    case, may be empty), size in bytes as transferred."""

    section: str
    subtype: str
    charset: str
    encoding: str
    size: int


def find_text(structure: bytes) -> TextPart | None:
    """The part that a person reads first; None where there is none."""
    usual = _USUAL.match(structure)
    if usual is not None:
        depth = len(usual[1])
        section = ".".join(["1"] * max(1, depth - 1))
        return TextPart(section, "plain", _lower(usual[2]), _lower(usual[3]), int(usual[4]))
    return _choose(_read(structure), "", 0)


def _read(structure: bytes) -> list[Node]:
    """The structure as nested lists of bytes and None."""
    root: list[Node] = []
    stack, position = [root], 0
    for _ in range(_MAX_TOKENS):
        match = _TOKEN.match(structure, position)
        if match is None:
            break
        position = match.end()
        parenthesis, quoted, literal, atom = match.groups()
        if parenthesis == b"(":
            opened: list[Node] = []
            stack[-1].append(opened)
            stack.append(opened)
        elif parenthesis == b")":
            if len(stack) > 1:
                stack.pop()
        elif literal is not None:
            stack[-1].append(structure[position : position + int(literal)])
            position += int(literal)
        else:
            stack[-1].append(_plain(quoted, atom))
        if len(stack) == 1 or len(stack) > _MAX_DEPTH:
            break
    if len(stack) != 1 or not root or not isinstance(root[0], list):
        raise StructureError("unbalanced or too deep")
    return root[0]


def _plain(quoted: bytes | None, atom: bytes | None) -> bytes | None:
    if quoted is not None:
        return re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL)
    return None if atom is None or atom.upper() == b"NIL" else atom


def _choose(part: list[Node], section: str, depth: int) -> TextPart | None:
    """The text of this part: of alternatives the plain one, of other multiparts the first."""
    if not part or depth > _MAX_DEPTH:
        return None
    if not isinstance(part[0], list):
        return _leaf(part, section or "1")
    found = []
    for number, child in enumerate(takewhile(lambda item: isinstance(item, list), part), start=1):
        text = _choose(cast(list[Node], child), f"{section}.{number}" if section else str(number), depth + 1)
        if text is not None:
            found.append(text)
    readable = [text for text in found if text.size] or found
    if _lower(next((item for item in part if isinstance(item, bytes)), None)) == "alternative":
        return next((text for text in readable if text.subtype == "plain"), readable[0] if readable else None)
    return readable[0] if readable else None


def _leaf(part: list[Node], section: str) -> TextPart | None:
    if len(part) < 7 or _lower(part[0]) != "text" or _disposition(part) == "attachment":
        return None
    size = part[6]
    return TextPart(
        section,
        _lower(part[1]),
        _parameter(part[2], "charset"),
        _lower(part[5]),
        int(size) if isinstance(size, bytes) and size.isdigit() and len(size) <= 10 else 0,
    )


def _disposition(part: list[Node]) -> str:
    disposition = part[9] if len(part) > 9 else None
    return _lower(disposition[0]) if isinstance(disposition, list) and disposition else ""


def _parameter(parameters: Node, name: str) -> str:
    if not isinstance(parameters, list):
        return ""
    pairs = zip(parameters[::2], parameters[1::2], strict=False)
    return next((_lower(value) for key, value in pairs if _lower(key) == name), "")


def _lower(text: Node) -> str:
    return text.decode("ascii", "replace").lower() if isinstance(text, bytes) else ""
