"""Counts of what went, holds, lowered caps, addresses that are never written to, what DNS said of domains."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from sqlalchemy import func, text, union_all

from core.domain.address import domain_of
from core.ports.storage import Hold, LearnedCap, Suppression, TrafficKey
from storage.scope import Scope, chunks, columns_of, values_of
from storage.tables import domain_checks, holds, learned_caps, suppressions, traffic

_HOLD = columns_of(holds, Hold)
_CAP = columns_of(learned_caps, LearnedCap)
_SUPPRESSION = columns_of(suppressions, Suppression)


class SqlTrafficStore:
    """Implements ``ports.TrafficStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def add(self, counts: Mapping[tuple[TrafficKey, datetime], int]) -> None:
        # In one order everywhere, so that two transactions can never wait for each other.
        ordered = sorted(counts.items(), key=lambda item: (item[0][0].scope, item[0][0].key, item[0][1]))
        rows = [
            {"scope": key.scope, "key": key.key, "bucket": bucket, "count": count}
            for (key, bucket), count in ordered
            if count
        ]
        await self._scope.add_up(traffic, rows, keys=("scope", "key", "bucket"), number="count")

    async def spans(self, keys: Collection[TrafficKey], since: datetime) -> dict[TrafficKey, dict[datetime, int]]:
        by_scope: dict[str, list[str]] = {}
        for key in keys:
            by_scope.setdefault(key.scope, []).append(key.key)
        # One question for each scope, so that each walks along the key; all of them at once.
        questions = [
            self._scope.select(traffic, traffic.c.scope, traffic.c.key, traffic.c.bucket, traffic.c.count).where(
                traffic.c.scope == scope, traffic.c.key.in_(some), traffic.c.bucket >= since
            )
            for scope, names in by_scope.items()
            for some in chunks(names)
        ]
        found: dict[TrafficKey, dict[datetime, int]] = {}
        if questions:
            rows = await self._scope.rows(union_all(*questions))
            for scope, name, bucket, count in sorted(rows, key=itemgetter(2)):
                found.setdefault(TrafficKey(scope, name), {})[bucket] = count
        return found

    async def lock(self, keys: Collection[TrafficKey]) -> None:
        """On PostgreSQL the locks end with the transaction; taken in one order, so that nobody waits in a circle."""
        if not self._scope.on_postgresql:
            return
        names = sorted({f"{self._scope.workspace}/{key.scope}/{key.key}" for key in keys})
        for name in names:
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7203114))").bindparams(name=name)
            await self._scope.first(statement)

    async def forget_before(self, cutoff: datetime, *, scopes: Collection[str] = ()) -> int:
        old = self._scope.delete(traffic).where(traffic.c.bucket < cutoff)
        return await self._scope.run(old.where(traffic.c.scope.in_(list(scopes))) if scopes else old)


class SqlHoldStore:
    """Implements ``ports.HoldStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def put(self, hold: Hold) -> None:
        await self.lift(hold.kind, hold.key, hold.code)
        await self._scope.insert(holds, [values_of(hold)])

    async def all(self) -> list[Hold]:
        statement = self._scope.select(holds, *_HOLD).order_by(holds.c.at, holds.c.kind, holds.c.key, holds.c.code)
        return [Hold(*row) for row in await self._scope.rows(statement)]

    async def lift(self, kind: str, key: str, code: str) -> bool:
        this = (holds.c.kind == kind, holds.c.key == key, holds.c.code == code)
        return await self._scope.run(self._scope.delete(holds).where(*this)) == 1

    async def put_cap(self, cap: LearnedCap) -> None:
        values = values_of(cap)
        changes = {name: value for name, value in values.items() if name != "mailbox_id"}
        await self._scope.put(learned_caps, values, key="mailbox_id", replace=changes)

    async def caps(self, now: datetime) -> dict[str, LearnedCap]:
        statement = self._scope.select(learned_caps, *_CAP).where(learned_caps.c.until > now)
        return {row.mailbox_id: LearnedCap(*row) for row in await self._scope.rows(statement)}


class SqlSuppressionStore:
    """Implements ``ports.SuppressionStore``. A domain's key is "@" and its name."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def put_many(self, new: Sequence[Suppression]) -> int:
        return await self._scope.insert_new(suppressions, [values_of(one) for one in new])

    async def among(self, keys: Collection[str]) -> dict[str, Suppression]:
        domains = {key: f"@{domain_of(key)}" for key in keys}
        found: dict[str, Suppression] = {}
        for some in chunks((*domains, *domains.values())):
            statement = self._scope.select(suppressions, *_SUPPRESSION).where(suppressions.c.key.in_(some))
            found.update((row.key, Suppression(*row)) for row in await self._scope.rows(statement))
        hits = {key: found.get(key) or found.get(domain) for key, domain in domains.items()}
        return {key: hit for key, hit in hits.items() if hit is not None}

    async def list(self, *, limit: int = 500) -> list[Suppression]:
        statement = self._scope.select(suppressions, *_SUPPRESSION).order_by(
            suppressions.c.at.desc(), suppressions.c.key
        )
        return [Suppression(*row) for row in await self._scope.rows(statement.limit(limit))]

    async def count(self) -> int:
        return int(await self._scope.scalar(self._scope.select(suppressions, func.count())))

    async def remove(self, key: str) -> bool:
        return await self._scope.run(self._scope.delete(suppressions).where(suppressions.c.key == key)) == 1


class SqlDomainCheckStore:
    """Implements ``ports.DomainCheckStore``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def known(self, domains: Collection[str], since: datetime) -> dict[str, str]:
        found: dict[str, str] = {}
        for some in chunks(domains):
            statement = self._scope.select(domain_checks, domain_checks.c.domain, domain_checks.c.mail)
            fresh = statement.where(domain_checks.c.domain.in_(some), domain_checks.c.at >= since)
            found.update(await self._scope.pairs(fresh))
        return found

    async def put_many(self, found: Mapping[str, str], at: datetime) -> None:
        for some in chunks(found):
            await self._scope.run(self._scope.delete(domain_checks).where(domain_checks.c.domain.in_(some)))
        await self._scope.insert(
            domain_checks, [{"domain": domain, "mail": mail, "at": at} for domain, mail in found.items()]
        )

    async def forget_before(self, cutoff: datetime) -> int:
        return await self._scope.run(self._scope.delete(domain_checks).where(domain_checks.c.at < cutoff))
