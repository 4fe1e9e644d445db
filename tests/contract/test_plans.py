"""SQLite answers the questions of the hot paths from an index, never by reading a whole workspace."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Engine, event

from core.ports.filing import Filing, FilingHabit
from core.ports.storage import UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW

_WHOLE_WORKSPACE = re.compile(
    r"^(?:SCAN (?!workspaces)(?:deliveries|enrollments|people|person_addresses|messages|seen_messages|activities"
    r"|outbox|backfills|canaries|alerts)\b"
    # Mailboxes, campaigns and open alerts are few.
    r"|SEARCH (?!mailboxes|campaigns)\w+ "
    r"USING (?!INDEX (?:ix_deliveries_sending|ix_outbox_unposted|ix_alerts_unresolved)).* \(workspace=\?\))"
)


async def ask_everything_hot(uow: UnitOfWork) -> None:
    await uow.deliveries.claim_due(NOW, limit=5)
    await uow.deliveries.by_message_ids(["a", "b"])
    await uow.deliveries.open_of("e1")
    await uow.deliveries.latest_of("e1", 1)
    await uow.deliveries.lock(["d1", "d2"])
    await uow.deliveries.furthest_stages(["e1", "e2"])
    await uow.deliveries.bounced_recipients(["e1", "e2"])
    await uow.deliveries.raws(["d1", "d2"])
    await uow.deliveries.waiting_addresses("address_check", limit=5)
    await uow.enrollments.lock(["e1", "e2"])
    await uow.enrollments.running(["e1", "e2"])
    await uow.deliveries.latest_accepted("mb1")
    await uow.deliveries.sending()
    await uow.deliveries.checks_due(NOW)
    await uow.deliveries.hold_back("c1", waiting_for="campaign")
    await uow.deliveries.release("campaign", not_before=NOW)
    await uow.bulk.out_of_step()
    await uow.deliveries.failed_of("c1")
    await uow.deliveries.failed_of_mailbox("mb1", reason="email_not_synced", since=NOW)
    await uow.deliveries.count_failed_of_mailbox("mb1", reason="email_not_synced", since=NOW)
    await uow.stages.reminders_due(NOW)
    await uow.stages.cards_over()
    await uow.stages.texts_to_ask(NOW)
    await uow.canaries.last_sent()
    await uow.alerts.newest_open("sync", "credentials_rejected", limit=50)
    await uow.people.ids_by_keys(["a", "b"])
    await uow.people.known(["a", "b"])
    await uow.people.known(["a", "b"], variants=True)
    await uow.messages.seen_counts(["mb1", "mb2"])
    await uow.backfills.due(NOW)
    await uow.filings.newest(["mb1", "mb2"], after=NOW, before=NOW)
    await uow.filings.mails(Filing("mb1", FilingHabit.OURS, NOW, "d1", NOW), before=NOW, limit=5)
    await uow.people.get_many(["p1", "p2"])
    await uow.messages.stream("p1")
    await uow.enrollments.find("c1", "p1")
    await uow.enrollments.of_person("p1")
    await uow.enrollments.events("e1")
    await uow.folders.list("mb1")
    await uow.outbox.claim(NOW, limit=5, token="t")
    await uow.outbox.keys_with_prefix("alert:")
    await uow.alerts.current("sync:mb1")
    await uow.reports.prospects("c1")
    await uow.reports.stage_counts("c1")
    await uow.reports.status_counts(["c1"])


async def test_no_hot_question_reads_a_whole_workspace(sqlite_store: SqlStore) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        async with sqlite_store.write("T1") as uow:
            await ask_everything_hot(uow)
        for topic in ("outreach", "checks", "notifications"):
            await sqlite_store.workspaces_with_work(topic, NOW)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    questions = {statement: parameters for statement, parameters in asked if not statement.startswith("BEGIN")}
    assert len(questions) > 25
    slow = []
    async with sqlite_store.database.reader.connect() as connection:
        for statement, parameters in questions.items():
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            rows = await raw.driver_connection.execute_fetchall(f"EXPLAIN QUERY PLAN {statement}", parameters)
            slow += [f"{step}: {statement}" for *_, step in rows if _WHOLE_WORKSPACE.match(step)]
    assert slow == []


async def test_the_number_of_queries_does_not_grow_with_the_batch(sqlite_store: SqlStore) -> None:
    counts = []
    for size in (2, 200):
        executed: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any, log: list[str] = executed) -> None:
            log.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        async with sqlite_store.read("T1") as uow:
            await uow.people.ids_by_keys([f"p{n}@candidates.example" for n in range(size)])
            await uow.people.known([f"p{n}@candidates.example" for n in range(size)])
            await uow.people.known([f"p{n}@candidates.example" for n in range(size)], variants=True)
            await uow.people.get_many([f"p{n}" for n in range(size)])
            await uow.messages.seen_counts([f"mb{n}" for n in range(size)])
            await uow.deliveries.by_message_ids([f"{n}@agency.test" for n in range(size)])
        event.remove(Engine, "before_cursor_execute", note)
        counts.append(len(executed))
    assert counts[0] == counts[1]
