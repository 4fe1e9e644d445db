"""What people allowed an app to do: authorisation codes, refresh tokens and what became of them."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sandbox.mail.tokens import TokenProvider

CODE_LIFETIME_S = 60.0

CodeFault = Literal["unknown", "used", "expired", "redirect", "no_verifier", "verifier"]


@dataclass(slots=True)
class Grant:
    """One person's consent for one app. ``ended_by`` names the switch that took it back."""

    provider: TokenProvider
    address: str
    client_id: str
    scopes: tuple[str, ...]
    offline: bool
    nonce: str = ""
    issued_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_by: str = ""
    ended_at: datetime | None = None

    def end(self, switch: str) -> None:
        self.ended_by, self.ended_at = switch, datetime.now(UTC)

    def revive(self) -> None:
        self.ended_by, self.ended_at = "", None


@dataclass(slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str
    ends_at: float
    used: bool = False


class CodeRefusedError(Exception):
    """An authorisation code that buys no tokens; ``fault`` says why."""

    def __init__(self, fault: CodeFault) -> None:
        super().__init__(fault)
        self.fault: CodeFault = fault


class GrantBook:
    """Every code and refresh token issued since the start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, Grant] = {}

    def issue_code(self, grant: Grant, redirect_uri: str, challenge: str) -> str:
        """Returns a code good for one use within a minute (RFC 6749 section 4.1.2)."""
        code = secrets.token_urlsafe(48)
        self._codes[code] = _Code(grant, redirect_uri, challenge, self._clock() + CODE_LIFETIME_S)
        return code

    def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> Grant:
        """Spends a code; ``challenge`` is proved by ``verifier`` (RFC 7636). Raises CodeRefusedError."""
        known = self._codes.get(code)
        if known is None or known.grant.client_id != client_id:
            raise CodeRefusedError("unknown")
        if known.used:
            raise CodeRefusedError("used")
        if self._clock() >= known.ends_at:
            raise CodeRefusedError("expired")
        if known.redirect_uri != redirect_uri:
            raise CodeRefusedError("redirect")
        if known.challenge and not verifier:
            raise CodeRefusedError("no_verifier")
        if known.challenge and not hmac.compare_digest(known.challenge, challenge_of(verifier)):
            raise CodeRefusedError("verifier")
        known.used = True
        return known.grant

    def issue_refresh_token(self, grant: Grant) -> str:
        """Returns a new refresh token of ``grant``; those before it stay good, as at both services."""
        prefix = "1//" if grant.provider == "google" else "1.A"
        token = prefix + secrets.token_urlsafe(64)
        self._refresh[token] = grant
        return token

    def find(self, refresh_token: str, client_id: str) -> Grant | None:
        """The grant behind a refresh token of this app."""
        grant = self._refresh.get(refresh_token)
        return grant if grant and grant.client_id == client_id else None

    def owner_of(self, refresh_token: str) -> str | None:
        """Whose refresh token this is."""
        grant = self._refresh.get(refresh_token)
        return grant.address if grant else None

    def of(self, provider: TokenProvider, address: str) -> Iterator[Grant]:
        """Every grant of one person, each once."""
        grants = [code.grant for code in self._codes.values()]
        seen = {id(grant): grant for grant in (*grants, *self._refresh.values())}
        return (grant for grant in seen.values() if (grant.provider, grant.address) == (provider, address))


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
