"""Signing in at both stand-ins over real HTTPS: the way through, and every way of not getting through."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from sandbox.signin.grants import CODE_LIFETIME_S, CodeRefusedError, Grant, GrantBook, challenge_of
from tests.integration.sandbox.signin_peer import OMAR_GOOGLE, RITA_GOOGLE, VERIFIER, Peer, claims_of, signin_running

BOTH = ("google", "microsoft")


@pytest.fixture(params=BOTH)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    async with signin_running() as (host, http):
        yield Peer(http, host, request.param)


@pytest.fixture
async def google() -> AsyncIterator[Peer]:
    async with signin_running() as (host, http):
        yield Peer(http, host, "google")


async def test_the_page_names_the_app_its_wishes_and_the_accounts(peer: Peer) -> None:
    """What a person reads before pressing a button; nobody types a password."""
    page = await peer.page()
    assert page.status == 200
    assert "Rethread (sandbox)" in page.text
    assert "(stand-in)" in page.text
    assert "email" in page.text.lower()
    assert f'value="{peer.address}"' in page.text
    assert "Cancel" in page.text
    assert "password" not in re.sub(r"No password is asked", "", page.text)


async def test_candidates_and_other_providers_accounts_are_not_offered(peer: Peer) -> None:
    page = await peer.page()
    assert "candidates.example" not in page.text
    assert "agency.test" not in page.text
    assert ("meridian.test" in page.text) == (peer.provider == "microsoft")


async def test_the_hinted_account_stands_first(google: Peer) -> None:
    offered = [
        re.findall(r'name="account" value="([^"]+)"', (await google.page(google.query(login_hint=hint))).text)
        for hint in (RITA_GOOGLE, OMAR_GOOGLE.upper())
    ]
    assert [one[0] for one in offered] == [RITA_GOOGLE, OMAR_GOOGLE]


async def test_signing_in_gives_tokens_that_open_the_mailbox(peer: Peer) -> None:
    tokens = await peer.signed_in()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert peer.host.mail.tokens.verdict(tokens["access_token"], peer.address) == "ok"
    claims = claims_of(tokens["id_token"])
    assert claims["aud"] == peer.app.client_id
    assert claims["iss"].startswith(peer.host.origin)
    assert peer.address in (claims.get("email"), claims.get("preferred_username"))


async def test_the_state_comes_back_as_it_went(peer: Peer) -> None:
    answer = await peer.press(account=peer.address)
    assert answer.status == 302
    assert answer.location.startswith(f"{peer.callback}?")
    assert answer.told["state"] == "st/ate &=ü"


async def test_without_a_state_none_is_invented(peer: Peer) -> None:
    assert "state" not in (await peer.press(peer.query(state=None), account=peer.address)).told


async def test_cancel_comes_back_as_access_denied(peer: Peer) -> None:
    told = (await peer.press(cancel="1")).told
    assert told["error"] == "access_denied"
    assert told["state"] == "st/ate &=ü"
    assert "code" not in told


async def test_refreshing_gives_a_new_access_token(peer: Peer) -> None:
    tokens = await peer.signed_in()
    renewed = (await peer.refresh(tokens["refresh_token"])).json
    assert renewed["access_token"] != tokens["access_token"]
    assert peer.host.mail.tokens.verdict(renewed["access_token"], peer.address) == "ok"
    # Microsoft's refresh tokens rotate, Google's stay.
    assert ("refresh_token" in renewed) == (peer.provider == "microsoft")


async def test_google_gives_a_refresh_token_only_with_offline_access_and_consent(google: Peer) -> None:
    """The first consent counts; later only prompt=consent brings another."""

    async def given(**changes: str | None) -> bool:
        code = (await google.press(google.query(**changes), account=RITA_GOOGLE)).told["code"]
        return "refresh_token" in (await google.redeem(code)).json

    assert not await given(access_type=None)
    assert not await given(prompt="select_account")
    assert await given(prompt="consent")
    google.host.registry.withdraw(RITA_GOOGLE)
    assert await given(prompt=None)


async def test_microsoft_gives_a_refresh_token_only_for_offline_access() -> None:
    async with signin_running() as (host, http):
        peer = Peer(http, host, "microsoft")
        scope = peer.scopes.replace("offline_access ", "")
        code = (await peer.press(peer.query(scope=scope), account=peer.address)).told["code"]
        assert "refresh_token" not in (await peer.redeem(code)).json


@pytest.mark.parametrize(
    ("changes", "google_says", "number"),
    [
        ({"code_verifier": "x" * 43}, "Invalid code verifier.", 501481),
        ({"code_verifier": None}, "Missing code verifier.", 50148),
        ({"code": "made-up"}, "Malformed auth code.", 9002313),
        ({"redirect_uri": "http://127.0.0.1:1/oauth/google/callback"}, "Bad Request", 500112),
        ({"client_secret": "another"}, "The provided client secret is invalid.", 7000215),
        ({"client_secret": None}, "client_secret is missing.", 7000218),
        ({"client_id": "somebody"}, "The OAuth client was not found.", 700016),
        ({"grant_type": "password"}, "Invalid grant_type: password", 70003),
        ({"code": None}, "Missing required parameter: code", 900144),
    ],
)
async def test_a_code_is_redeemed_only_by_a_right_request(
    peer: Peer, changes: dict[str, str | None], google_says: str, number: int
) -> None:
    code = await peer.code()
    refused = await peer.redeem(code, **changes)
    assert 400 <= refused.status <= 401
    if peer.provider == "google":
        assert refused.json["error_description"] == google_says
    else:
        assert refused.json["error_codes"] == [number]
    assert (await peer.redeem(code)).status == 200, "a refused request does not spend the code"


async def test_a_code_is_good_for_one_use(peer: Peer) -> None:
    code = await peer.code()
    assert (await peer.redeem(code)).status == 200
    again = await peer.redeem(code)
    assert again.status == 400
    assert again.json["error"] == "invalid_grant"
    assert "AADSTS54005" in again.text or peer.provider == "google"


def test_a_code_is_good_for_a_minute() -> None:
    now = [100.0]
    book = GrantBook(lambda: now[0])
    grant = Grant("google", RITA_GOOGLE, "app", (), offline=True)
    first, second = (book.issue_code(grant, "there", challenge_of(VERIFIER)) for _ in range(2))
    now[0] += CODE_LIFETIME_S - 0.1
    assert book.redeem(first, "app", "there", VERIFIER) is grant
    now[0] += 0.1
    with pytest.raises(CodeRefusedError, match="expired"):
        book.redeem(second, "app", "there", VERIFIER)


async def test_credentials_may_stand_in_the_header(peer: Peer) -> None:
    """RFC 6749 section 2.3.1."""
    form = {"grant_type": "authorization_code", "code": await peer.code(), "redirect_uri": peer.callback}
    basic = {"Authorization": aiohttp.encode_basic_auth(peer.app.client_id, peer.app.client_secret)}
    async with peer.http.post(peer.token_url, data=form | {"code_verifier": VERIFIER}, headers=basic) as answer:
        assert answer.status == 200


async def test_an_unknown_refresh_token_is_refused(peer: Peer) -> None:
    refused = await peer.refresh("1//nobody’s")
    assert refused.status == 400
    assert refused.json["error"] == "invalid_grant"


async def test_taking_access_back_by_request_ends_the_grant(google: Peer) -> None:
    """RFC 7009, given the access or the refresh token; an unknown one is told so."""
    for kind in ("access_token", "refresh_token"):
        tokens = await google.signed_in()
        async with google.http.post(f"{google.host.google_base}/revoke", data={"token": tokens[kind]}) as answer:
            assert answer.status == 200
        assert google.host.mail.tokens.verdict(tokens["access_token"], RITA_GOOGLE) == "revoked"
        assert (await google.refresh(tokens["refresh_token"])).json["error"] == "invalid_grant"
    async with google.http.post(f"{google.host.google_base}/revoke", data={"token": "none"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_token"


# -- hostile requests


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://evil.example/oauth/{}/callback",
        "http://127.0.0.1:3000@evil.example/oauth/{}/callback",
        "http://evil.example\\@127.0.0.1/oauth/{}/callback",
        "http://127.0.0.1.evil.example/oauth/{}/callback",
        "http://127.0.0.1:3000/oauth/{}/callback/../../steal",
        "http://127.0.0.1:3000/oauth/{}/callback?next=http://evil.example",
        "http://127.0.0.1:3000/oauth/{}/callback#",
        "http://127.0.0.1:3000/oauth/{}/callback\r\nSet-Cookie: a=b",
        "http://127.0.0.1:3000/oauth/{}/callback\n",
        "http://127.0.0.1:٣/oauth/{}/callback",
        "javascript://127.0.0.1/oauth/{}/callback",
        "//127.0.0.1/oauth/{}/callback",
        "http://127.0.0.1:3000/steal",
    ],
)
async def test_nobody_is_ever_sent_elsewhere(peer: Peer, elsewhere: str) -> None:
    """Neither the page nor any button answers an address that is not registered."""
    query = peer.query(redirect_uri=elsewhere.format(peer.provider))
    answers = [
        await peer.page(query),
        await peer.press(query, account=peer.address),
        await peer.press(query, cancel="1"),
    ]
    for answer in answers:
        assert answer.status == 400
        assert answer.location == ""
        assert "Set-Cookie" not in answer.headers
        assert ("redirect_uri_mismatch" in answer.text) or ("AADSTS50011" in answer.text)
        assert "<a " not in answer.text


async def test_the_other_providers_callback_is_not_registered(peer: Peer) -> None:
    other = next(provider for provider in BOTH if provider != peer.provider)
    query = peer.query(redirect_uri=peer.callback.replace(peer.provider, other))
    assert (await peer.press(query, account=peer.address)).status == 400


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope"])
async def test_a_missing_parameter_is_named(peer: Peer, name: str) -> None:
    for value in (None, " "):
        page = await peer.page(peer.query(**{name: value}))
        assert page.status == 400
        assert name in page.text
        assert page.location == ""


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "code_challenge", "anything"])
async def test_a_doubled_parameter_is_refused(peer: Peer, name: str) -> None:
    """RFC 6749 section 3.1: the second redirect_uri must not win over the checked first."""
    query = [*peer.query(), (name, "http://evil.example/"), (name, "b")]
    answer = await peer.press(query, account=peer.address)
    assert answer.status == 400
    assert answer.location == ""
    assert name in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": None},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"client_id": "<script>alert(1)</script>"},
    ],
)
async def test_what_the_services_would_not_take_gets_a_page(peer: Peer, changes: dict[str, str | None]) -> None:
    answer = await peer.press(peer.query(**changes), account=peer.address)
    assert answer.status in (400, 401)
    assert answer.location == ""
    assert "<script>" not in answer.text


async def test_a_wrong_app_gets_the_services_own_page() -> None:
    async with signin_running() as (host, http):
        google, microsoft = (Peer(http, host, provider) for provider in BOTH)
        page = await google.page(google.query(client_id="nobody"))
        assert page.status == 401
        assert "Error 401: invalid_client" in page.text
        assert "AADSTS700016" in (await microsoft.page(microsoft.query(client_id="nobody"))).text


async def test_huge_and_strange_requests_are_refused_and_served_on(peer: Peer) -> None:
    assert (await peer.page([*peer.query(), ("x", "y" * 20_000)])).status == 400
    assert (await peer.token(grant_type="x" * 200_000)).status == 413
    assert (await peer.refresh("\udcff".encode("utf-8", "surrogatepass").decode("latin-1") * 50)).status == 400
    async with peer.http.post(peer.token_url, data=b"\xff\xfe=\x00&&&===") as answer:
        assert answer.status == 400
    doubled = urlencode([("client_id", peer.app.client_id), ("client_id", "b"), ("client_secret", "c")])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with peer.http.post(peer.token_url, data=doubled, headers=form) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == "invalid_request"
    broken = {"Content-Type": "multipart/form-data; charset=klingon"}
    async with peer.http.post(peer.token_url, data=b"--x\r\n", headers=broken) as answer:
        assert answer.status == 400
    assert (await peer.page()).status == 200


async def test_an_account_that_is_not_there_cannot_sign_in(peer: Peer) -> None:
    for address in ("nobody@else.test", "rita@agency.test", "maya.lind@candidates.example", ""):
        answer = await peer.press(account=address)
        assert answer.status == 400
        assert answer.location == ""


async def test_names_are_written_as_text() -> None:
    """An account's name and a long hint never become markup."""
    async with signin_running() as (host, http):
        peer = Peer(http, host, "google")
        hostile = peer.query(login_hint="<script>", scope='"><script>alert(1)</script> openid')
        assert "<script>" not in (await peer.page(hostile)).text


async def test_the_pages_are_also_served_without_tls(peer: Peer) -> None:
    """A browser that knows no CA of ours sees them without a warning."""
    path = urlsplit(peer.authorize_url).path
    async with peer.http.get(f"{peer.host.page_origin}{path}?{urlencode(peer.query())}") as page:
        assert page.status == 200
