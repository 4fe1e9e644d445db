"""Mailboxes and their sealed credentials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, case, func, or_

from core.domain.account import Mailbox, MailboxStatus, SyncFault
from core.domain.address import match_key
from core.errors import NotFoundError, RefusedError
from core.ports.mail import Credentials
from storage.scope import AnyRow, AnySelect, Scope, Values, values_of
from storage.tables import credentials, mailboxes, workspaces
from storage.vault import Sealed, Vault

_FAULT_PARTS = ("cause", "raw", "fix", "at")


class SqlMailboxStore:
    """Implements ``ports.MailboxStore``. One row per address and workspace, whatever its status."""

    def __init__(self, scope: Scope, vault: Vault) -> None:
        self._scope = scope
        self._vault = vault

    async def add(self, mailbox: Mailbox) -> None:
        if not await self._scope.insert_new(mailboxes, [_values(mailbox)]):
            raise RefusedError(f"The mailbox {mailbox.address} is connected here already.", reason="mailbox_exists")

    async def get(self, mailbox_id: str) -> Mailbox | None:
        return await self._one(self._scope.select(mailboxes).where(mailboxes.c.id == mailbox_id))

    async def by_address(self, address: str) -> Mailbox | None:
        return await self._one(self._scope.select(mailboxes).where(mailboxes.c.address_key == match_key(address)))

    async def by_sender(self, address: str) -> Mailbox | None:
        own = await self.by_address(address)
        if own is not None:
            return own
        key, disconnected = match_key(address), mailboxes.c.status == MailboxStatus.DISCONNECTED
        with_aliases = self._scope.select(mailboxes).where(mailboxes.c.aliases != ())
        for row in await self._scope.rows(with_aliases.order_by(disconnected, mailboxes.c.created_at, mailboxes.c.id)):
            if key in map(match_key, row.aliases):
                return mailbox_from(row)
        return None

    async def list(self, *, owner: str | None = None) -> list[Mailbox]:
        statement = self._scope.select(mailboxes).order_by(mailboxes.c.created_at, mailboxes.c.id)
        if owner is not None:
            statement = statement.where(mailboxes.c.owner == owner)
        return [mailbox_from(row) for row in await self._scope.rows(statement)]

    async def count(self) -> int:
        return int(await self._scope.scalar(self._scope.select(mailboxes, func.count())))

    async def address_keys(self) -> frozenset[str]:
        rows = await self._scope.rows(self._scope.select(mailboxes, mailboxes.c.address_key))
        return frozenset(row.address_key for row in rows)

    async def save(self, mailbox: Mailbox) -> bool:
        """What also moves without a version only ever moves forward here."""
        changes = _values(mailbox)
        del changes["id"], changes["created_at"]
        changes |= {
            "version": mailbox.version + 1,
            "last_sync_at": _later(mailboxes.c.last_sync_at, mailbox.last_sync_at),
            "next_send_at": _later(mailboxes.c.next_send_at, mailbox.next_send_at),
            "refreshed_at": _later(mailboxes.c.refreshed_at, mailbox.refreshed_at),
            "token_expires_at": _later(mailboxes.c.token_expires_at, mailbox.token_expires_at),
        }
        unchanged = (mailboxes.c.id == mailbox.id, mailboxes.c.version == mailbox.version)
        return await self._scope.run(self._scope.update(mailboxes).where(*unchanged).values(changes)) == 1

    async def touch(self, mailbox_id: str, *, last_sync_at: datetime) -> None:
        await self._set(mailbox_id, last_sync_at=last_sync_at)

    async def note_token(self, mailbox_id: str, *, expires_at: datetime | None) -> None:
        await self._set(mailbox_id, token_expires_at=expires_at)

    async def note_refresh(self, mailbox_id: str, *, refreshed_at: datetime) -> None:
        await self._set(mailbox_id, refreshed_at=refreshed_at)

    async def reserve_slot(self, mailbox_id: str, *, next_send_at: datetime) -> None:
        await self._set(mailbox_id, next_send_at=_later(mailboxes.c.next_send_at, next_send_at))

    async def put_credentials(self, mailbox_id: str, secret: Credentials) -> None:
        sealed = self._vault.seal(secret, workspace=self._scope.workspace, row=mailbox_id)
        values: Values = {"key_id": sealed.key_id, "sealed": sealed.data}
        await self._scope.put(credentials, {"mailbox_id": mailbox_id, **values}, key="mailbox_id", replace=values)

    async def credentials(self, mailbox_id: str) -> Credentials:
        row = await self._scope.first(self._scope.select(credentials).where(credentials.c.mailbox_id == mailbox_id))
        if row is None:
            raise NotFoundError("No credentials are stored for this mailbox.", fix="Connect it again.")
        sealed = Sealed(row.key_id, row.sealed)
        return self._vault.open(sealed, workspace=self._scope.workspace, row=mailbox_id)

    async def forget_credentials(self, mailbox_id: str) -> None:
        await self._scope.run(self._scope.delete(credentials).where(credentials.c.mailbox_id == mailbox_id))

    async def lock_seats(self) -> None:
        """SQLite has one writer; on PostgreSQL the workspace's row is the lock, in a mode that lets rows which refer to
        it be added."""
        row = self._scope.select(workspaces, workspaces.c.workspace).with_for_update(key_share=True)
        await self._scope.first(row)

    async def _one(self, statement: AnySelect) -> Mailbox | None:
        row = await self._scope.first(statement)
        return mailbox_from(row) if row else None

    async def _set(self, mailbox_id: str, **changes: Any) -> None:
        await self._scope.run(self._scope.update(mailboxes).where(mailboxes.c.id == mailbox_id).values(changes))


def _later(column: Column[Any], value: datetime | None) -> ColumnElement[Any]:
    if value is None:
        return column
    return case((or_(column.is_(None), column < value), value), else_=column)


def _values(mailbox: Mailbox) -> Values:
    return values_of(mailbox, without=("fault", "send_fault", "workspace")) | {
        "address_key": match_key(mailbox.address),
        **_fault_values("fault", mailbox.fault),
        **_fault_values("send_fault", mailbox.send_fault),
    }


def _fault_values(name: str, fault: SyncFault | None) -> Values:
    return {f"{name}_{part}": getattr(fault, part) if fault else None for part in _FAULT_PARTS}


def mailbox_from(row: AnyRow) -> Mailbox:
    """A row of ``mailboxes`` as the domain sees it."""
    values = dict(row._mapping)
    del values["address_key"]
    fault, send_fault = _fault_from("fault", values), _fault_from("send_fault", values)
    return Mailbox(**values, fault=fault, send_fault=send_fault)


def _fault_from(name: str, values: Values) -> SyncFault | None:
    cause, raw, fix, at = (values.pop(f"{name}_{part}") for part in _FAULT_PARTS)
    return SyncFault(cause, raw, fix, at) if cause is not None else None
