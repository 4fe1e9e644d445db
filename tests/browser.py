"""The browser that tests drive: whichever Chromium the machine has, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

PATIENCE_MS = 30_000
"""How long anything on a page may take to come: a machine under load is slow, and only a failure waits it out."""

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


def chromium() -> str | None:
    """The path of a Chromium on this machine, or None."""
    fixed = Path("/usr/bin/chromium")
    return str(fixed) if fixed.exists() else shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A headless Chromium until the block ends. Without one the test is skipped, in continuous integration failed."""
    path = chromium()
    if path is None:
        reason = "no Chromium at /usr/bin/chromium or on PATH"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        await started.close()
