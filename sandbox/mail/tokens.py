"""Access tokens that the sign-in stand-ins issue and that the mail host's XOAUTH2 asks about."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.mail.accounts import normalised

TokenProvider = Literal["google", "microsoft"]
Verdict = Literal["ok", "unknown", "expired", "revoked", "wrong_user", "no_mail_scope"]

# How the two services' access tokens begin: whoever reads a trace sees at once whose it is.
_PREFIXES: dict[TokenProvider, str] = {"google": "ya29.", "microsoft": "EwB"}
_RANDOM_BYTES = 48


@dataclass(slots=True)
class _Issued:
    """What is known of one access token."""

    address: str
    provider: TokenProvider
    ends_at: float
    reads_mail: bool
    revoked: bool = False


class TokenBook:
    """Every access token issued since the start, and whether it still opens a mailbox."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}

    def issue(self, address: str, *, provider: TokenProvider, lifetime_s: float, reads_mail: bool = True) -> str:
        """Returns a new opaque ASCII token for ``address`` that ends after ``lifetime_s`` seconds.

        ``reads_mail`` is False where the person did not grant the mail scope.
        """
        token = _PREFIXES[provider] + secrets.token_urlsafe(_RANDOM_BYTES)
        self._issued[token] = _Issued(normalised(address), provider, self._clock() + lifetime_s, reads_mail)
        return token

    def verdict(self, token: str, address: str) -> Verdict:
        """Whether ``token`` opens the mailbox ``address`` now, and if not, why."""
        issued = self._issued.get(token)
        if issued is None:
            return "unknown"
        if issued.revoked:
            return "revoked"
        if self._clock() >= issued.ends_at:
            return "expired"
        if issued.address != normalised(address):
            return "wrong_user"
        return "ok" if issued.reads_mail else "no_mail_scope"

    def owner_of(self, token: str) -> str | None:
        """The address that ``token`` was issued for; None where it never was."""
        issued = self._issued.get(token)
        return issued.address if issued else None

    def revoke(self, address: str) -> None:
        """Ends every token issued for ``address`` until now."""
        name = normalised(address)
        for issued in self._issued.values():
            issued.revoked |= issued.address == name

    def revoke_token(self, token: str) -> None:
        """Ends one token; an unknown one is let pass."""
        if issued := self._issued.get(token):
            issued.revoked = True
