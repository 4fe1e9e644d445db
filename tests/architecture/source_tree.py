"""What the house checks look at: its own files, read as text and as syntax."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("app.py", "bot", "core", "storage")
PACKAGES = ("bot", "core", "storage", "sandbox")


def tracked() -> list[Path]:
    """Every file that belongs to the repository; in an unpacked archive, every file that is not a cache."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not _is_cache(path.relative_to(ROOT))]


def _is_cache(path: Path) -> bool:
    return any(part.startswith(".") and part != ".ci" for part in path.parts[:-1]) or "__pycache__" in path.parts


def python_files(*tops: str) -> Iterator[Path]:
    """The Python files under top-level names, ``app.py`` included where named."""
    for path in sorted(tracked()):
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops:
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
