"""Connecting a mailbox: the one-time link, trying the credentials, storing them (R43, R49)."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor, Role, require_admin, require_mailbox, require_recruiter
from core.domain.address import is_valid, match_key
from core.domain.diagnosis import CAUSES, Diagnosis
from core.domain.patience import escalated
from core.domain.providers import provider_of_host
from core.errors import InputError, LoginRefusedError, MailError, NotFoundError, RefusedError
from core.ports.mail import Credentials, Endpoint, MailboxConnector, MailTransport
from core.ports.signin import PASSWORD
from core.ports.storage import ConnectTicket, UnitOfWork
from core.services.alerts import AlertService
from core.services.diagnose import diagnose_error
from core.services.mailboxes import get_mailbox, save_mailbox
from core.services.seats import SeatService
from core.services.tools import Tools, persistently

TICKET_LIFE = timedelta(minutes=10)
_SIDES = {"imap": "Reading mail (IMAP)", "smtp": "Sending mail (SMTP)", "sign_in": "Signing in"}
# What a server that refuses a login seems to say of the token or password.
LOGIN_CAUSES = frozenset({"oauth_token_rejected", "credentials_rejected", "credentials_or_imap_disabled"})
_SEVERAL = 3
_OFF_FOR_ALL = (
    "Where it is on already, your organisation has switched it off for everybody: send the text below to your mail "
    "administrator."
)
_DOES_NOT_OPEN = (
    "The sign-in was accepted, yet the mailbox did not open. Try once more in a few minutes: it may be a fault at the "
    "provider. If it stays, IMAP is switched off for this mailbox or it has no licence: send the text below to your "
    "mail administrator, then sign in again."
)


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """What a person gives to connect a mailbox. ``owner`` is a Slack user id; None: the actor. ``sign_in`` names the
    provider that gave ``tokens``, used in place of the password."""

    address: str
    username: str
    password: str = field(repr=False)
    imap: Endpoint
    smtp: Endpoint
    owner: str | None = None
    display_name: str = ""
    send: bool = True
    capture: bool = True
    sign_in: str = PASSWORD
    tokens: Credentials | None = field(default=None, repr=False)

    @property
    def credentials(self) -> Credentials:
        return self.tokens or Credentials(self.username, self.password)

    @property
    def provider(self) -> str | None:
        return provider_of_host(self.imap.host) if self.sign_in == PASSWORD else self.sign_in


@dataclass(frozen=True, slots=True)
class TicketKey:
    """A one-time link as it is stored: by its hash (threat T4)."""

    workspace: str
    digest: bytes

    @classmethod
    def of(cls, token: str) -> TicketKey:
        return cls(token.partition(".")[0], hashlib.sha256(token.encode()).digest())


@dataclass(frozen=True, slots=True)
class TicketView:
    """A valid one-time link: for whom, and which mailbox it reconnects (None: a new one)."""

    workspace: str
    user: str
    mailbox: Mailbox | None


class ConnectRefusedError(RefusedError):
    """It was tried and did not work; ``side`` is imap, smtp or sign_in, the diagnosis says why (R43)."""

    code = "connect_refused"

    def __init__(self, side: str, diagnosis: Diagnosis) -> None:
        super().__init__(f"{_SIDES[side]} did not work: {diagnosis.title}.", reason=diagnosis.cause, fix=diagnosis.fix)
        self.side, self.diagnosis = side, diagnosis


class ConnectService:
    """Use cases of whoever connects a mailbox or mends one."""

    def __init__(self, tools: Tools, connector: MailboxConnector, transport: MailTransport) -> None:
        self._tools = tools
        self._connector = connector
        self._transport = transport
        self._alerts = AlertService(tools)
        self._seats = SeatService(tools, self._alerts)

    async def connect(self, actor: Actor, request: ConnectRequest) -> Mailbox:
        """Tries reading and sending before anything is stored; an address known already is reconnected (R49). Without a
        free seat all is stored and the mailbox waits for one (R35).

        Raises InputError, NotAllowedError, ConnectRefusedError.
        """
        return await self._connect(actor, request)

    async def _connect(self, actor: Actor, request: ConnectRequest, *, key: TicketKey | None = None) -> Mailbox:
        require_recruiter(actor)
        request = _checked(request, actor)
        if request.owner != actor.user and actor.role is not Role.ADMIN:
            require_admin(actor)
        known = await self._known(actor, request.address)
        if known is not None:
            require_mailbox(actor, known)
        await self._try(request)

        async def unit() -> Mailbox:
            async with self._tools.store.write(actor.workspace) as uow:
                if key is not None and not await uow.tickets.spend(key.digest, self._tools.clock.now()):
                    raise _spent()
                return await self._store(uow, actor, request)

        return await persistently(unit)

    async def _known(self, actor: Actor, address: str) -> Mailbox | None:
        async with self._tools.store.read(actor.workspace) as uow:
            return await uow.mailboxes.by_address(match_key(address))

    async def _try(self, request: ConnectRequest) -> None:
        credentials = request.credentials

        async def read() -> None:
            client = await self._connector.connect(request.imap, credentials)
            await client.close()

        checks: list[tuple[str, Callable[[], Awaitable[None]]]] = [("imap", read)]
        if request.send:
            checks.append(("smtp", lambda: self._transport.verify(request.smtp, credentials)))
        results = await asyncio.gather(*(check() for _, check in checks), return_exceptions=True)
        for (side, _), result in zip(checks, results, strict=True):
            if isinstance(result, MailError):
                raise ConnectRefusedError(side, _verdict(side, result, request))
            if isinstance(result, BaseException):
                raise result

    async def _store(self, uow: UnitOfWork, actor: Actor, request: ConnectRequest) -> Mailbox:
        now = self._tools.clock.now()
        known = await uow.mailboxes.by_address(match_key(request.address))
        if known is not None:
            require_mailbox(actor, known)  # somebody may have connected it while we were trying
        mailbox = Mailbox(
            id=known.id if known else self._tools.new_id(),
            workspace=actor.workspace,
            address=known.address if known else request.address,
            owner=known.owner if known else str(request.owner),
            provider=request.provider or "other",
            username=request.username,
            imap_host=request.imap.host,
            imap_port=request.imap.port,
            imap_tls=request.imap.tls.value,
            smtp_host=request.smtp.host,
            smtp_port=request.smtp.port,
            smtp_tls=request.smtp.tls.value,
            send=request.send,
            capture=request.capture,
            status=MailboxStatus.CONNECTING,
            version=known.version if known else 1,
            created_at=known.created_at if known else now,
            display_name=request.display_name or (known.display_name if known else ""),
            sign_in=request.sign_in,
            signed_in_at=now,
            token_expires_at=request.credentials.expires_at,
        )
        if known is None:
            mailbox = await self._seats.placed(uow, mailbox)
            await uow.mailboxes.add(mailbox)
        else:
            mailbox = await self._reconnected(uow, known, mailbox, actor)
        await uow.mailboxes.put_credentials(mailbox.id, request.credentials)
        await uow.audit.add(at=now, actor=actor.user, action="mailbox.connect", subject=mailbox.id)
        uow.wake("sync")
        uow.wake(f"sync:{mailbox.id}")
        return mailbox

    async def _reconnected(self, uow: UnitOfWork, known: Mailbox, mailbox: Mailbox, actor: Actor) -> Mailbox:
        """Settings and history stay; a red light stays until a pass has succeeded, asked for by this person. After a
        disconnection all is read again from the start, and nothing logged twice (R49, R52)."""
        red = known.status in (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE)
        mailbox = replace(
            mailbox,
            status=MailboxStatus.ERROR if red else MailboxStatus.CONNECTING,
            fault=known.fault if red else None,
            failing_since=known.failing_since if known.status is MailboxStatus.ERROR else None,
            last_sync_at=known.last_sync_at,
            resync_requested_at=self._tools.clock.now(),
            resync_requested_by=actor.user,
        )
        if known.status is MailboxStatus.DISCONNECTED:
            await uow.folders.forget_checkpoints(mailbox.id)
        mailbox = await save_mailbox(uow, await self._seats.placed(uow, mailbox))
        if mailbox.status is MailboxStatus.PENDING:
            await self._alerts.closed(uow, mailbox)
        return mailbox

    async def issue_ticket(self, actor: Actor, mailbox_id: str | None = None) -> str:
        """A one-time token for the connect page; only its hash is stored (threat T4)."""
        require_recruiter(actor)
        secret = secrets.token_urlsafe(32)
        token = f"{actor.workspace}.{secret}"
        now = self._tools.clock.now()
        async with self._tools.store.write(actor.workspace) as uow:
            if mailbox_id is not None:
                require_mailbox(actor, await get_mailbox(uow, mailbox_id))
            await uow.tickets.add(TicketKey.of(token).digest, ConnectTicket(actor.user, now + TICKET_LIFE, mailbox_id))
        return token

    async def ticket(self, token: str) -> TicketView:
        """What the link is good for; looking spends nothing. Raises NotFoundError when unknown, spent or expired."""
        return await self.ticket_by(TicketKey.of(token))

    async def ticket_by(self, key: TicketKey) -> TicketView:
        """As ``ticket``, for a caller who kept only its key."""
        async with self._tools.store.read(key.workspace) as uow:
            ticket = await uow.tickets.get(key.digest)
            if ticket is None or ticket.spent_at or ticket.expires_at <= self._tools.clock.now():
                raise _spent()
            mailbox = await uow.mailboxes.get(ticket.mailbox_id) if ticket.mailbox_id else None
        return TicketView(key.workspace, ticket.user, mailbox)

    async def connect_with_ticket(self, token: str, request: ConnectRequest) -> Mailbox:
        """Connects for the person the link was made for; the link is spent only when it worked."""
        return await self.connect_by(TicketKey.of(token), request)

    async def connect_by(self, key: TicketKey, request: ConnectRequest) -> Mailbox:
        """As ``connect_with_ticket``, for a caller who kept only its key."""
        view = await self.ticket_by(key)
        request = replace(request, owner=view.user)
        if view.mailbox is not None:  # made to mend this mailbox: its two Sync switches stay as they are
            kept = view.mailbox
            request = replace(request, address=kept.address, owner=kept.owner, send=kept.send, capture=kept.capture)
        # The link itself proves who asked; an admin's link to somebody's mailbox was checked when it was made.
        actor = Actor(view.workspace, request.owner or view.user, Role.RECRUITER)
        return await self._connect(actor, request, key=key)


def _spent() -> NotFoundError:
    return NotFoundError(
        "This link has been used already or has expired.", fix="Type /mailbox connect in Slack for a new one."
    )


def _checked(request: ConnectRequest, actor: Actor) -> ConnectRequest:
    address = request.address.strip()
    if not is_valid(address):
        raise InputError(f"{address[:80]!r} is not an e-mail address", field="address")
    if request.tokens is None and not request.password:
        raise InputError("is missing", field="password")
    return replace(
        request,
        address=address,
        username=request.username.strip() or address,
        owner=request.owner or actor.user,
        display_name=request.display_name.strip()[:200],
    )


def _verdict(side: str, error: MailError, request: ConnectRequest) -> Diagnosis:
    verdict = diagnose_error(error, provider=request.provider)
    if side != "imap" or request.tokens is None:
        return verdict
    if verdict.cause == "mailbox_not_reachable":
        return replace(escalated(verdict, _SEVERAL), fix=_DOES_NOT_OPEN)
    refused = isinstance(error, LoginRefusedError) and verdict.cause in LOGIN_CAUSES
    return imap_off(verdict) if refused else verdict


def imap_off(verdict: Diagnosis) -> Diagnosis:
    """What a refused login means where the token is known to be good: IMAP is off for the user or the domain."""
    mine, admins = CAUSES["imap_disabled"], CAUSES["imap_disabled_by_admin"]
    fix = mine.fix_for(verdict.provider)
    return replace(
        verdict,
        cause="imap_disabled",
        klass=mine.klass.value,
        transient=mine.passes_by_itself(),
        who=mine.mended_by(verdict.provider).value,
        title=mine.title,
        fix=fix if "text below" in fix else f"{fix} {_OFF_FOR_ALL}",
        forward=admins.forward,
        obsolete=mine.obsolete_for(verdict.provider),
    )
