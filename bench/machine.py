"""What a figure has to be read with: how busy the machine was, and how the values are spread."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from tests.integration.mail import dovecot

DOVECOT = dovecot.BINARY


def conditions() -> str:
    """Cores, Python and the load of the last minute; a load above the cores means that others were working too."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {load:.1f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def need_dovecot() -> None:
    """Ends the bench with a sentence where there is no Dovecot to measure against."""
    if not Path(DOVECOT).exists():
        raise SystemExit(
            f"This bench needs a real Dovecot ({DOVECOT}; Debian: apt-get install dovecot-imapd): skipped."
        )
