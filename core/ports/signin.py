"""Signing in to a mailbox at its provider (OAuth 2.0, RFC 6749), as the services need it. Implemented in core/mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.ports.mail import Endpoint

PASSWORD = "password"
"""``Mailbox.sign_in`` of a mailbox that logs in with a password; else it is a provider's ``name``."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Where to send the person, and the proof (PKCE, RFC 7636) to keep until they come back."""

    url: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed; ``repr`` shows no secret.

    ``refresh_token`` is empty where the provider keeps the one it gave before. ``address`` is the account's name at the
    provider, empty on a refresh; ``aliases`` are other addresses that the provider says are the same account's.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    address: str = ""
    aliases: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()


class SignInProvider(Protocol):
    """One provider. Every method but the properties raises MailError kinds with layer oauth, dns, tls or socket, whose
    ``raw`` is the service's whole error: LoginRefusedError where asking again cannot help, ServerRefusedError (busy,
    out of order), UnreachableError and ConnectionLostError otherwise. Nothing that was refused is remembered."""

    @property
    def name(self) -> str:
        """google or microsoft."""
        ...

    @property
    def host(self) -> str:
        """The sign-in service's host name."""
        ...

    @property
    def imap(self) -> Endpoint: ...

    @property
    def smtp(self) -> Endpoint: ...

    async def authorise(self, *, redirect_uri: str, state: str, login_hint: str) -> Authorisation: ...

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        """A code for tokens, once. LoginRefusedError too where mail access was not granted."""
        ...

    async def refresh(self, refresh_token: str) -> Grant: ...
