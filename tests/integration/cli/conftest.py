"""A terminal whose commands meet real services on a real SQLite file."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from app import make_command_services
from bot.cli.executor import Services
from bot.cli.main import CheckLine, Console, Operations, run
from core.assembly import MailWorld, make_tools, make_use_cases
from core.domain.dns_checks import DomainReport
from core.errors import DatabaseInUseError
from core.mail.dns import Resolver
from core.services.deliverability import DeliverabilityService
from storage.sql_store import SqlStore
from tests.stores import SteadyClock


def services_on(store: SqlStore) -> Services:
    """As the composition root joins them, in a world without mail servers."""
    clock = SteadyClock()
    nowhere = MailWorld(None, None, None)  # type: ignore[arg-type]
    return make_command_services(store, make_use_cases(make_tools(store, clock), nowhere), clock)


@dataclass
class Terminal:
    """Runs command lines; ``locked`` is how many times the database is found in use before it can be opened."""

    services: Services | None = None
    socket: Path | None = None
    dns: str = ""
    locked: int = 0
    checks: list[CheckLine] = field(default_factory=list)
    opened: int = 0
    out: str = ""
    err: str = ""

    async def run(self, *argv: str, stdin: bytes = b"") -> int:
        console = Console(io.BytesIO(stdin), io.StringIO(), io.StringIO())
        # A terminal is another process: here it is a thread with a loop of its own.
        status = await asyncio.to_thread(run, argv, self._operations(), console)
        self.out, self.err = cast(io.StringIO, console.stdout).getvalue(), cast(io.StringIO, console.stderr).getvalue()
        return status

    async def json(self, *argv: str) -> Any:
        """The one document on the standard output of a command that succeeds."""
        assert await self.run(*argv, "--json") == 0, self.err
        assert self.err == ""
        return json.loads(self.out)

    def _operations(self) -> Operations:
        async def migrate() -> dict[str, Any]:
            return {"revision": "0003"}

        async def check() -> list[CheckLine]:
            return self.checks

        async def check_domain(domain: str, selectors: Sequence[str]) -> DomainReport:
            return await DeliverabilityService(Resolver(SteadyClock(), server=self.dns)).check_domain(domain, selectors)

        return Operations(
            serve=lambda role: 7 if role == "bot" else 0,
            migrate=migrate,
            check=check,
            check_domain=check_domain,
            control_path=lambda: self.socket,
            open_services=self._open,
        )

    def _open(self) -> AbstractAsyncContextManager[Services]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Services]:
            self.opened += 1
            if self.opened <= self.locked:
                raise DatabaseInUseError("Another process has this database open.")
            assert self.services is not None
            yield self.services

        return opened()


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()
