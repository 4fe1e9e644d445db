"""The Microsoft stand-in against the real msal, which is strict about HTTPS, discovery, state and nonce."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests

from sandbox.mail import MailHost
from sandbox.signin import SignInHost
from tests.integration.sandbox.signin_peer import RITA_MICROSOFT, claims_of

SCOPES = ["https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send"]
CALLBACK = "http://127.0.0.1:3000/oauth/microsoft/callback"

pytestmark = pytest.mark.filterwarnings("ignore:response_mode:UserWarning")


class Program:
    """A program that signs people in with msal; its calls block."""

    def __init__(self, host: SignInHost, authority: str, secret: str = "") -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = host.ca_file
        self.app = msal.ConfidentialClientApplication(
            host.microsoft.client_id,
            client_credential=secret or host.microsoft.client_secret,
            authority=authority,
            instance_discovery=False,
            http_client=self.http,
        )

    def sign_in(self) -> dict[str, Any]:
        flow = self.app.initiate_auth_code_flow(SCOPES, redirect_uri=CALLBACK, login_hint=RITA_MICROSOFT)
        answer = self.http.post(flow["auth_uri"], data={"account": RITA_MICROSOFT}, allow_redirects=False)
        told = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        return self.app.acquire_token_by_auth_code_flow(flow, told)

    def refresh(self, token: str) -> dict[str, Any]:
        return self.app.acquire_token_by_refresh_token(token, SCOPES)


@pytest.fixture
async def host() -> AsyncIterator[SignInHost]:
    async with MailHost() as mail, SignInHost(mail) as running:
        yield running


async def off_loop(work: Callable[[], Any]) -> Any:
    async with asyncio.timeout(20):
        return await asyncio.to_thread(work)


@pytest.mark.parametrize("tenant", ["common", "organizations", "meridian.test", "8f1d6c52-0000-4000-8000-5a0c7e1b2d3f"])
async def test_msal_signs_in_under_any_tenant(host: SignInHost, tenant: str) -> None:
    """Discovery, authorisation code with PKCE, nonce and state as msal checks them."""
    result = await off_loop(lambda: Program(host, f"{host.origin}/{tenant}").sign_in())
    assert "error" not in result
    assert result["id_token_claims"]["preferred_username"] == RITA_MICROSOFT
    assert set(SCOPES) <= set(result["scope"].split())
    assert host.mail.tokens.verdict(result["access_token"], RITA_MICROSOFT) == "ok"


async def test_the_id_token_says_who_and_where_from(host: SignInHost) -> None:
    claims = claims_of((await off_loop(lambda: Program(host, host.microsoft_authority).sign_in()))["id_token"])
    assert claims["iss"] == f"{host.origin}/{claims['tid']}/v2.0"
    assert claims["aud"] == host.microsoft.client_id
    assert claims["exp"] > claims["iat"]
    assert len(claims["oid"]) == 36


async def test_msal_finds_the_account_again_in_its_cache(host: SignInHost) -> None:
    """It needs client_info for that."""

    def work() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        program = Program(host, host.microsoft_authority)
        program.sign_in()
        accounts = program.app.get_accounts()
        return accounts, program.app.acquire_token_silent_with_error(SCOPES, accounts[0])

    accounts, silent = await off_loop(work)
    assert [one["username"] for one in accounts] == [RITA_MICROSOFT]
    assert silent["token_source"] == "cache"


async def test_refresh_tokens_rotate_and_the_older_one_stays_good(host: SignInHost) -> None:
    def work() -> list[dict[str, Any]]:
        program = Program(host, host.microsoft_authority)
        first = program.sign_in()
        second = program.refresh(first["refresh_token"])
        return [first, second, program.refresh(second["refresh_token"]), program.refresh(first["refresh_token"])]

    results = await off_loop(work)
    assert [one.get("error") for one in results] == [None] * 4
    assert len({one["refresh_token"] for one in results}) == 4


@pytest.mark.parametrize(
    ("switch", "number", "suberror"),
    [
        ("revoked", 50173, "bad_token"),
        ("password_changed", 50173, "bad_token"),
        ("expired", 700082, "bad_token"),
        ("mfa", 50076, "basic_action"),
        ("session_limit", 70043, "token_expired"),
        ("conditional_access", 53003, "message_only"),
        ("admin_consent", 65001, "consent_required"),
        ("account_disabled", 50057, None),
    ],
)
async def test_msal_reads_what_a_switch_does_to_a_refresh(
    host: SignInHost, switch: str, number: int, suberror: str | None
) -> None:
    def work() -> dict[str, Any]:
        program = Program(host, host.microsoft_authority)
        tokens = program.sign_in()
        host.turn("microsoft", RITA_MICROSOFT, switch, True)
        return program.refresh(tokens["refresh_token"])

    result = await off_loop(work)
    assert result["error"] == "invalid_grant"
    assert result["error_codes"] == [number]
    assert result.get("suberror") == suberror
    assert result["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= result.keys()


async def test_msal_remembers_a_refusal_until_it_is_built_anew(host: SignInHost) -> None:
    """Why a Resync needs a fresh application: the old one answers without asking."""

    def work() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        program = Program(host, host.microsoft_authority)
        token = program.sign_in()["refresh_token"]
        host.turn("microsoft", RITA_MICROSOFT, "conditional_access", True)
        refused = program.refresh(token)
        host.turn("microsoft", RITA_MICROSOFT, "conditional_access", False)
        stale, fresh = program.refresh(token), Program(host, host.microsoft_authority).refresh(token)
        return refused, stale, fresh

    refused, stale, fresh = await off_loop(work)
    assert refused["error_codes"] == stale["error_codes"] == [53003]
    assert "access_token" in fresh


@pytest.mark.parametrize(("switch", "number"), [("secret_expired", 7000222), ("secret_wrong", 7000215)])
async def test_msal_reads_what_is_wrong_with_the_secret(host: SignInHost, switch: str, number: int) -> None:
    def work() -> dict[str, Any]:
        program = Program(host, host.microsoft_authority)
        token = program.sign_in()["refresh_token"]
        host.turn("microsoft", "app", switch, True)
        return program.refresh(token)

    result = await off_loop(work)
    assert result["error"] == "invalid_client"
    assert result["error_codes"] == [number]


async def test_an_outage_is_an_exception_of_msals(host: SignInHost) -> None:
    """Entra's front door answers with a page, not with JSON."""

    def work() -> None:
        program = Program(host, host.microsoft_authority)
        token = program.sign_in()["refresh_token"]
        host.turn("microsoft", "app", "down", True)
        program.refresh(token)

    with pytest.raises(Exception, match="503"):
        await off_loop(work)
