"""``check``: what works, what does not, and the fix, one line a part."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Final

from bot.cli.main import CheckLine
from core.errors import RethreadError
from core.settings import Settings

_SAFE_PYTHON: Final = (3, 11, 15)

Probe = Callable[[], Awaitable[str]]
"""Says in a few words what was found; raises a RethreadError where the part does not work."""


async def checks(settings: Settings, probes: dict[str, Probe]) -> list[CheckLine]:
    """Settings that parse are complete; then each probe by name."""
    lines = [CheckLine("settings", ok=True, detail="complete"), _python(), _public_address(settings)]
    for name, probe in probes.items():
        try:
            lines.append(CheckLine(name, ok=True, detail=await probe()))
        except RethreadError as error:
            lines.append(CheckLine(name, ok=False, detail=error.message, fix=error.fix))
    return lines


def _python() -> CheckLine:
    version = sys.version.split()[0]
    if sys.version_info >= _SAFE_PYTHON:
        return CheckLine("python", ok=True, detail=version)
    detail = f"{version}: older than 3.11.15, whose mail library has fewer faults"
    return CheckLine("python", ok=True, detail=detail, fix="Update Python; Rethread defends itself meanwhile.")


def _public_address(settings: Settings) -> CheckLine:
    if settings.public_url.startswith("https:"):
        return CheckLine("public address", ok=True, detail=settings.public_url)
    return CheckLine(
        "public address",
        ok=True,
        detail=f"{settings.public_url} is not HTTPS: no tracking, no Google or Microsoft sign-in",
        fix="Put Rethread behind HTTPS and set RETHREAD_PUBLIC_URL.",
    )
