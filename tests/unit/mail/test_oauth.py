"""What sign-in services answer, judged before anybody else reads it."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import LoginRefusedError, ServerRefusedError
from core.mail.oauth_http import json_object, refusal, without
from core.mail.oauth_tokens import authorisation, check_claims, grant_of, nonce_of, read_claims, require_scopes

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
HOST = "login.provider.test"
GOOD: dict[str, Any] = {
    "aud": "our-app",
    "iss": f"https://{HOST}/a-tenant/v2.0",
    "nonce": nonce_of("a-verifier"),
    "exp": NOW.timestamp() + 60,
}


def judge(**changes: Any) -> None:
    claims = {**GOOD, **changes}
    check_claims(claims, audience="our-app", issuers=(HOST,), nonce=nonce_of("a-verifier"), now=NOW, host=HOST)


def id_token(text: str) -> str:
    return "head." + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + ".signature"


def test_an_id_token_of_this_sign_in_is_taken() -> None:
    """Also one whose audience is a list of us alone, and one that ended while clocks differed."""
    judge()
    judge(aud=["our-app"])
    judge(exp=NOW.timestamp() - 200)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "another-app"),
        ("aud", ["our-app", "another-app"]),
        ("aud", None),
        ("iss", "https://login.provider.test.evil.example/v2.0"),
        ("iss", None),
        ("nonce", nonce_of("another")),
        ("nonce", None),
        ("exp", NOW.timestamp() - 301),
        ("exp", "soon"),
        ("exp", "nan"),
    ],
)
def test_an_id_token_of_anything_else_is_refused_by_name(claim: str, value: object) -> None:
    """For another app, from another issuer, of another sign-in, or long over."""
    with pytest.raises(LoginRefusedError, match=claim):
        judge(**{claim: value})


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "a.%%%.c", id_token("[1]"), id_token("{" * 100), None, 7])
def test_an_id_token_that_is_none_is_no_answer(token: object) -> None:
    with pytest.raises(ServerRefusedError):
        read_claims(token, HOST)


def test_the_way_out_carries_challenge_and_nonce_and_not_the_verifier() -> None:
    """RFC 7636 4.2, S256."""
    out = authorisation("https://p.test/auth", {"state": "T1.sc.x", "login_hint": "a b@c.test"})
    told = {name: values[0] for name, values in parse_qs(urlsplit(out.url).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(out.verifier.encode()).digest()).decode().rstrip("=")
    assert (told["code_challenge"], told["code_challenge_method"]) == (challenge, "S256")
    assert told["nonce"] == nonce_of(out.verifier)
    assert (told["response_type"], told["state"], told["login_hint"]) == ("code", "T1.sc.x", "a b@c.test")
    assert out.verifier not in out.url
    assert out.verifier not in repr(out)
    assert 43 <= len(out.verifier) <= 128
    assert authorisation("https://p.test/auth", {}).verifier != out.verifier


@pytest.mark.parametrize(
    ("life", "seconds"), [(3599, 3599), ("3599", 3599), (None, 3600), ("soon", 3600), (-5, 1), (10**12, 7 * 86_400)]
)
def test_how_long_a_token_lives_is_believed_within_reason(life: object, seconds: int) -> None:
    grant = grant_of({"access_token": "secret-a", "expires_in": life, "scope": "a b"}, now=NOW, host=HOST)
    assert grant.expires_at == NOW + timedelta(seconds=seconds)
    assert grant.scopes == {"a", "b"}
    assert "secret-a" not in repr(grant)


@pytest.mark.parametrize(
    "answer",
    [{}, {"access_token": ""}, {"access_token": 7}, {"access_token": "ü"}, {"access_token": "a", "refresh_token": 1}],
)
def test_an_answer_without_a_usable_token_is_no_answer(answer: dict[str, Any]) -> None:
    with pytest.raises(ServerRefusedError):
        grant_of(answer, now=NOW, host=HOST)


def test_a_scope_that_was_not_granted_is_named() -> None:
    """Compared without regard to case, as Microsoft writes them."""
    grant = grant_of({"access_token": "a", "scope": "https://O.test/imap.all"}, now=NOW, host=HOST)
    require_scopes(grant, ["https://o.test/IMAP.All"], HOST)
    with pytest.raises(LoginRefusedError, match=r"SMTP\.Send"):
        require_scopes(grant, ["https://o.test/IMAP.All", "SMTP.Send"], HOST)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, LoginRefusedError),
        (401, {"error": "invalid_client", "error_codes": [7000222]}, LoginRefusedError),
        (400, {"error": "temporarily_unavailable", "error_codes": [90033]}, ServerRefusedError),
        (400, {"error": "something_new"}, ServerRefusedError),
        (429, {"error": "rate_limit_exceeded"}, ServerRefusedError),
        (503, {"error": "invalid_grant"}, ServerRefusedError),
        (302, {}, ServerRefusedError),
        (799, {}, ServerRefusedError),
    ],
)
def test_only_what_asking_again_cannot_mend_is_a_refused_login(
    status: int, body: dict[str, Any], kind: type[Exception]
) -> None:
    """Words that nobody knows yet are not taken for one."""
    error = refusal(status, json.dumps(body), HOST)
    assert type(error) is kind
    assert error.layer == "oauth"
    assert (f"HTTP {status}" in error.raw) == (status not in (400, 401))


def test_secrets_are_blotted_out_of_what_a_service_says() -> None:
    """Ours by name and by value, coded or plain; and whatever looks like a token."""
    said = 'code a/b+c== or a%2Fb%2Bc%3D%3D, {"access_token": "ya29.zzz", "error": "x"} client_secret=s3cret'
    shown = without(["a/b+c=="], said)
    assert "a/b" not in shown
    assert "a%2Fb" not in shown
    assert "zzz" not in shown
    assert "s3cret" not in shown
    assert '"error": "x"' in shown


@pytest.mark.parametrize("text", ["", "<html>", "[]", '"text"', "{" * 100_000, '{"access_token": "ya29'])
def test_an_answer_that_is_no_object_is_told_without_its_words(text: str) -> None:
    with pytest.raises(ServerRefusedError) as refused:
        json_object(text, HOST)
    assert "ya29" not in refused.value.raw
