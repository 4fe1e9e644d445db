"""The last look before a mail goes on the wire, where the database or the keys do not play along."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import text

from core.clock import SystemClock
from core.errors import StorageError
from core.ports.storage import Store, UnitOfWork
from core.services.cards import CardWriter
from core.services.credentials import CredentialService
from core.services.progress import Progress
from core.services.submission import Submission
from core.workers.sync import SyncWorker
from storage.sql_store import SqlStore
from tests.services.rig import ADA, Rig, make_outreach


class Unreadable:
    """A store that takes writes while reading fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, workspace: str) -> AbstractAsyncContextManager[UnitOfWork]:
        raise StorageError(f"{workspace} cannot be read.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def seal_with_another_key(store: SqlStore) -> None:
    async with store.database.writer.begin() as connection:
        await connection.execute(text("UPDATE credentials SET key_id = 'another'"))


async def test_credentials_that_no_key_opens_fail_the_stage_instead_of_trying_for_ever(
    rig: Rig, sqlite_store: SqlStore
) -> None:
    """The keys were changed: people hear of it, and the words name what is missing."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    await seal_with_another_key(sqlite_store)
    await rig.outreach.deliver(one)
    assert await rig.shows() == "Not Delivered 1 email_not_synced"
    assert "not among the keys given" in str((await rig.deliveries())[0].server_text)


async def test_what_fails_before_a_send_begins_is_not_tried_again_at_once(rig: Rig) -> None:
    """Else the queue is asked, and the log written, many times a second for as long as it goes on failing."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    tools = replace(rig.tools, store=cast(Store, Unreadable(rig.store)))
    progress = Progress(tools, CardWriter(tools))
    submission = Submission(rig.transport, CredentialService(tools, {}))
    outreach = make_outreach(tools, submission, progress)
    rig.clock.pass_time(seconds=1)  # the look that the claim took is too old
    with pytest.raises(StorageError):
        await outreach.deliver(one)
    assert await rig.states() == ["1.1 queued"]
    assert await rig.send_due() == 0
    rig.clock.pass_time(seconds=31)
    assert await rig.send_due() == 1


async def test_a_mailbox_whose_credentials_do_not_open_turns_red_with_the_words(
    rig: Rig, sqlite_store: SqlStore
) -> None:
    """It must not stay green while nobody reads it."""
    await rig.open(alert_after_s=0, alert_tries=1, retry_first_s=0.001)
    await seal_with_another_key(sqlite_store)
    worker = SyncWorker(rig.store, SystemClock(), rig.sync, random=lambda: 0.0)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(30):
            while (await rig.mailboxes.find(ADA, "rita@agency.test")).fault is None:
                rig.clock.pass_time(seconds=1)
                await rig.store.wait("nothing", 0.01)
    finally:
        stop.set()
        await running
    fault = (await rig.mailboxes.find(ADA, "rita@agency.test")).fault
    assert fault is not None
    assert "not among the keys given" in fault.raw
    assert (await rig.card("sync:")).facts["state"] == "broken"
