"""Import directions are contracts in pyproject.toml, held by ``make lint``; here is what a contract cannot say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.architecture.source_tree import PACKAGES, ROOT, name_of, python_files, syntax

PURE = ("core/domain/", "core/errors.py", "bot/slack/blocks/", "bot/slack/command_parser/", "bot/slack/action_ids.py")


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _runs(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: what stands under ``if TYPE_CHECKING`` is for the type checker only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _runs(child)


def _imports(path: Path, modules: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for node in _runs(syntax(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= named & modules or {node.module}
    return (found & modules) - {_module(path)}


def test_no_two_modules_import_each_other_even_by_a_detour() -> None:
    """A cycle among modules, imports inside functions included, is named from end to end."""
    paths = {_module(path): path for path in python_files("app.py", "bench", *PACKAGES)}
    modules = frozenset(paths)
    graph = {module: _imports(path, modules) for module, path in paths.items()}
    assert graph["app"], "the graph is empty: the check would pass on anything"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError("a cycle: " + " <- ".join(error.args[1])) from None


def test_pure_modules_never_wait_and_never_ask_the_time() -> None:
    """Rules and presenters take ``now`` as an argument and hold no coroutine."""
    seen, wrong = 0, []
    for path in python_files("core", "bot"):
        if not name_of(path).startswith(PURE):
            continue
        seen += 1
        for node in ast.walk(syntax(path)):
            waits = isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
            asks = isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".now", ".utcnow", ".today"))
            fetches = isinstance(node, ast.ImportFrom | ast.Import) and "urllib.request" in ast.unparse(node)
            if waits or asks or fetches:
                wrong.append(f"{name_of(path)}: {ast.unparse(node)[:80]}")
    assert seen > 30
    assert wrong == []
