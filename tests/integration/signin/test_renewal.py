"""Tokens of a connected mailbox: renewed at the real adapters, refused in the provider's words, mended at once."""

from __future__ import annotations

import pytest

from core.domain.account import Mailbox
from core.errors import LoginRefusedError, MailError, ServerRefusedError
from core.services.diagnose import diagnose_error
from tests.integration.signin.conftest import ADA, Agency

PROVIDERS = ["google", "microsoft"]
REFUSALS = [
    ("google", "revoked", "refresh_token_revoked"),
    ("google", "session_limit", "reauth_required_by_policy"),
    ("google", "account_disabled", "account_disabled"),
    ("google", "admin_consent", "admin_consent_required"),
    ("microsoft", "revoked", "refresh_token_revoked"),
    ("microsoft", "expired", "refresh_token_expired"),
    ("microsoft", "mfa", "mfa_required"),
    ("microsoft", "session_limit", "sign_in_frequency"),
    ("microsoft", "conditional_access", "conditional_access_blocked"),
    ("microsoft", "account_disabled", "account_disabled"),
]


async def renewal_error(agency: Agency, mailbox: Mailbox) -> MailError:
    with pytest.raises(MailError) as refused:
        await agency.credentials.of("T1", mailbox, anew=True)
    return refused.value


async def opens(agency: Agency, mailbox: Mailbox, *, anew: bool = False) -> None:
    """Logs in to IMAP with the credentials of the moment."""
    credentials = await agency.credentials.of("T1", mailbox, anew=anew)
    client = await agency.world.connector.connect(agency.world.sign_in[mailbox.sign_in].imap, credentials)
    await client.close()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_token_near_its_end_is_replaced_by_one_that_opens_the_mailbox(agency: Agency, provider: str) -> None:
    """Four minutes are less than the five that a token must still have."""
    agency.turn(provider, "token_lifetime_s", 240, "app")
    mailbox = await agency.sign_in(provider)
    before = await agency.stored(mailbox)
    await opens(agency, mailbox)
    after = await agency.stored(mailbox)
    assert after.access_token != before.access_token
    assert after.refresh_token
    row = await agency.uses.mailboxes.find(ADA, mailbox.address)
    assert row.token_expires_at == after.expires_at


async def test_a_rotated_refresh_token_is_the_one_used_next(agency: Agency) -> None:
    """Microsoft gives a new one each time."""
    mailbox = await agency.sign_in("microsoft")
    seen = {(await agency.stored(mailbox)).refresh_token}
    for _ in range(2):
        await opens(agency, mailbox, anew=True)
        seen.add((await agency.stored(mailbox)).refresh_token)
    assert len(seen) == 3


@pytest.mark.parametrize(("provider", "switch", "cause"), REFUSALS)
async def test_a_refused_renewal_names_its_cause(agency: Agency, provider: str, switch: str, cause: str) -> None:
    """In the provider's whole words; what is stored stays, for the day it is good again."""
    mailbox = await agency.sign_in(provider)
    stored = await agency.stored(mailbox)
    agency.turn(provider, switch)
    error = await renewal_error(agency, mailbox)
    assert isinstance(error, LoginRefusedError)
    assert error.layer == "oauth"
    assert diagnose_error(error, provider=provider).cause == cause
    assert stored.refresh_token not in error.raw
    assert await agency.stored(mailbox) == stored


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("switch", "cause"), [("throttled", "oauth_rate_limited"), ("down", "server_unavailable")])
async def test_a_busy_sign_in_service_is_no_fault_of_the_login(
    agency: Agency, provider: str, switch: str, cause: str
) -> None:
    """It passes by itself, and where the service says when, the verdict does."""
    mailbox = await agency.sign_in(provider)
    agency.turn(provider, switch, True, "app")
    error = await renewal_error(agency, mailbox)
    assert isinstance(error, ServerRefusedError)
    verdict = diagnose_error(error, provider=provider)
    assert (verdict.cause, verdict.transient) == (cause, True)
    assert verdict.retry_after_s == (5.0 if switch == "throttled" else None)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("switch", ["secret_wrong", "throttled", "conditional_access"])
async def test_a_resync_right_after_the_mending_sees_it(agency: Agency, provider: str, switch: str) -> None:
    """No refusal is remembered, as msal would for a minute, and a throttling for as long as it was told."""
    if (provider, switch) == ("google", "conditional_access"):
        switch = "admin_consent"
    target = "app" if switch in ("secret_wrong", "throttled") else ""
    mailbox = await agency.sign_in(provider)
    agency.turn(provider, switch, True, target)
    for _ in range(2):
        await renewal_error(agency, mailbox)
    agency.turn(provider, switch, False, target)
    await opens(agency, mailbox, anew=True)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_sign_in_service_that_cannot_be_reached_is_a_matter_of_the_network(
    agency: Agency, provider: str
) -> None:
    """Never told as a sign-in that has to be done again."""
    mailbox = await agency.sign_in(provider)
    await agency.host.__aexit__(None, None, None)
    error = await renewal_error(agency, mailbox)
    assert not isinstance(error, LoginRefusedError)
    assert error.layer == "socket"
    assert diagnose_error(error, provider=provider).cause == "connection_refused"
