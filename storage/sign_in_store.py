"""Sign-ins under way at a provider."""

from __future__ import annotations

from datetime import datetime

from core.ports.storage import SignInState
from storage.scope import Scope, columns_of, values_of
from storage.tables import sign_ins

_COLUMNS = columns_of(sign_ins, SignInState)


class SqlSignInStore:
    """Implements ``ports.SignInStore``. Only hashes of states are stored, as of tickets."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, state_hash: bytes, state: SignInState) -> None:
        await self._scope.insert(sign_ins, [{"state_hash": state_hash, **values_of(state)}])

    async def spend(self, state_hash: bytes, at: datetime) -> SignInState | None:
        good = (sign_ins.c.state_hash == state_hash, sign_ins.c.spent_at.is_(None), sign_ins.c.expires_at > at)
        if await self._scope.run(self._scope.update(sign_ins).where(*good).values(spent_at=at)) != 1:
            return None
        row = await self._scope.first(
            self._scope.select(sign_ins, *_COLUMNS).where(sign_ins.c.state_hash == state_hash)
        )
        return SignInState(*row) if row else None

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(sign_ins).where(sign_ins.c.expires_at < cutoff))
