"""``check``: what works, what does not, and the fix, one line a part."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Final

from bot.cli.main import CheckLine
from core.errors import RethreadError
from core.services.signin import is_safe
from core.settings import Settings, SignIn

_SAFE_PYTHON: Final = (3, 11, 15)

Probe = Callable[[], Awaitable[str]]
"""Says in a few words what was found; raises a RethreadError where the part does not work."""


async def checks(settings: Settings, probes: dict[str, Probe]) -> list[CheckLine]:
    """Settings that parse are complete; then each probe by name."""
    lines = [
        CheckLine("settings", ok=True, detail="complete"),
        _python(),
        _public_address(settings),
        _sign_in("Google", settings.google, settings.public_url),
        _sign_in("Microsoft", settings.microsoft, settings.public_url),
    ]
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


def _sign_in(label: str, client: SignIn, public_url: str) -> CheckLine:
    """Whether people can connect their mailboxes by signing in there, and what is to be registered for it."""
    name, prefix = f"{label} sign-in", label.upper()
    if not client.configured:
        detail = f"not set up: a mailbox at {label} cannot be connected by signing in"
        fix = f"Register an application at {label}; set {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET."
        return CheckLine(name, ok=True, detail=detail, fix=fix)
    address = f"{public_url}/oauth/{label.lower()}/callback"
    detail = f"client {client.client_id[:60]}, redirect address {address}"
    if not is_safe(address):
        fix = "Set RETHREAD_PUBLIC_URL to an https:// address: until then every sign-in is refused."
        return CheckLine(name, ok=False, detail=detail, fix=fix)
    return CheckLine(name, ok=True, detail=detail, fix=f"Register exactly this redirect address at {label}.")
