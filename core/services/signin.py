"""Connecting a mailbox by signing in at Google or Microsoft (R50, R60 to R62): out with a state, back with a code.

The Slack user is bound through the ticket of the connect page: its key goes with the state, and the mailbox becomes
theirs. The browser is bound through the PKCE verifier, which it keeps and brings back.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from core.domain.account import Mailbox
from core.domain.address import is_valid, match_key
from core.domain.diagnosis import Diagnosis, Failure, diagnose
from core.domain.providers import facts
from core.errors import InputError, MailError, RefusedError
from core.ports.mail import Credentials
from core.ports.signin import Grant, SignInProvider
from core.ports.storage import SignInState
from core.services.connecting import ConnectRefusedError, ConnectRequest, ConnectService, TicketKey
from core.services.diagnose import diagnose_error
from core.services.tools import Tools

STATE_LIFE = timedelta(minutes=10)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LONGEST_WORDS = 2_000
_STATE = re.compile(r"\w{1,64}\.[s-][c-]\.[\w-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and what it must keep (in a cookie that no script reads) and bring back."""

    url: str = field(repr=False)
    verifier: str = field(repr=False)


class SignInService:
    """Use cases of the connect page and of the providers' redirects."""

    def __init__(self, tools: Tools, providers: Mapping[str, SignInProvider], connecting: ConnectService) -> None:
        self._tools = tools
        self._providers = providers
        self._connecting = connecting

    def offered(self) -> tuple[str, ...]:
        """Names of the providers that are set up here."""
        return tuple(self._providers)

    async def begin(
        self,
        ticket: str,
        provider: str,
        address: str,
        *,
        redirect_uri: str,
        send: bool = True,
        capture: bool = True,
    ) -> Started:
        """Starts a sign-in for ``address``; a ticket that mends a mailbox has that mailbox's address instead.

        Raises NotFoundError (the link is spent), InputError (address), RefusedError (not set up, or no HTTPS),
        ConnectRefusedError (the provider's sign-in is away).
        """
        service = self._provider(provider)
        _require_safe(redirect_uri)
        key = TicketKey.of(ticket)
        view = await self._connecting.ticket_by(key)
        address = (view.mailbox.address if view.mailbox else address).strip()
        if not is_valid(address):
            raise InputError(f"{address[:80]!r} is not an e-mail address", field="address")
        state = _new_state(view.workspace, send=send, capture=capture)
        try:
            out = await service.authorise(redirect_uri=redirect_uri, state=state, login_hint=address)
        except MailError as error:
            raise _refusal(service, error) from error
        expires_at = self._tools.clock.now() + STATE_LIFE
        async with self._tools.store.write(view.workspace) as uow:
            await uow.sign_ins.add(_hash(state), SignInState(key.digest, provider, address, expires_at))
        return Started(out.url, out.verifier)

    async def finish(
        self, provider: str, state: str, code: str, *, verifier: str, redirect_uri: str, display_name: str = ""
    ) -> Mailbox:
        """Connects what was signed in to, for the person the ticket was made for, once it can be read and sent from.
        ``display_name`` is what recipients see beside the address; empty keeps what is known.

        Raises RefusedError (used or late, or another account than the one asked for), NotFoundError (the ticket is
        spent), NotAllowedError (somebody else's mailbox), ConnectRefusedError.
        """
        service = self._provider(provider)
        asked = await self._spend(provider, state)
        key = TicketKey(_workspace(state), asked.ticket_hash)
        await self._connecting.ticket_by(key)
        try:
            grant = await service.redeem(code, verifier=verifier, redirect_uri=redirect_uri)
        except MailError as error:
            raise _refusal(service, error) from error
        _require_same(grant, asked.address, provider)
        send, capture = _switches(state)
        request = ConnectRequest(
            address=asked.address,
            username=grant.address,
            password="",
            imap=service.imap,
            smtp=service.smtp,
            display_name=display_name,
            send=send,
            capture=capture,
            sign_in=provider,
            tokens=Credentials(
                grant.address,
                access_token=grant.access_token,
                refresh_token=grant.refresh_token,
                expires_at=grant.expires_at,
            ),
        )
        return await self._connecting.connect_by(key, request)

    async def refused(self, provider: str, state: str, error: str, description: str = "") -> ConnectRefusedError:
        """What a redirect with an error means (RFC 6749 4.1.2.1); the sign-in is over. Raises RefusedError where the
        state is none of ours."""
        service = self._provider(provider)
        await self._spend(provider, state)
        raw = f"{error}: {description}" if description else error
        failure = Failure("oauth", raw[:_LONGEST_WORDS], service.host)
        return ConnectRefusedError("sign_in", diagnose(failure, provider=provider))

    def _provider(self, name: str) -> SignInProvider:
        found = self._providers.get(name)
        if found is None:
            label = facts(name).label if name in ("google", "microsoft") else name[:40]
            settings = f"{label.upper()}_CLIENT_ID and {label.upper()}_CLIENT_SECRET"
            raise RefusedError(
                f"Signing in with {label} is not set up here.",
                reason="sign_in_unavailable",
                fix=f"Whoever runs Rethread sets {settings}. Where the mailbox takes a password, use that.",
            )
        return found

    async def _spend(self, provider: str, state: str) -> SignInState:
        """Once, and only at the provider it was made for."""
        asked = None
        if _STATE.fullmatch(state):
            async with self._tools.store.write(_workspace(state)) as uow:
                asked = await uow.sign_ins.spend(_hash(state), self._tools.clock.now())
        if asked is None or asked.provider != provider:
            raise RefusedError(
                "This sign-in was finished already, or took longer than ten minutes.",
                reason="sign_in_over",
                fix="Go back to the link from Slack and sign in again; /mailbox connect makes a new link.",
            )
        return asked


def _refusal(service: SignInProvider, error: MailError) -> ConnectRefusedError:
    verdict: Diagnosis = diagnose_error(error, provider=service.name)
    return ConnectRefusedError("sign_in", verdict)


def is_safe(address: str) -> bool:
    """Providers send codes to HTTPS only, or to this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _require_safe(redirect_uri: str) -> None:
    if not is_safe(redirect_uri):
        raise RefusedError(
            "Signing in needs an HTTPS address to come back to, and Rethread has none.",
            reason="sign_in_needs_https",
            fix="Whoever runs Rethread sets RETHREAD_PUBLIC_URL to an https:// address.",
        )


def _require_same(grant: Grant, address: str, provider: str) -> None:
    """The mailbox that was asked for, and not another one of a browser with several sessions."""
    if match_key(address) in {match_key(name) for name in (grant.address, *grant.aliases) if name}:
        return
    label, signed_in = facts(provider).label, grant.address[:120] or "an account without an address"
    raise RefusedError(
        f"You signed in to {label} as {signed_in}, but the mailbox to connect is {address}.",
        reason="wrong_account",
        fix=f"Sign in again and choose {address}; to connect {signed_in}, begin with that address.",
    )


def _new_state(workspace: str, *, send: bool, capture: bool) -> str:
    """Random, and only its hash is stored; the two Sync switches ride along, and the hash keeps them as they were."""
    switches = f"{'s' if send else '-'}{'c' if capture else '-'}"
    return f"{workspace}.{switches}.{secrets.token_urlsafe(32)}"


def _switches(state: str) -> tuple[bool, bool]:
    switches = state.split(".")[1]
    return "s" in switches, "c" in switches


def _workspace(state: str) -> str:
    return state.partition(".")[0]


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
