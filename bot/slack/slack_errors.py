"""Slack's refusals and silences in our own words: the only place that reads the SDK's exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from core.errors import SlackBusyError, SlackError, SlackRefusedError, SlackUnknownError

_BUSY: Final = frozenset(("ratelimited", "rate_limited"))
_AMBIGUOUS: Final = frozenset(("fatal_error", "internal_error", "request_timeout", "service_unavailable"))
"""Codes of which Slack says itself that something may have happened all the same (docs.slack.dev, method pages)."""


def translate(error: Exception) -> SlackError:
    """An exception of a Web API call as one of ours: refused, busy (nothing happened) or unknown (it may stand)."""
    if isinstance(error, SlackError):
        return error
    if isinstance(error, SlackApiError):
        return _answered(error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return SlackBusyError("unreachable")
    if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError | OSError):
        return SlackUnknownError("no_answer")
    if isinstance(error, SlackClientError):
        return SlackRefusedError("unusable_request")
    return SlackUnknownError(type(error).__name__)


def _answered(error: SlackApiError) -> SlackError:
    status, headers, data = _parts(error.response)
    code = str(data.get("error") or f"http_{status}")[:80]
    if status == 429 or code in _BUSY:
        return SlackBusyError(code, retry_after=_seconds(headers.get("Retry-After")))
    if status >= 500 or code in _AMBIGUOUS or "error" not in data:
        return SlackUnknownError(code)
    return SlackRefusedError(code)


def _parts(response: Any) -> tuple[int, Mapping[str, str], Mapping[str, Any]]:
    """An AsyncSlackResponse, or aiohttp's own where the body was no JSON."""
    status = getattr(response, "status_code", None) or getattr(response, "status", 0)
    data = getattr(response, "data", {})
    return int(status or 0), getattr(response, "headers", {}), data if isinstance(data, Mapping) else {}


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, min(float(value), 3_600.0)) if value else None
    except ValueError:
        return None
