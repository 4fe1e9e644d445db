"""Every switch of the sign-in stand-ins: the service's own words, and what happens to the mailbox."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.signin.face import RETRY_AFTER_S
from tests.integration.sandbox.mail_wire import wire, xoauth2
from tests.integration.sandbox.signin_peer import (
    OMAR_GOOGLE,
    RITA_GOOGLE,
    RITA_MICROSOFT,
    Peer,
    claims_of,
    signin_running,
)

GONE = ("invalid_grant", "Token has been expired or revoked.")
ENDING = ("revoked", "expired", "password_changed", "session_limit")


@pytest.fixture
async def google() -> AsyncIterator[Peer]:
    async with signin_running() as (host, http):
        yield Peer(http, host, "google")


@pytest.fixture
async def microsoft() -> AsyncIterator[Peer]:
    async with signin_running() as (host, http):
        yield Peer(http, host, "microsoft")


@pytest.fixture(params=["google", "microsoft"])
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    async with signin_running() as (host, http):
        yield Peer(http, host, request.param)


@asynccontextmanager
async def mail_session(peer: Peer, access_token: str) -> AsyncIterator[str]:
    """An IMAP connection that offers the token: yields the tagged answer, the refusal's challenge answered."""
    mail = peer.host.mail
    site = mail.sites[peer.person.provider]
    async with wire(site.imaps_address, mail, site.imap_host) as imap:
        imap.send(f"a1 AUTHENTICATE XOAUTH2 {xoauth2(peer.address, access_token)}")
        while not (line := await imap.line()).startswith("a1 "):
            if line.startswith("+"):
                imap.send("")
        yield line


@pytest.mark.parametrize(
    ("switch", "error", "description"),
    [
        ("revoked", *GONE),
        ("expired", *GONE),
        ("password_changed", *GONE),
        ("session_limit", "invalid_grant", "reauth related error (invalid_rapt)"),
        ("account_disabled", "invalid_grant", "Account has been deleted"),
        ("admin_consent", "admin_policy_enforced", "Access to your account data is restricted by policies within"),
    ],
)
async def test_google_refuses_a_refresh_in_its_own_words(
    google: Peer, switch: str, error: str, description: str
) -> None:
    token = (await google.signed_in())["refresh_token"]
    google.turn(switch)
    refused = await google.refresh(token)
    assert refused.status == 400
    assert refused.json["error"] == error
    assert refused.json["error_description"].startswith(description)
    assert refused.json.get("error_subtype") == ("invalid_rapt" if switch == "session_limit" else None)


@pytest.mark.parametrize("switch", ENDING)
async def test_signing_in_anew_mends_what_was_ended(peer: Peer, switch: str) -> None:
    """The old grant stays dead, the new one lives, and the switch shows that it is over."""
    old = (await peer.signed_in())["refresh_token"]
    peer.turn(switch)
    new = (await peer.signed_in())["refresh_token"]
    assert (await peer.refresh(old)).status == 400
    assert (await peer.refresh(new)).status == 200
    assert switch not in peer.person.faults


@pytest.mark.parametrize("switch", [*ENDING, "account_disabled", "admin_consent"])
async def test_turning_a_switch_off_mends_it_too(peer: Peer, switch: str) -> None:
    token = (await peer.signed_in())["refresh_token"]
    peer.turn(switch)
    assert (await peer.refresh(token)).status == 400
    peer.turn(switch, False)
    assert (await peer.refresh(token)).status == 200


@pytest.mark.parametrize(
    ("switch", "verdict"),
    [
        ("revoked", "revoked"),
        ("password_changed", "revoked"),
        ("account_disabled", "revoked"),
        ("expired", "ok"),
        ("session_limit", "ok"),
        ("admin_consent", "ok"),
    ],
)
async def test_some_switches_also_end_the_access_tokens_under_way(peer: Peer, switch: str, verdict: str) -> None:
    token = (await peer.signed_in())["access_token"]
    peer.turn(switch)
    assert peer.host.mail.tokens.verdict(token, peer.address) == verdict


async def test_a_code_on_its_way_is_ended_with_the_rest(peer: Peer) -> None:
    code = await peer.code()
    peer.turn("revoked")
    assert (await peer.redeem(code)).json["error"] == "invalid_grant"


@pytest.mark.parametrize("switch", ["revoked", "password_changed", "account_disabled"])
async def test_these_switches_also_end_the_mail_connections(peer: Peer, switch: str) -> None:
    """As the services do: the session goes at once, and the old token opens no other."""
    token = (await peer.signed_in())["access_token"]
    mail = peer.host.mail
    async with mail_session(peer, token) as answer:
        assert answer.startswith("a1 OK")
        assert mail.connection_count(peer.address) == 1
        peer.turn(switch)
        await mail.wait_until(lambda: mail.connection_count(peer.address) == 0)
    async with mail_session(peer, token) as answer:
        assert answer.startswith("a1 NO")


async def test_the_mail_host_refuses_tokens_without_the_mail_scope(peer: Peer) -> None:
    for left_out, expected in ((True, "a1 NO"), (False, "a1 OK")):
        peer.turn("no_mail_scope", left_out)
        async with mail_session(peer, (await peer.signed_in())["access_token"]) as answer:
            assert answer.startswith(expected)


async def test_another_accounts_grants_are_left_alone(google: Peer) -> None:
    token = (await google.signed_in())["refresh_token"]
    google.turn("revoked", target=OMAR_GOOGLE)
    assert (await google.refresh(token)).status == 200


# -- at the page


async def test_declined_consent_comes_back_as_access_denied(peer: Peer) -> None:
    peer.turn("consent_denied")
    told = (await peer.press(account=peer.address)).told
    assert told["error"] == "access_denied"
    assert told["state"] == "st/ate &=ü"
    if peer.provider == "microsoft":
        assert told["error_description"].startswith("AADSTS65004: User declined to consent to access the app.")


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("admin_consent", "Error 400: admin_policy_enforced"),
        ("account_disabled", "This account is disabled"),
    ],
)
async def test_google_stops_people_with_a_page(google: Peer, switch: str, words: str) -> None:
    google.turn(switch)
    answer = await google.press(account=RITA_GOOGLE)
    assert answer.location == ""
    assert answer.status in (400, 403)
    assert words in answer.text


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("admin_consent", ("Need admin approval", "AADSTS90094")),
        ("conditional_access", ("You cannot access this right now", "AADSTS53003")),
        ("account_disabled", ("AADSTS50057", "The user account is disabled.")),
    ],
)
async def test_microsoft_stops_people_with_a_page(microsoft: Peer, switch: str, words: tuple[str, str]) -> None:
    microsoft.turn(switch)
    answer = await microsoft.press(account=RITA_MICROSOFT)
    assert answer.location == ""
    assert all(word in answer.text for word in words)
    assert "Trace ID: " in answer.text


async def test_from_microsofts_approval_page_one_returns_without_consent(microsoft: Peer) -> None:
    microsoft.turn("admin_consent")
    page = await microsoft.press(account=RITA_MICROSOFT)
    link = page.text.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    told = dict(parse_qsl(urlsplit(link).query))
    assert link.startswith(microsoft.callback)
    assert told["error"] == "access_denied"
    assert told["error_description"].startswith("AADSTS90094")
    assert told["state"] == "st/ate &=ü"


async def test_without_the_mail_scope_tokens_do_not_open_the_mailbox(peer: Peer) -> None:
    peer.turn("no_mail_scope")
    tokens = await peer.signed_in()
    assert "mail.google.com" not in tokens["scope"]
    assert "IMAP.AccessAsUser.All" not in tokens["scope"]
    assert peer.host.mail.tokens.verdict(tokens["access_token"], peer.address) == "no_mail_scope"


async def test_choosing_one_account_can_sign_in_another(google: Peer) -> None:
    google.turn("signs_in_as", OMAR_GOOGLE)
    tokens = await google.signed_in()
    assert claims_of(tokens["id_token"])["email"] == OMAR_GOOGLE
    assert google.host.mail.tokens.verdict(tokens["access_token"], RITA_GOOGLE) == "wrong_user"


# -- the app


@pytest.mark.parametrize(
    ("switch", "google_says", "number"),
    [
        ("secret_expired", "Unauthorized", 7000222),
        ("secret_wrong", "The provided client secret is invalid.", 7000215),
    ],
)
async def test_a_broken_secret_fails_every_account(peer: Peer, switch: str, google_says: str, number: int) -> None:
    token = (await peer.signed_in())["refresh_token"]
    peer.turn(switch, target="app")
    refused = await peer.refresh(token)
    assert refused.status == 401
    assert refused.json["error"] == "invalid_client"
    if peer.provider == "google":
        assert refused.json["error_description"] == google_says
    else:
        assert refused.json["error_codes"] == [number]
        assert peer.app.client_id in refused.json["error_description"]
    peer.turn(switch, False, target="app")
    assert (await peer.refresh(token)).status == 200


async def test_throttling_tells_how_long_to_wait(peer: Peer) -> None:
    token = (await peer.signed_in())["refresh_token"]
    peer.turn("throttled", target="app")
    refused = await peer.refresh(token)
    assert refused.status == 429
    assert refused.headers["Retry-After"] == str(RETRY_AFTER_S)
    assert (await peer.page()).status == 200, "people may still sign in"


async def test_an_outage_is_seen_by_people_and_programs(peer: Peer) -> None:
    token = (await peer.signed_in())["refresh_token"]
    peer.turn("down", target="app")
    answers = [await peer.page(), await peer.press(account=peer.address), await peer.refresh(token)]
    assert [answer.status for answer in answers] == [503] * 3


async def test_an_unregistered_redirect_is_named_on_the_page(peer: Peer) -> None:
    peer.turn("redirect_mismatch", target="app")
    answer = await peer.press(account=peer.address)
    assert answer.status == 400
    assert answer.location == ""
    wanted = "Error 400: redirect_uri_mismatch" if peer.provider == "google" else "AADSTS50011"
    assert wanted in answer.text
    assert peer.callback in answer.text


async def test_access_tokens_live_as_long_as_set(peer: Peer) -> None:
    peer.turn("token_lifetime_s", "90", target="app")
    assert (await peer.signed_in())["expires_in"] == 90
    peer.turn("token_lifetime_s", 0.000_001, target="app")
    tokens = await peer.signed_in()
    assert peer.host.mail.tokens.verdict(tokens["access_token"], peer.address) == "expired"


@pytest.mark.parametrize(
    ("target", "switch", "value"),
    [
        ("app", "token_lifetime_s", "soon"),
        ("app", "token_lifetime_s", 0),
        ("app", "token_lifetime_s", float("nan")),
        ("app", "token_lifetime_s", 1e12),
        ("app", "secret_wrong", "yes"),
        ("app", "revoked", True),
        (RITA_GOOGLE, "revoked", 1),
        (RITA_GOOGLE, "mfa", True),
        (RITA_GOOGLE, "signs_in_as", RITA_GOOGLE),
        (RITA_GOOGLE, "signs_in_as", "nobody@sprout.test"),
        (RITA_GOOGLE, "signs_in_as", None),
    ],
)
async def test_values_that_do_not_fit_are_refused(google: Peer, target: str, switch: str, value: object) -> None:
    with pytest.raises(ValueError, match=switch):
        google.turn(switch, value, target)
