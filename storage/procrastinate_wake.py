"""Wake-ups between processes by procrastinate, on the same PostgreSQL.

A job says no more than "there is work of this topic". It is born in the transaction that made the work, so it exists
exactly where the work does, and any process that serves the topic takes it. Jobs carry no facts: one that is lost
or left behind by a killed process is made good by the next sweep.

A mailbox is read by one of several engines, and only that one can use a wake-up for it, while a job goes to any of
them. So what concerns mailboxes is also said aloud (NOTIFY, with the commit too), and every engine hears it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from storage.wake import LocalWake

_TASK = "rethread.wake"
_CHANNEL = "rethread_wake"
_HEARD_BY_ALL = "sync"
_RESTART_S = 1.0
_log = logging.getLogger(__name__)


class ProcrastinateDispatcher:
    """Implements ``wake.Dispatcher``; ``topics`` are those whose work this process does."""

    def __init__(self, url: URL, wake: LocalWake, topics: Collection[str]) -> None:
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=4))
        self._address = address
        self._wake = wake
        self._queues = [_queue(topic) for topic in topics]
        self._listens = _HEARD_BY_ALL in topics
        self._loops: list[asyncio.Task[None]] = []
        self._open = False

        async def tell(topic: str) -> None:
            wake.wake([topic])

        self._task = self._app.task(name=_TASK)(tell)

    async def start(self) -> None:
        """Raises StorageError where procrastinate's connections cannot be opened."""
        try:
            await self._app.open_async()
            await self._clear_stalled()
        except ConnectorException:
            await self._app.close_async()
            raise StorageError("The wake-up queue cannot be reached.", fix="Run: python app.py migrate") from None
        self._open = True
        if self._queues:  # none named would mean all: wake-ups for others would be taken, and end here
            self._loops.append(asyncio.create_task(self._work(), name="procrastinate worker"))
        if self._listens:
            self._loops.append(asyncio.create_task(self._listen(), name="wake-up listener"))

    async def announce(self, connection: AsyncConnection, topics: Collection[str]) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        for topic in sorted(topics):
            try:
                await self._task.configure(queue=_queue(topic), connection=raw).defer_async(topic=topic)
                if _queue(topic) == _queue(_HEARD_BY_ALL) and raw is not None:
                    await raw.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, topic))
            except (ConnectorException, psycopg.Error):
                raise StorageError("The wake-up could not be queued.") from None

    async def close(self) -> None:
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()
        if self._open:
            self._open = False
            await self._app.close_async()

    async def _work(self) -> None:
        """Runs the worker and starts it again when its connections break: meanwhile the sweeps find the work."""
        while True:
            try:
                await self._app.run_worker_async(
                    queues=self._queues,
                    concurrency=2,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    shutdown_graceful_timeout=1,
                )
            except Exception:
                _log.warning("the wake-up worker ended and is started again")
            await asyncio.sleep(_RESTART_S)

    async def _listen(self) -> None:
        """Hears what is said aloud, on a connection of its own; while that is broken, jobs and sweeps must do."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._address, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {_CHANNEL}")
                    self._wake.wake([_HEARD_BY_ALL])  # whatever was said before
                    async for notice in connection.notifies():
                        self._wake.wake([notice.payload])
            except psycopg.Error:
                _log.warning("the wake-up listener lost its connection and takes another")
            await asyncio.sleep(_RESTART_S)

    async def _clear_stalled(self) -> None:
        """Jobs of killed processes would stay in ``doing`` for ever."""
        for job in await self._app.job_manager.get_stalled_jobs(task_name=_TASK):
            await self._app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


def _queue(topic: str) -> str:
    return f"rethread.{topic.partition(':')[0]}"


async def install_schema(connection: AsyncConnection) -> None:
    """Procrastinate's own tables, where they are missing, in the caller's transaction."""
    present = await connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')")
    raw = (await connection.get_raw_connection()).driver_connection
    if present.scalar() is None and raw is not None:
        await raw.execute(SchemaManager.get_schema())
