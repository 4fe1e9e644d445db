"""Ways in which the same reply reaches us in other clothes: tags, ids, hosts, case, blanks, broken lines, wrappings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_CODE = re.compile(r"^(\d{3})[- ]((?:\d\.\d{1,3}\.\d{1,3})?) ?(.*)$")
_VERB = re.compile(r"^(?:\* )?(?=(?:NO|BAD|OK|BYE)\b)")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_IP = re.compile(r"\b192\.0\.2\.\d+\b")
_HOST = re.compile(r"\b(?:imap\.)?(?:example|coolexample|contoso)\.(?:com|jp|net)\b")
_ENTRA = re.compile(r"^(AADSTS(\d+)): (?:\w+ - )?(.*)$")

Mutation = Callable[[str], str | None]


def _is_challenge(text: str) -> bool:
    return text.startswith("+ ey")


def _cased(change: Callable[[str], str]) -> Mutation:
    return lambda text: None if _is_challenge(text) else change(text)


def _tagged(tag: str) -> Mutation:
    return lambda text: f"{tag} {_VERB.sub('', text)}" if _VERB.match(text) else None


def _other_names(text: str) -> str:
    text = _ADDRESS.sub("omar@agency.test", text)
    return _HOST.sub("mail.agency.test", _IP.sub("203.0.113.77", text))


def _broken_lines(text: str) -> str | None:
    """A reply of several lines, as RFC 5321 4.2.1 writes it."""
    found = _CODE.match(text)
    if not found or " " not in found.group(3):
        return None
    code, status, words = found.group(1), found.group(2), found.group(3).split(" ")
    half = len(words) // 2
    status = f"{status} " if status else ""
    return f"{code}-{status}{' '.join(words[:half])}\r\n{code} {status}{' '.join(words[half:])}"


def _joined_lines(text: str) -> str | None:
    broken = _broken_lines(text)
    return broken.replace("\r\n", " ") if broken else None


def _as_python_pair(text: str) -> str | None:
    found = _CODE.match(text)
    return f"({found.group(1)}, b'{(found.group(2) + ' ' + found.group(3)).strip()}')" if found else None


def _with_suffix(suffix: str) -> Mutation:
    return lambda text: f"{text} {suffix}" if _CODE.match(text) else None


def _entra_json(text: str) -> str | None:
    found = _ENTRA.match(text)
    if not found:
        return None
    number = int(found.group(2))
    words = f"{text} Trace ID: 6f1f9a1b-27c1-4f52-9d57-0c1a5b1f0a00 Timestamp: 2026-03-01 10:00:00Z"
    return json.dumps({"error": "invalid_grant", "error_description": words, "error_codes": [number]})


def _entra_other_words(text: str) -> str | None:
    found = _ENTRA.match(text)
    return f"invalid_grant: {found.group(1)}: Quite another sentence than last year." if found else None


def _entra_number_only(text: str) -> str | None:
    found = _ENTRA.match(text)
    return json.dumps({"error": "interaction_required", "error_codes": [int(found.group(2))]}) if found else None


def _google_plain(text: str) -> str | None:
    """A JSON answer told as `name: description`, as libraries print it."""
    if not text.startswith('{"error"'):
        return None
    answer = json.loads(text)
    parts = [
        answer["error"],
        answer.get("error_description", ""),
        f"suberror={answer['suberror']}" if "suberror" in answer else "",
    ]
    return ": ".join(part for part in parts if part)


MUTATIONS: dict[str, Mutation] = {
    "upper case": _cased(str.upper),
    "lower case": _cased(str.lower),
    "title case": _cased(str.title),
    "double blanks": lambda text: text.replace(" ", "  "),
    "surrounded by blanks": lambda text: f" \t{text} \r\n",
    "tabs": lambda text: text.replace(" ", "\t"),
    "escaped line end": lambda text: f"{text}\\r\\n",
    "untagged": _tagged("*"),
    "tag A001": _tagged("A001"),
    "tag 7": _tagged("7"),
    "tag of random letters": _tagged("kgdc12"),
    "other people and hosts": _other_names,
    "several lines": _broken_lines,
    "several lines joined": _joined_lines,
    "as smtplib prints it": _as_python_pair,
    "Google's trailing id": _with_suffix("d2e1a72fcca58-7ab12c3d.42 - gsmtp"),
    "Outlook's trailing id": _with_suffix("[AM0PR01CA0123.eurprd01.prod.outlook.com 2026-03-01T10:00:00.000Z 08DE5A]"),
    "without the last full stop": lambda text: text.rstrip(".") if text.endswith(".") else None,
    "Entra's whole JSON": _entra_json,
    "Entra's number with other words": _entra_other_words,
    "Entra's number alone": _entra_number_only,
    "answer told in words": _google_plain,
}


def variants(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of every mutation that changes this text."""
    for name, mutate in MUTATIONS.items():
        changed = mutate(text)
        if changed is not None and changed != text:
            yield name, changed
