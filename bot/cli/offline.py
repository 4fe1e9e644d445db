"""Commands that need neither settings nor database: classify and diagnose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.cli.grammar import Request
from bot.cli.source import Source


def answer_here(request: Request, source: Source) -> list[dict[str, Any]]:
    """One row per file or non-empty line, in the order given. Raises InputError where a file cannot be read."""
    args = request.args
    if request.verb == "diagnose":
        from core.services.diagnose import diagnose_lines

        return [dict(row) for row in diagnose_lines(args["lines"], args["layer"], args["host"])]
    from core.services.classify import classify_files, classify_lines

    if "lines" in args:
        return classify_lines(args["lines"])
    return classify_files(_read(args["files"], source), own_addresses=args["own"])


def _read(files: Sequence[str], source: Source) -> Iterator[tuple[str, bytes]]:
    for name in files:
        yield name, source.file(name)
