"""Tokens, codes and verifiers stay where they belong: not in logs, errors or what ``repr`` shows."""

from __future__ import annotations

import base64
import logging

import pytest

from core.errors import MailError
from tests.integration.signin.conftest import ADDRESSES, Agency

THE_SANDBOXS_OWN = ("pymap", "mail.")
QUIET_IN_THE_PRODUCT = ("aioimaplib", "aioimaplib.aioimaplib", "aiosqlite", "asyncio")


def forms(secret: str) -> set[str]:
    """As it is, and inside a base64 text at each of the three places it can begin."""
    return {secret} | {base64.b64encode(b"\1" * shift + secret.encode()).decode()[4:-4] for shift in range(3)}


@pytest.mark.parametrize("provider", ["google", "microsoft"])
async def test_no_secret_reaches_the_log_at_any_level(
    agency: Agency, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Sign in, renew, be refused; the libraries that are kept quiet in the product are kept quiet here."""
    for name in QUIET_IN_THE_PRODUCT:
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)
    started = await agency.begin(provider)
    told = await agency.press(started, account=ADDRESSES[provider])
    mailbox = await agency.finish(provider, started, told)
    tokens = [await agency.stored(mailbox), await agency.credentials.of("T1", mailbox, anew=True)]
    agency.turn(provider, "revoked")
    with pytest.raises(MailError) as refused:
        await agency.credentials.of("T1", mailbox, anew=True)
    app = agency.host.google if provider == "google" else agency.host.microsoft
    secrets = {told["code"], started.verifier, app.client_secret}
    secrets |= {token for one in tokens for token in (one.access_token, one.refresh_token)}
    logged = [one for one in caplog.records if not one.name.startswith(THE_SANDBOXS_OWN)]
    shown = [str(refused.value), repr(refused.value), repr(tokens), repr(started)]
    written = "\n".join([*shown, *(f"{one.getMessage()} {one.exc_text}" for one in logged)])
    assert ("msal" in {one.name.partition(".")[0] for one in logged}) == (provider == "microsoft")
    assert [secret for secret in secrets if any(form in written for form in forms(secret))] == []
