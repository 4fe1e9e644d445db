"""What the stand-ins answer is what the product was taught: each switch leads to its own cause."""

import pytest

from core.domain.diagnosis import Failure, diagnose
from sandbox.mail.tokens import TokenProvider
from tests.integration.sandbox.signin_peer import Peer, signin_running

GOOGLE_CAUSES = {
    "revoked": "refresh_token_revoked",
    "expired": "refresh_token_revoked",
    "password_changed": "refresh_token_revoked",
    "session_limit": "reauth_required_by_policy",
    "account_disabled": "account_disabled",
    "admin_consent": "admin_consent_required",
    "secret_expired": "oauth_client_secret_invalid",
    "secret_wrong": "oauth_client_secret_invalid",
}
MICROSOFT_CAUSES = {
    "revoked": "refresh_token_revoked",
    "expired": "refresh_token_expired",
    "password_changed": "refresh_token_revoked",
    "session_limit": "sign_in_frequency",
    "account_disabled": "account_disabled",
    "admin_consent": "consent_missing",
    "mfa": "mfa_required",
    "conditional_access": "conditional_access_blocked",
    "secret_expired": "oauth_client_secret_expired",
    "secret_wrong": "oauth_client_secret_invalid",
}
HOSTS = {"google": "oauth2.googleapis.com", "microsoft": "login.microsoftonline.com"}


async def causes_read(provider: TokenProvider, expected: dict[str, str]) -> dict[str, str]:
    """The cause of the refused refresh under each switch, everything mended in between."""
    found: dict[str, str] = {}
    async with signin_running() as (host, http):
        peer = Peer(http, host, provider)
        token = (await peer.signed_in())["refresh_token"]
        for switch in expected:
            target = "app" if switch.startswith("secret") else peer.address
            peer.turn(switch, True, target)
            found[switch] = diagnose(Failure("oauth", (await peer.refresh(token)).text, HOSTS[provider])).cause
            peer.turn(switch, False, target)
        assert (await peer.refresh(token)).status == 200
    return found


@pytest.mark.parametrize(("provider", "expected"), [("google", GOOGLE_CAUSES), ("microsoft", MICROSOFT_CAUSES)])
async def test_every_refused_refresh_has_its_cause(provider: TokenProvider, expected: dict[str, str]) -> None:
    assert await causes_read(provider, expected) == expected


@pytest.mark.parametrize("provider", ["google", "microsoft"])
async def test_a_declined_consent_has_its_cause(provider: TokenProvider) -> None:
    """The redirect carries the error, and the product reads it as it reads any other."""
    async with signin_running() as (host, http):
        told = (await Peer(http, host, provider).press(cancel="1")).told
    words = f"{told['error']}: {told.get('error_description', '')}"
    assert diagnose(Failure("oauth", words, HOSTS[provider])).cause == "user_denied_consent"
