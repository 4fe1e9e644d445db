"""What a mailbox logs in with, fresh: passwords as stored, access tokens renewed ahead of their end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from core.domain.account import Mailbox
from core.errors import LoginRefusedError
from core.ports.mail import Credentials
from core.ports.signin import PASSWORD, Grant, SignInProvider
from core.services.tools import Tools, persistently

RENEW_AHEAD = timedelta(minutes=5)


class CredentialService:
    """One for the process: it lets each mailbox renew once at a time, however many ask."""

    def __init__(self, tools: Tools, providers: Mapping[str, SignInProvider]) -> None:
        self._tools = tools
        self._providers = providers
        self._under_way: dict[str, asyncio.Task[Credentials]] = {}
        self._ahead: dict[str, timedelta] = {}

    async def of(self, workspace: str, mailbox: Mailbox, *, anew: bool = False) -> Credentials:
        """Good for at least five minutes as far as anybody knows; a new token where ``anew``: after a refusal, or when
        a person asked for a resync.

        Raises NotFoundError, SealedError (nothing usable is stored), LoginRefusedError with layer oauth (a person must
        sign in again, or the operator see to the app), other MailErrors (the sign-in service is away: no fault of the
        login).
        """
        renewal = self._under_way.get(mailbox.id) if anew else None
        if renewal is None:
            stored = await self._stored(workspace, mailbox.id)
            if mailbox.sign_in == PASSWORD or not (anew or self._is_due(mailbox, stored)):
                return stored
            renewal = self._under_way.get(mailbox.id) or self._start(workspace, mailbox, stored)
        # Whoever asked may go away; a token given is stored all the same, since the one before may be spent.
        return await asyncio.shield(renewal)

    def _start(self, workspace: str, mailbox: Mailbox, seen: Credentials) -> asyncio.Task[Credentials]:
        renewal = asyncio.create_task(self._renew(workspace, mailbox, seen))
        self._under_way[mailbox.id] = renewal
        renewal.add_done_callback(lambda done: self._ended(mailbox.id, done))
        return renewal

    def _is_due(self, mailbox: Mailbox, stored: Credentials) -> bool:
        if stored.expires_at is None:
            return True
        return self._tools.clock.now() >= stored.expires_at - self._ahead.get(mailbox.id, RENEW_AHEAD)

    async def _stored(self, workspace: str, mailbox_id: str) -> Credentials:
        async with self._tools.store.read(workspace) as uow:
            return await uow.mailboxes.credentials(mailbox_id)

    def _ended(self, mailbox_id: str, renewal: asyncio.Task[Credentials]) -> None:
        del self._under_way[mailbox_id]
        if not renewal.cancelled():
            renewal.exception()  # read even where nobody waits any more

    async def _renew(self, workspace: str, mailbox: Mailbox, seen: Credentials) -> Credentials:
        stored = await self._stored(workspace, mailbox.id)
        if stored != seen:
            return stored  # renewed, or connected again, between the caller's look and now
        provider = self._providers.get(mailbox.sign_in)
        if provider is None:
            raise LoginRefusedError(
                f"unauthorized_client: sign-in with {mailbox.sign_in} is not set up here any more", layer="oauth"
            )
        if not stored.refresh_token:
            raise LoginRefusedError("invalid_grant: there is no refresh token", layer="oauth", host=provider.host)
        asked_at = self._tools.clock.now()
        grant = await provider.refresh(stored.refresh_token)
        # A token that lives less than ten minutes is used for half its life.
        self._ahead[mailbox.id] = min(RENEW_AHEAD, (grant.expires_at - asked_at) / 2)
        return await persistently(lambda: self._store(workspace, mailbox.id, stored, grant))

    async def _store(self, workspace: str, mailbox_id: str, before: Credentials, grant: Grant) -> Credentials:
        renewed = replace(
            before,
            access_token=grant.access_token,
            refresh_token=grant.refresh_token or before.refresh_token,
            expires_at=grant.expires_at,
        )
        async with self._tools.store.write(workspace) as uow:
            current = await uow.mailboxes.credentials(mailbox_id)
            if current != before:
                return current  # connected again meanwhile: what a person just gave is newer
            await uow.mailboxes.put_credentials(mailbox_id, renewed)
            await uow.mailboxes.note_token(mailbox_id, expires_at=grant.expires_at)
        return renewed
