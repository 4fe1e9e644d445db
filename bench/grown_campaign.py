"""Fills a SQLite file with one large campaign, by plain bulk inserts: the stores would take minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage

WORKSPACE, CAMPAIGN, STAGES = "T1", "Autumn", 10
_ID = "0199e0a0-0000-7000-{kind}-{number:012d}"
_START = datetime(2026, 1, 5, 9, tzinfo=UTC)
_REPLIES_EVERY = 10


def campaign() -> Campaign:
    """The campaign that ``grow`` fills; it goes in first, through the store."""
    stages = tuple(Stage(n + 1, "email", Delay(timedelta(days=1)), "A role", "Hi") for n in range(STAGES))
    return Campaign(
        _id("campaign", 1), WORKSPACE, CAMPAIGN, CampaignStatus.ACTIVE, 1, _START, ("rita@agency.test",), stages
    )


def grow(path: Path, prospects: int) -> None:
    """``prospects`` people, each with ``STAGES`` mails sent, or fewer and a reply; opens of half of the first mails."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        filler = _Filler(connection)
        filler.people(prospects)
        filler.outreach(prospects)
        connection.commit()
    finally:
        connection.close()


class _Filler:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns = {table: self._columns_of(table) for table in _TABLES}

    def people(self, count: int) -> None:
        self._insert(
            "people",
            (
                {"id": _id("person", n), "first_name": "Cleo", "last_name": str(n), "created_at": _at(0)}
                for n in range(count)
            ),
        )
        self._insert("person_addresses", (_address(n) for n in range(count)))

    def outreach(self, count: int) -> None:
        self._insert("enrollments", (_enrollment(n) for n in range(count)))
        self._insert("deliveries", (row for n in range(count) for row in _deliveries(n)))
        self._insert("enrollment_events", (row for n in range(count) for row in _events(n)))
        self._insert("engagements", (row for n in range(0, count, 2) for row in _engagements(n)))

    def _columns_of(self, table: str) -> dict[str, Any]:
        """Column to the value that it has where nobody gives one."""
        info = self._connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        numbers = ("INTEGER", "BIGINT", "BOOLEAN", "SMALLINT")
        return {
            name: WORKSPACE if name == "workspace" else (0 if kind in numbers else "") if needed else None
            for _, name, kind, needed, _, key in info
            if name != "seq"
        }

    def _insert(self, table: str, rows: Any) -> None:
        empty = self._columns[table]
        marks = ", ".join(f":{name}" for name in empty)
        columns = ", ".join(f'"{name}"' for name in empty)
        self._connection.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', ({**empty, **row} for row in rows)
        )


_TABLES = (
    "people", "person_addresses", "enrollments", "deliveries", "enrollment_events", "engagements",
)  # fmt: skip


def _id(kind: str, number: int) -> str:
    kinds = {"campaign": "8001", "person": "8002", "enrollment": "8003", "delivery": "8004"}
    return _ID.format(kind=kinds[kind], number=number)


def _at(minutes: float) -> str:
    """A moment as SQLite's column holds it."""
    return (_START + timedelta(minutes=minutes)).isoformat(" ", "microseconds")[:26]


def _replied_at_stage(number: int) -> int | None:
    return number // _REPLIES_EVERY % STAGES + 1 if number % _REPLIES_EVERY == 0 else None


def _address(number: int) -> dict[str, Any]:
    address = f"p{number}@candidates.example"
    return {
        "person_id": _id("person", number), "address": address, "key": address, "loose_key": address,
        "type": "personal", "primary": 1, "added_at": _at(0),
    }  # fmt: skip


def _enrollment(number: int) -> dict[str, Any]:
    status = "Replied" if _replied_at_stage(number) else "Complete"
    return {
        "id": _id("enrollment", number), "campaign_id": _id("campaign", 1), "person_id": _id("person", number),
        "status": status, "stage": STAGES, "version": 1, "created_at": _at(number / 1_000),
    }  # fmt: skip


def _deliveries(number: int) -> Iterator[dict[str, Any]]:
    for stage in range(1, STAGES + 1):
        at = _at(stage * 1_440 + number / 100)
        yield {
            "id": _id("delivery", number * STAGES + stage), "enrollment_id": _id("enrollment", number),
            "campaign_id": _id("campaign", 1), "stage": stage, "series": 1, "state": "sent", "version": 4,
            "created_at": at, "due_at": at, "sent_at": at, "kind": "email",
            "recipient": f"p{number}@candidates.example", "subject": "A role",
            "message_id": f"{number}.{stage}.0123456789abcdef@agency.test",
        }  # fmt: skip


def _events(number: int) -> Iterator[dict[str, Any]]:
    for stage in range(1, STAGES + 1):
        yield _event(number, "release", "Active", stage, stage * 1_440 + number / 100)
    answered = _replied_at_stage(number)
    if answered is not None:
        yield _event(number, "reply", "Replied", answered, answered * 1_440 + number / 100 + 60)


def _event(number: int, event: str, status: str, stage: int, minutes: float) -> dict[str, Any]:
    return {
        "enrollment_id": _id("enrollment", number), "at": _at(minutes), "event": event, "status": status,
        "stage": stage, "actor": "engine", "evidence": "250 2.0.0 Ok",
    }  # fmt: skip


def _engagements(number: int) -> Iterator[dict[str, Any]]:
    for kind, target in (("open", ""), ("click", "https://agency.test/role")):
        yield {
            "delivery_id": _id("delivery", number * STAGES + 1), "kind": kind, "target": target,
            "machine": number % 3 == 0,
            "at": _at(1_500 + number / 100), "enrollment_id": _id("enrollment", number),
            "campaign_id": _id("campaign", 1), "stage": 1, "agent": "Mozilla/5.0",
        }  # fmt: skip
