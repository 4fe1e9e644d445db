"""Writes what a campaign attaches into a folder."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from core.domain.campaign_file import is_file_name
from core.errors import InputError


def write_files(files: Mapping[str, str], folder: Path) -> list[str]:
    """``files`` are base64 by name. Returns the paths, in order. Raises InputError where one cannot be written; a file
    that is there is replaced."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in sorted(files.items()):
            if is_file_name(name):
                path = folder / name
                path.unlink(missing_ok=True)  # never through a link that lies there
                path.write_bytes(base64.b64decode(content))
                written.append(str(path))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(folder)) from None
    return written
