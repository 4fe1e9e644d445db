"""Functions and files that a reader holds in the head."""

from __future__ import annotations

import ast

from tests.architecture.source_tree import PRODUCT, name_of, python_files, syntax

MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_FILE = 450


def test_no_function_is_longer_than_sixty_lines() -> None:
    """Decorators and docstring count: it is what one has to scroll through."""
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in python_files(*PRODUCT, "sandbox", "bench", "tests")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
        and "/migrations/versions/" not in name_of(path)
    ]
    assert too_long == []


def test_no_file_of_the_product_is_longer_than_four_hundred_and_fifty_lines() -> None:
    """A longer one has two nouns in it."""
    too_long = [
        f"{name_of(path)}: {lines}"
        for path in python_files(*PRODUCT, "sandbox", "bench")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES_OF_A_FILE
    ]
    assert too_long == []
