"""Services on a real database: SQLite for most, both where rows are fought over."""

from __future__ import annotations

import pytest

from storage.sql_store import SqlStore
from tests.services.rig import Rig


@pytest.fixture
def rig(sqlite_store: SqlStore) -> Rig:
    return Rig.on(sqlite_store)


@pytest.fixture
def rig_on_both(store: SqlStore) -> Rig:
    return Rig.on(store)
