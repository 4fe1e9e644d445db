"""What Google's and Microsoft's sign-in have in common: the way out (PKCE, nonce) and what comes back."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from core.errors import LoginRefusedError
from core.mail.oauth_http import unreadable
from core.ports.signin import Authorisation, Grant

_CLOCKS_APART = timedelta(minutes=5)
_USUAL_LIFE_S = 3_600
_LONGEST_LIFE_S = 7 * 86_400


def authorisation(endpoint: str, parameters: Mapping[str, str]) -> Authorisation:
    """The address of the provider's page, with a fresh S256 challenge (RFC 7636 4.2) and nonce in it."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        **parameters,
        "response_type": "code",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "nonce": nonce_of(verifier),
    }
    return Authorisation(f"{endpoint}?{urlencode(query)}", verifier)


def nonce_source(verifier: str) -> str:
    return f"nonce:{verifier}"


def nonce_of(verifier: str) -> str:
    """The nonce that binds an ID token to this sign-in; made from the verifier, so that nothing more need be kept."""
    return hashlib.sha256(nonce_source(verifier).encode("ascii")).hexdigest()


def read_claims(id_token: object, host: str) -> dict[str, Any]:
    """The claims of an ID token. Its signature is not checked: it came from the token endpoint itself, over TLS, which
    OpenID Connect Core 3.1.3.7 (6) allows. Raises ServerRefusedError."""
    try:
        coded = str(id_token).split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (IndexError, ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise unreadable(host)
    return claims


def check_claims(
    claims: Mapping[str, Any], *, audience: str, issuers: Collection[str], nonce: str, now: datetime, host: str
) -> None:
    """OpenID Connect Core 3.1.3.7: for us, from them, of this sign-in, not over. ``issuers`` are host names. Raises
    LoginRefusedError."""
    issuer = str(claims.get("iss", ""))
    wrong = [
        name
        for name, good in (
            ("aud", claims.get("aud") in (audience, [audience])),
            ("iss", (urlsplit(issuer).hostname or issuer) in issuers),
            ("nonce", claims.get("nonce") == nonce),
            ("exp", _number(claims.get("exp")) > (now - _CLOCKS_APART).timestamp()),
        )
        if not good
    ]
    if wrong:
        raise LoginRefusedError(f"invalid_token: ID token with wrong {', '.join(wrong)}", layer="oauth", host=host)


def grant_of(answer: Mapping[str, Any], *, now: datetime, host: str) -> Grant:
    """Tokens of an answer (RFC 6749 5.1). Raises ServerRefusedError where there is none that XOAUTH2 can carry."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token") or ""
    if not isinstance(access, str) or not isinstance(refresh, str) or not access or not access.isascii():
        raise unreadable(host)
    life = _number(answer.get("expires_in")) or _USUAL_LIFE_S
    ends = now + timedelta(seconds=max(1.0, min(life, _LONGEST_LIFE_S)))
    return Grant(
        access_token=access,
        refresh_token=refresh,
        expires_at=ends.replace(microsecond=0),  # as precise as it is kept
        scopes=frozenset(str(answer.get("scope", "")).split()),
    )


def require_scopes(grant: Grant, needed: Collection[str], host: str) -> None:
    """A person may have left a box unticked, or a policy taken one away. Raises LoginRefusedError."""
    granted = {scope.lower() for scope in grant.scopes}
    missing = [scope for scope in needed if scope.lower() not in granted]
    if missing:
        raise LoginRefusedError(f"scopes were not granted: {' '.join(missing)}", layer="oauth", host=host)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
