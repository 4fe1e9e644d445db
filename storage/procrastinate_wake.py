"""Wake-ups between processes by procrastinate, on the same PostgreSQL.

A job says no more than "there is work of this topic". It is born in the transaction that made the work, so it exists
exactly where the work does, and any process that serves the topic takes it. Jobs carry no facts: one that is lost
or left behind by a killed process is made good by the next sweep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from storage.wake import LocalWake

_TASK = "rethread.wake"
_RESTART_S = 1.0
_log = logging.getLogger(__name__)


class ProcrastinateDispatcher:
    """Implements ``wake.Dispatcher``; ``topics`` are those whose work this process does."""

    def __init__(self, url: URL, wake: LocalWake, topics: Collection[str]) -> None:
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._app = App(connector=PsycopgConnector(conninfo=address, min_size=1, max_size=4))
        self._queues = [_queue(topic) for topic in topics]
        self._worker: asyncio.Task[None] | None = None
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
            self._worker = asyncio.create_task(self._work(), name="procrastinate worker")

    async def announce(self, connection: AsyncConnection, topics: Collection[str]) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        for topic in sorted(topics):
            try:
                await self._task.configure(queue=_queue(topic), connection=raw).defer_async(topic=topic)
            except ConnectorException:
                raise StorageError("The wake-up could not be queued.") from None

    async def close(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
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
