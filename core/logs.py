"""Logging: one JSON line an event, transitions and not heartbeats, and no secret in any of them (threat T25)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_SECRET_KEYS = re.compile(r"(?i)pass(word)?|token|secret|authorization|cookie|credential|api_key")
# What looks like a secret wherever it stands: Slack's tokens, bearer tokens, SASL answers, LOGIN, passwords in
# addresses (redis://u:p@h) and in key=value texts.
_SECRET_TEXTS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?i:bearer)\s+[\w.~+/=-]+"
    r"|(?<=://)[^\s/:@]{1,200}:[^\s/@]{1,200}(?=@)"
    r"|(?i:(?<=AUTH PLAIN )|(?<=AUTH LOGIN )|(?<=AUTH XOAUTH2 )|(?<=AUTHENTICATE PLAIN )|(?<=AUTHENTICATE XOAUTH2 ))\S+"
    r"|\bLOGIN\s+\S+\s+\S+"
    r"|(?i:\b(?:password|passwd|secret|token|client_secret|api_key)[\"']?\s{0,3}[=:]\s{0,3})[\"']?[^\s\"',}&]+"
)
# These log what they receive and send: access tokens among it.
_QUIET = (
    "aioimaplib",
    "aioimaplib.aioimaplib",
    "slack_sdk",
    "slack_bolt",
    "aiohttp.access",
    "aiosqlite",
    "asyncio",
    "alembic",
)


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Sends everything, also the libraries' warnings, through one redacting chain to ``stream`` (stderr)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last in the chain: hides values by their key, and secrets wherever they stand in a text, however deep."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def _redacted(key: str, value: Any) -> Any:
    if _SECRET_KEYS.search(key):
        return "***"
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), one) for inner, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted("", one) for one in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _SECRET_TEXTS.sub("***", value if isinstance(value, str) else repr(value))
