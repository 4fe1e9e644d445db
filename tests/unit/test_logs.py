"""No secret reaches a log, whatever key, text, depth or library it comes by (threat T25)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from core.logs import configure

CANARY = "xk9-Canary-77"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.StringIO()
    configure(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "facts",
    [
        {"password": CANARY},
        {"Password": CANARY},
        {"smtp_pass": CANARY},
        {"access_token": CANARY},
        {"authorization": f"Basic {CANARY}"},
        {"client_secret": CANARY.encode()},
        {"credentials": {"user": "rita", "pw": CANARY}},
        {"facts": {"inner": {"password": CANARY}}},
        {"facts": [{"api_key": CANARY}]},
        {"text": f"Bearer {CANARY}"},
        {"text": f"xoxb-1-{CANARY}"},
        {"text": f"a xapp-1-{CANARY} b"},
        {"texts": [f"xoxp-{CANARY}"]},
        {"text": f"password={CANARY}"},
        {"text": f'{{"password": "{CANARY}"}}'},
        {"text": f"A1 LOGIN rita@agency.test {CANARY}"},
        {"text": f"AUTH PLAIN {CANARY}"},
        {"text": f"A1 AUTHENTICATE XOAUTH2 {CANARY}"},
        {"text": f"postgresql+psycopg://rethread:{CANARY}@db/rethread"},
        {"what": ValueError(f"token: {CANARY}")},
    ],
)
def test_a_secret_never_appears(stream: io.StringIO, facts: dict[str, Any]) -> None:
    """By key, by shape, inside lists and mappings, inside other objects."""
    structlog.get_logger("t").info("happened", **facts)
    assert "happened" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_a_traceback_is_redacted(stream: io.StringIO) -> None:
    """Errors carry what they were given."""
    try:
        int(f"Bearer {CANARY}")
    except ValueError:
        structlog.get_logger("t").exception("failed")
    line = json.loads(stream.getvalue())
    assert "ValueError" in line["exception"]
    assert CANARY not in stream.getvalue()


@pytest.mark.parametrize(
    "name", ["aioimaplib", "aioimaplib.aioimaplib", "slack_sdk", "slack_bolt", "aiosqlite", "asyncio"]
)
def test_chatty_libraries_are_kept_quiet(stream: io.StringIO, name: str) -> None:
    """They log what they receive and send."""
    logging.getLogger(name).info("Received : A1 OK [%s]", CANARY)
    logging.getLogger(name).debug("sent %s", CANARY)
    assert stream.getvalue() == ""


def test_a_librarys_warning_is_one_json_line(stream: io.StringIO) -> None:
    """Redacted like our own, with time and level."""
    logging.getLogger("somebody").warning("login with password=%s\nfailed", CANARY)
    line = json.loads(stream.getvalue())
    assert line["level"] == "warning"
    assert line["timestamp"].endswith("Z")
    assert CANARY not in stream.getvalue()


def test_ordinary_facts_stay_readable(stream: io.StringIO) -> None:
    """Numbers, lists and words are what they were."""
    structlog.get_logger("t").info("login refused by the server", count=3, ok=True, at=None, tags=("a", "b"))
    line = json.loads(stream.getvalue())
    assert line["event"] == "login refused by the server"
    assert (line["count"], line["ok"], line["at"], line["tags"]) == (3, True, None, ["a", "b"])
