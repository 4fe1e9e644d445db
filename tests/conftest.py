"""What every test may ask for, and what a run says at its end about tests that could not run."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import empty_postgres_url, postgres_server, postgres_url
from tests.stores import database_url, sqlite_store, sqlite_template, sqlite_url, store

__all__ = [
    "database_url",
    "empty_postgres_url",
    "postgres_server",
    "postgres_url",
    "sqlite_store",
    "sqlite_template",
    "sqlite_url",
    "store",
]

# They mostly wait. Begun first, no worker is left alone with them at the end.
_LONGEST = ("test_crash.py", "test_break_walk.py", "test_two_engines.py", "test_browser_walk.py")
_BEHIND_PROXY = ("http_proxy", "https_proxy", "all_proxy")


def pytest_configure(config: pytest.Config) -> None:
    """Peers are on loopback: a proxy of the machine would stand between. Properties are not judged by the clock."""
    del config
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    for name in _BEHIND_PROXY:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the rest stays in its order."""
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what did not run, each reason once with how many tests it kept away and from which files."""
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    by_reason = Counter(_reason(report) for report in skipped)
    terminalreporter.section(f"not run: {len(skipped)}")
    for reason, count in by_reason.most_common():
        files = sorted({report.nodeid.partition("::")[0] for report in skipped if _reason(report) == reason})
        terminalreporter.write_line(f"{count:5}  {reason}  [{', '.join(files)}]")


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")
