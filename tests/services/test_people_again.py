"""The same people file a second time, as ``campaign enroll --people`` brings it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import pytest
from sqlalchemy import select

from storage.sql_store import SqlStore
from storage.tables import people
from tests.services.rig import ADA, RITA, Rig

HEAD = "first_name,last_name,personal_email,work_email,primary,phone,timezone,company\n"
ROW = "Maya,Lind,maya@home.example,maya@work.example,work,+44 20 7946 0000,Europe/London,Lind & Co\n"


async def changed_at(store: SqlStore) -> datetime:
    async with store.database.reader.connect() as connection:
        return cast(datetime, await connection.scalar(select(people.c.updated_at)))


async def test_a_file_that_says_nothing_new_writes_nothing(rig: Rig, sqlite_store: SqlStore) -> None:
    """Ten thousand known people must not hold up whoever else wants to write."""
    await rig.people.import_csv(RITA, (HEAD + ROW).encode())
    before = await changed_at(sqlite_store)
    rig.clock.pass_time(hours=1)
    again = await rig.people.import_csv(RITA, (HEAD + ROW).encode())
    assert (again.created, again.updated) == (0, 1)
    fewer = await rig.people.import_csv(RITA, b"first_name,work_email\n,maya@work.example\n")
    assert (fewer.created, fewer.updated) == (0, 1)
    assert await changed_at(sqlite_store) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Maya", "Maja"),
        ("Lind,", "Lindt,"),
        ("Lind & Co", "Berg & Co"),
        ("Europe/London", "Europe/Oslo"),
        (",work,", ",personal,"),
        ("maya@home.example", "maya@new.example"),
    ],
)
async def test_whatever_a_file_changes_is_stored(rig: Rig, old: str, new: str) -> None:
    await rig.people.import_csv(RITA, (HEAD + ROW).encode())
    await rig.people.import_csv(RITA, (HEAD + ROW.replace(old, new)).encode())
    person = (await rig.people.show(ADA, "maya@work.example")).person
    assert person.primary is not None
    found = {person.first_name, f"{person.last_name},", person.timezone, person.fields["company"]}
    found |= {address.address for address in person.addresses} | {f",{person.primary.type},"}
    assert new in found
