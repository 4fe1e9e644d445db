"""Python's cyclic garbage collector, set for a server that reads mail."""

from __future__ import annotations

import gc

_YOUNG = 10_000


def collect_seldom() -> None:
    """Call once, when the modules are loaded. What is there by then is never looked at again, and collections come
    after 10,000 new objects instead of 700: a batch of mail is thousands of objects that live just long enough to be
    walked again and again. A first sync takes a third less time so (bench/README.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
