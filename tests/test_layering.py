"""Imports go down, never up, and never sideways between two vendors. See docs/architecture.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT = {
    "config": {"config"},
    "models": {"models", "config"},
    "pipeline": {"pipeline", "models", "config"},
    "server": {"server", "pipeline", "models", "config", "the package itself"},
}
"""What each floor may see. The package itself has only `__version__`."""

ABOVE = {"cli": "cli", "testing": "testing", "bench": "the bench tool"}
"""Parts above the floors by folder or file; `bench` at the root is another one, and is not installed."""
OUTSIDE = {"tests", "bench", "demo"}
CLI_USERS = ("dragoman/cli/", "dragoman/__main__.py", "tests/")
VENDORS = ("gradium", "soniox", "sarvam", "palabra")
MAX_LINES = 400


def source_files() -> list[str]:
    """Every Python file of the repository, relative to its root; the links inside `dragoman/` are not followed."""
    paths = [path for part in ("*", "bench/**/*", "cli/**/*") for path in ROOT.glob(f"dragoman/{part}.py")]
    for folder in (*MAY_IMPORT, "tests", "bench", "demo", "scripts"):
        paths += ROOT.glob(f"{folder}/**/*.py")
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def folder_of(name: str) -> str:
    return name.partition("/")[0]


def imports(name: str, source: str) -> Iterator[str]:
    """Dotted names of the modules that the file imports, wherever in it; relative ones are made absolute."""
    # A floor's folder stands at the root and is imported as part of `dragoman`.
    inside = f"dragoman/{name}" if folder_of(name) in MAY_IMPORT else name
    package = inside.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from package import name` may name a module of the package; both readings are given.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str | None:
    """Which part of ours a dotted name belongs to; None for what is not ours."""
    first, _, rest = module.partition(".")
    if first in OUTSIDE:
        return first
    if first != "dragoman":
        return None
    part = rest.split(".")[0]
    return part if part in MAY_IMPORT else ABOVE.get(part, "the package itself")


def faults(name: str, source: str) -> list[str]:
    """What the file imports and must not."""
    floor = folder_of(name)
    found = []
    for module in imports(name, source):
        part = part_of(module)
        if floor in MAY_IMPORT and part is not None and part not in MAY_IMPORT[floor]:
            found.append(f"{name}: {floor} must not import {module}")
        if floor == "dragoman" and part in OUTSIDE:
            found.append(f"{name}: {module} is not installed with Dragoman")
        if module.split(".")[0] in MAY_IMPORT:
            found.append(f"{name}: {module} is called dragoman.{module}")
        if part == "cli" and not name.startswith(CLI_USERS):
            found.append(f"{name}: only the command line itself imports {module}")
        vendor = vendor_of(f"dragoman.{name.replace('/', '.')}")
        other = vendor_of(module)
        if vendor and other and vendor != other:
            found.append(f"{name}: {vendor} must not import {module} of {other}")
    return found


def vendor_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[3] if parts[:3] == ["dragoman", "server", "protocols"] and parts[3:4] != ["__init__"] else None


def test_every_floor_imports_only_what_is_below_it() -> None:
    assert [fault for name in source_files() for fault in faults(name, read(name))] == []


def test_every_floor_was_looked_at() -> None:
    assert {folder_of(name) for name in source_files()} >= {*MAY_IMPORT, "dragoman", "tests"}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("config/settings.py", "from dragoman.models.base import Voice"),
        ("config/settings.py", "import dragoman"),
        ("models/voices.py", "from dragoman import pipeline"),
        ("models/voices.py", "from ..server import app"),
        ("models/voices.py", "def late() -> None:\n    import dragoman.server.app"),
        ("pipeline/stages/hear.py", "from dragoman.server.auth import Gatekeeper"),
        ("pipeline/session.py", "from tests.fakes import engines"),
        ("pipeline/session.py", "from dragoman.testing import reserved_port"),
        ("server/app.py", "from dragoman.cli.main import app"),
        ("server/app.py", "import pipeline.session"),
        ("demo/demo.py", "from server.app import create_app"),
        ("demo/demo.py", "import dragoman.cli.main"),
        ("dragoman/testing.py", "from tests.fakes import engines"),
        ("dragoman/bench/run.py", "from bench.talk import Talk"),
        ("dragoman/bench/run.py", "from dragoman.cli.main import app"),
        ("server/app.py", "from dragoman.bench.percentiles import median"),
        ("server/protocols/one/adapter.py", "from dragoman.server.protocols.two.messages import Setup"),
        ("server/protocols/one/adapter.py", "from dragoman.server.protocols import two"),
        ("server/protocols/one/adapter.py", "from ..two import adapter"),
    ],
)
def test_what_must_not_be_imported_is_found(name: str, source: str) -> None:
    assert faults(name, source) != []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "models/voices.py",
            "import numpy\nfrom dragoman.config.settings import Settings\nfrom .base import Voice",
        ),
        ("server/app.py", "from dragoman import __version__\nfrom dragoman.server.protocols.one import routes"),
        ("server/protocols/one/adapter.py", "from dragoman.server.protocols.one import messages\nfrom . import setup"),
        ("dragoman/__main__.py", "from dragoman.cli.main import app"),
        ("dragoman/cli/bench.py", "from dragoman.bench.run import measure"),
        ("bench/cli.py", "from dragoman.bench.talk import join"),
    ],
)
def test_what_may_be_imported_is_let_through(name: str, source: str) -> None:
    assert faults(name, source) == []


def test_no_vendor_is_named_below_the_server() -> None:
    below = [name for name in source_files() if folder_of(name) in {"pipeline", "models", "config"}]
    assert [(name, vendor) for name in below for vendor in VENDORS if vendor in read(name).lower()] == []


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {name: len(read(name).splitlines()) for name in source_files()}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}
