"""The collector's settings of a running server."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from core.collector import collect_seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_loaded_is_not_walked_again_and_collections_are_rare() -> None:
    collect_seldom()
    assert gc.get_freeze_count() > 1_000
    assert gc.get_threshold()[0] >= 10_000
    assert gc.isenabled()


def test_rings_of_objects_are_still_collected() -> None:
    collect_seldom()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1
