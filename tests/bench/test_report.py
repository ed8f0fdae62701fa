"""What a run leaves behind: tables, a JSON file, and the comparison of two."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench.cli import main
from dragoman.bench.compare import grid, ratios
from dragoman.bench.machine import About
from dragoman.bench.percentiles import METHOD, Spread
from dragoman.bench.report import LATEST, Grid, Section, read, write

ABOUT = About(
    date="2026-01-02T03:04:05+00:00",
    revision="abc1234",
    cores=2,
    processor="a processor",
    memory_gib=8.0,
    system="Linux 6",
    python="CPython 3.11",
    packages={"numpy": "2"},
    load=0.1,
    audio=["one.wav"],
    arguments=["--quick"],
)


def section(p50_s: float) -> Section:
    grid = Grid("A table", ["name", "s"], [["text", f"{p50_s:.2f}"]], "a note")
    return Section("delay", [grid], {"p50_s": p50_s}, {"spread": Spread.of([p50_s])})


def test_a_run_is_written_under_its_date_and_as_the_latest(tmp_path: Path) -> None:
    path = write(tmp_path / "out", ABOUT, [section(0.1234567)])
    assert path.name == "2026-01-02-0304.json"
    assert (tmp_path / "out" / LATEST).read_bytes() == path.read_bytes()
    document = json.loads(path.read_text())
    assert document["about"]["cores"] == 2
    assert document["percentiles"] == METHOD
    assert document["figures"] == {"delay.p50_s": 0.12346}
    assert document["details"]["delay"]["spread"]["count"] == 1
    assert read(path) == document


def test_a_table_shows_its_cells_and_its_note() -> None:
    out = io.StringIO()
    section(1.5).grids[0].show(Console(file=out, width=60))
    assert all(word in out.getvalue() for word in ("A table", "name", "text", "1.50", "a note"))


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"about": {}}'])
def test_what_is_no_run_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="run"):
        read(path)


def test_figures_are_paired_by_name() -> None:
    assert ratios({"a": 1.0, "b": 2.0}, {"b": 3.0, "c": 4.0}) == [("a", 1.0, None), ("b", 2.0, 3.0), ("c", None, 4.0)]


def test_two_runs_side_by_side() -> None:
    rows = grid({"figures": {"a_s": 2.0, "zero": 0.0}}, {"figures": {"a_s": 3.0, "zero": 1.0}}).rows
    assert rows[-2:] == [["a_s", "2.000", "3.000", "1.50"], ["zero", "0.000", "1.000", "–"]]


def test_compare_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [write(tmp_path / name, ABOUT, [section(value)]) for name, value in (("a", 1.0), ("b", 2.0))]
    main(["compare", *map(str, paths)])
    assert "2.00" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="missing"):
        main(["compare", str(paths[0]), str(tmp_path / "missing.json")])


def test_an_unknown_section_is_refused() -> None:
    with pytest.raises(SystemExit, match="no such section: speed"):
        main(["--only", "delay,speed"])


def test_the_circumstances_of_a_run() -> None:
    about = About.here(["one.wav"], [])
    assert about.cores >= 1
    assert about.memory_gib > 0.1
    assert about.processor
    assert about.python.startswith("CPython 3")
    assert len(about.lines()) == 2
