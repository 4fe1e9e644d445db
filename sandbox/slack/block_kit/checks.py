"""Small checks that Block Kit's rules are built of.

A check takes a value and its JSON pointer and yields what is wrong with it. Lengths are counted in
code points. The wording follows what Slack answers in ``response_metadata.messages``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any, str], Iterator["Problem"]]

_URL = re.compile(r"https?://[^\s]+\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """One refusal: where (JSON pointer), what kind, and Slack's words for it."""

    pointer: str
    code: str
    message: str
    constraint: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass(frozen=True)
class Field:
    """One field of an object and whether it must be there."""

    check: Check
    required: bool = False


def required(check: Check) -> Field:
    """A field that must be given."""
    return Field(check, required=True)


def anything(_value: Any, _pointer: str) -> Iterator[Problem]:
    """Accept every value."""
    return iter(())


def string(longest: int | None = None, shortest: int = 1) -> Check:
    """A string of ``shortest`` to ``longest`` characters."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(pointer, "invalid_type", "must provide a string", {"type": "string"})
        elif len(value) < shortest:
            words = f"must be more than {shortest - 1} characters"
            yield Problem(pointer, "failed_constraint", words, {"type": "min_length", "min": shortest})
        elif longest is not None and len(value) > longest:
            words = f"must be less than {longest + 1} characters"
            yield Problem(pointer, "failed_constraint", words, {"type": "max_length", "max": longest})

    return check


def pattern(expression: str, words: str) -> Check:
    """A string that the whole of ``expression`` matches."""
    compiled = re.compile(expression)

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            yield Problem(pointer, "failed_constraint", words, {"type": "pattern", "pattern": expression})

    return check


def url(longest: int = 3000) -> Check:
    """An http or https address."""
    length = string(longest)

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        yield from length(value, pointer)
        if isinstance(value, str) and value and not _URL.match(value):
            yield Problem(pointer, "failed_constraint", "must be a valid url", {"type": "format", "format": "url"})

    return check


def boolean(value: Any, pointer: str) -> Iterator[Problem]:
    """True or False."""
    if not isinstance(value, bool):
        yield Problem(pointer, "invalid_type", "must provide a boolean", {"type": "boolean"})


def integer(least: int, most: int | None = None) -> Check:
    """A whole number from ``least`` to ``most``."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(pointer, "invalid_type", "must provide a number", {"type": "integer"})
        elif value < least:
            yield Problem(pointer, "failed_constraint", f"must be greater than {least - 1}", {"min": least})
        elif most is not None and value > most:
            yield Problem(pointer, "failed_constraint", f"must be less than {most + 1}", {"max": most})

    return check


def number(value: Any, pointer: str) -> Iterator[Problem]:
    """A number, whole or not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Problem(pointer, "invalid_type", "must provide a number", {"type": "number"})


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if value not in allowed:
            constraint = {"type": "enum", "expected": list(allowed), "got": value}
            yield Problem(pointer, "failed_constraint", "must be a valid enum value", constraint)

    return check


def array(item: Check, most: int | None = None, least: int = 1) -> Check:
    """A list of ``least`` to ``most`` items."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(pointer, "invalid_type", "must provide an array", {"type": "array"})
            return
        if len(value) < least:
            words = f"no fewer than {least} items allowed"
            yield Problem(pointer, "failed_constraint", words, {"type": "min_items", "min": least})
        if most is not None and len(value) > most:
            words = f"no more than {most} items allowed"
            yield Problem(pointer, "failed_constraint", words, {"type": "max_items", "max": most})
        for index, entry in enumerate(value):
            yield from item(entry, f"{pointer}/{index}")

    return check


def mapping(fields: Mapping[str, Field | Check]) -> Check:
    """An object with these fields and no others."""
    known = {name: f if isinstance(f, Field) else Field(f) for name, f in fields.items()}

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "invalid_type", "must provide an object", {"type": "object"})
            return
        for name, found in known.items():
            if name in value:
                yield from found.check(value[name], f"{pointer}/{name}")
            elif found.required:
                yield Problem(pointer, "missing_field", f"missing required field: {name}", {"field": name})
        for name in value:
            if name not in known:
                words = f"invalid additional property: {name}"
                yield Problem(pointer, "additional_property", words, {"field": name})

    return check


def typed(variants: Mapping[str, Check]) -> Check:
    """An object whose ``type`` chooses the check for the whole."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(pointer, "invalid_type", "must provide an object", {"type": "object"})
            return
        if "type" not in value:
            yield Problem(pointer, "missing_field", "missing required field: type", {"field": "type"})
            return
        found = variants.get(value["type"]) if isinstance(value["type"], str) else None
        if found is None:
            constraint = {"type": "enum", "expected": sorted(variants), "got": value["type"]}
            words = f"unsupported type: {value['type']}"
            yield Problem(f"{pointer}/type", "unsupported_type", words, constraint)
            return
        yield from found(value, pointer)

    return check


def both(*checks: Check) -> Check:
    """Every one of several checks."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        for one in checks:
            yield from one(value, pointer)

    return check


def rule(broken: Callable[[dict[str, Any]], bool], words: str) -> Check:
    """A rule over an object's fields; it says nothing about values of other types."""

    def check(value: Any, pointer: str) -> Iterator[Problem]:
        if isinstance(value, dict) and broken(value):
            yield Problem(pointer, "failed_constraint", words)

    return check


def exactly_one(names: Sequence[str]) -> Check:
    """An object that has exactly one of these fields."""
    words = "must provide exactly one of: " + ", ".join(names)
    return rule(lambda value: sum(name in value for name in names) != 1, words)


def any_one(names: Sequence[str]) -> Check:
    """An object that has at least one of these fields."""
    words = "missing required field: " + " or ".join(names)
    return rule(lambda value: not any(value.get(name) for name in names), words)
