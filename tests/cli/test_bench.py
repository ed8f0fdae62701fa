"""`dragoman bench` as its users run it, on a server with the scripted engines."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman.cli.main import app
from dragoman.testing import RunningServer, reserved_port, running_server
from tests.cli.test_commands import dragoman
from tests.sdk.speech import as_wav, bursts
from tests.waiting import PATIENCE_S

KEY = "a-key-nobody-should-see"
SCRIPT = "Good morning to you. | es: Buenos días a usted.\nGood morning to you. | es: Buenos días a usted.\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    script = tmp_path_factory.mktemp("script") / "script.txt"
    script.write_text(SCRIPT, encoding="utf-8")
    settings = {"DRAGOMAN_ENGINES__SCRIPT": str(script), "DRAGOMAN_API_KEYS": KEY, "DRAGOMAN_LIMITS__SESSIONS": "2"}
    with running_server("scripted", environment=settings) as server:
        yield server


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audio")
    path = folder / "tone.wav"
    # With its pause it is long enough for three sessions to be there at once, though they begin one after the other.
    path.write_bytes(as_wav(bursts(1, 24000, length_s=0.7, pause_s=2.0), 24000))
    entry = {"audio": path.name, "language": "en", "transcript": "good morning", "references": {"es": "Buenos días."}}
    (folder / "recordings.json").write_text(json.dumps([entry]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ran(
    server: RunningServer, audio: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple["subprocess.CompletedProcess[str]", Path]:
    """One run with one session, then with three, of which the server takes two."""
    out = tmp_path_factory.mktemp("runs") / "out"
    options = ["--audio", audio, "--sessions", "1,3", "--pid", server.process.pid, "--latency", "low", "--out", out]
    done = dragoman("bench", server.url, *options, DRAGOMAN_BENCH_KEY=KEY)
    assert done.returncode == 0, done.stderr
    return done, out


def failed(*arguments: str) -> str:
    """What a run in this process that fails says of it."""
    done = CliRunner().invoke(app, ["bench", *arguments])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    return " ".join(done.stderr.split())


def document(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "latest.json").read_text(encoding="utf-8"))
    return read


def test_the_figures_of_a_run(ran: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    done, out = ran
    figures = document(out)["figures"]
    assert (figures["n1.refused"], figures["n1.broken"]) == (0, 0)
    assert (figures["n3.refused"], figures["n3.broken"]) == (1, 0)
    assert 0.3 < figures["n1.text_p50_s"] < PATIENCE_S
    assert figures["n1.ear_voice_p50_s"] == pytest.approx(figures["n1.lag_p50_s"] + 0.7, abs=0.2)
    assert figures["n1.laal_offline_s"] > figures["n1.laal_offline_unaware_s"] > 0
    assert (figures["n1.chrf_offline"], round(figures["n1.bleu_offline"])) == (100.0, 100)
    assert 0 < figures["n1.chrf_reference"] == figures["n1.chrf_reference_offline"] < 100
    assert "n1.wer" not in figures
    assert 0 < figures["n1.offline_rtf"] < PATIENCE_S
    assert 0 < figures["n1.cpu_ratio"] < PATIENCE_S
    assert figures["n1.rss_mib"] > 20
    for shown in ("ear-voice span", "StreamLAAL", "1 refused"):
        assert shown in " ".join(done.stdout.split())


def test_what_a_run_leaves_behind(ran: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    _, out = ran
    names = {path.name for path in out.iterdir()}
    assert {"lag.png", "delays.png", "sessions.png", "report.html", "sessions.jsonl", "segments.yaml"} <= names
    assert {"reference.txt", "scorer.yaml", "latest.json"} <= names
    details = document(out)["details"]
    assert details["server"]["engines"] == "scripted"
    assert [one["name"] for one in details["n3"]["sessions"]] == ["n3-0", "n3-1", "n3-2"]
    clauses = details["n1"]["sessions"][0]["clauses"]
    assert [clause["text"] for clause in clauses] == ["Buenos días a usted."]
    assert clauses[0]["source_start_s"] == pytest.approx(0.0, abs=0.1)
    assert clauses[0]["source_stop_s"] == pytest.approx(0.7, abs=0.15)


def test_the_key_is_written_nowhere(ran: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    done, out = ran
    assert KEY not in done.stdout + done.stderr
    assert [path.name for path in out.iterdir() if KEY.encode() in path.read_bytes()] == []
    assert "latency=low" in document(out)["about"]["arguments"]


def test_two_runs_are_compared(ran: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    path = ran[1] / "latest.json"
    done = dragoman("bench", "compare", path, path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"n1\.text_p50_s +\d\.\d+ +\d\.\d+ +1\.00", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("compare", "missing.json", "missing.json"), "missing.json"),
        (("http://127.0.0.1:1", "--sessions", "0"), "numbers of sessions"),
        (("http://127.0.0.1:1", "--sessions", "1,x"), "numbers of sessions"),
        (("nowhere://", "--sessions", "1"), "no address of a server"),
        (("http://127.0.0.1:1", "--audio", "missing.wav"), "cannot read missing.wav"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_line(arguments: tuple[str, ...], told: str) -> None:
    assert told in failed(*arguments)


def test_a_server_that_refuses_is_told(server: RunningServer, audio: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert "API key is not valid" in failed("run", server.url, "--audio", str(audio), "--key", "no", "--out", out)
    with reserved_port() as port:
        assert "Refused" in failed(f"http://127.0.0.1:{port}", "--audio", str(audio), "--out", out)
    options = ("--audio", str(audio), "--key", KEY, "--no-offline", "--out", out)
    assert "process" in failed(server.url, *options, "--pid", str(2**22 + 1))
    assert "latency must be one of" in failed(server.url, *options, "--latency", "none")
    assert not (tmp_path / "out").exists()


def test_word_errors_are_counted_where_nothing_is_translated(
    server: RunningServer, audio: Path, tmp_path: Path
) -> None:
    options = ["--audio", str(audio), "--target", "en", "--key", KEY, "--no-offline", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["bench", server.url, *options])
    assert done.exit_code == 0, done.stderr
    figures = document(tmp_path)["figures"]
    assert figures["n1.wer"] == 1.0  # "Good morning to you." for "good morning"
    assert "n1.chrf_offline" not in figures
    assert "n1.cpu_ratio" not in figures


def test_without_its_extra_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "sacrebleu.py").write_text("raise ModuleNotFoundError(name='sacrebleu')")
    done = dragoman("bench", "http://127.0.0.1:1", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "sacrebleu is not installed: run `pip install 'dragoman[bench]'`" in " ".join(done.stderr.split())


def test_without_arguments_it_explains_itself() -> None:
    done = CliRunner().invoke(app, ["bench", "--help"])
    assert all(word in done.stdout for word in ("run", "compare"))
