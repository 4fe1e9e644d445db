"""The tests' own manners: real peers instead of mocks, events instead of sleeps."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

from tests.architecture.source_tree import ROOT, name_of, python_files

# A turn of the loop, sleep(0), waits for nothing.
SLEEP = re.compile(
    r"\b(?:time|asyncio|anyio)\.sleep\((?!0\))|\bpage\.wait_for_timeout\(|^from (?:time|asyncio) import .*\bsleep"
)
MOCK = re.compile(r"\bunittest\.mock\b|from unittest import mock|\bmonkeypatch\.setattr\b|\bMagicMock\b|\bmocker\b")
# The one deadline helper that looks at another process, where no event of ours could wake it.
POLLING = {ROOT / "tests" / "journeys" / "process.py"}
HERE = ROOT / "tests" / "architecture" / "test_tests.py"


def _lines(pattern: re.Pattern[str], allowed: Set[Path] = frozenset()) -> list[str]:
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in python_files("tests")
        if path != HERE and path not in allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_test_sleeps() -> None:
    """A test waits for an event, or for a condition with a deadline."""
    assert _lines(SLEEP, POLLING) == []


def test_no_test_mocks() -> None:
    """Peers are real or scripted servers; fakes implement a port."""
    assert _lines(MOCK) == []
