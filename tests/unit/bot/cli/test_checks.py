"""``check``: what is set up of signing in, and what is to be registered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.cli.checks import checks
from bot.cli.main import CheckLine
from core.settings import Settings, SignIn

CLIENT = SignIn("client-1.apps.example", "s3cret-client-secret")
BARE = Settings(public_url="https://rethread.agency.test")


async def line(settings: Settings, name: str) -> CheckLine:
    return next(one for one in await checks(settings, {}) if one.name == name)


@pytest.mark.parametrize("label", ["Google", "Microsoft"])
async def test_signing_in_that_is_not_set_up_says_what_to_set(label: str) -> None:
    """Nothing is wrong with that."""
    found = await line(BARE, f"{label} sign-in")
    assert found.ok
    assert f"{label.upper()}_CLIENT_ID" in found.fix


async def test_the_redirect_address_to_register_is_printed() -> None:
    """Exactly as the provider must know it; never the secret."""
    found = await line(replace(BARE, google=CLIENT), "Google sign-in")
    assert found.ok
    assert "https://rethread.agency.test/oauth/google/callback" in found.detail
    assert "client-1.apps.example" in found.detail
    assert "s3cret" not in f"{found}"
    found = await line(replace(BARE, microsoft=CLIENT), "Microsoft sign-in")
    assert "https://rethread.agency.test/oauth/microsoft/callback" in found.detail


@pytest.mark.parametrize(
    ("public_url", "ok"), [("http://rethread.agency.test", False), ("http://127.0.0.1:3000", True)]
)
async def test_without_https_signing_in_fails_except_on_this_machine(public_url: str, ok: bool) -> None:
    """And the line about the public address says so too."""
    settings = replace(BARE, public_url=public_url, google=CLIENT)
    found = await line(settings, "Google sign-in")
    assert found.ok is ok
    assert ok or "RETHREAD_PUBLIC_URL" in found.fix
    assert "not HTTPS" in (await line(settings, "public address")).detail
