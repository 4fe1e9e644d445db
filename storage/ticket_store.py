"""One-time permissions to connect a mailbox."""

from __future__ import annotations

from datetime import datetime

from core.ports.storage import ConnectTicket
from storage.scope import Scope, columns_of, values_of
from storage.tables import tickets

_COLUMNS = columns_of(tickets, ConnectTicket)


class SqlTicketStore:
    """Implements ``ports.TicketStore``. Only hashes of tokens are stored (threat T4)."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, token_hash: bytes, ticket: ConnectTicket) -> None:
        await self._scope.insert(tickets, [{"token_hash": token_hash, **values_of(ticket)}])

    async def get(self, token_hash: bytes) -> ConnectTicket | None:
        statement = self._scope.select(tickets, *_COLUMNS)
        row = await self._scope.first(statement.where(tickets.c.token_hash == token_hash))
        return ConnectTicket(*row) if row else None

    async def spend(self, token_hash: bytes, at: datetime) -> bool:
        good = (tickets.c.token_hash == token_hash, tickets.c.spent_at.is_(None), tickets.c.expires_at > at)
        return await self._scope.run(self._scope.update(tickets).where(*good).values(spent_at=at)) == 1

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(tickets).where(tickets.c.expires_at < cutoff))
