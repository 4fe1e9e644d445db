"""ID tokens (OpenID Connect Core section 2) as signed JSON Web Tokens (RFC 7519, HS256)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping

LIFETIME_S = 3600
_KEY = secrets.token_bytes(32)


def id_token(claims: Mapping[str, object]) -> str:
    """Returns a token of these claims, issued now and good for an hour."""
    now = int(time.time())
    body = {**claims, "iat": now, "nbf": now, "exp": now + LIFETIME_S}
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(body)}"
    signature = hmac.new(_KEY, signed.encode("ascii"), hashlib.sha256).digest()
    return f"{signed}.{encoded(signature)}"


def encoded(raw: bytes) -> str:
    """Base64url without padding, as in JSON Web Tokens."""
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _part(value: Mapping[str, object]) -> str:
    return encoded(json.dumps(value, separators=(",", ":")).encode("utf-8"))
