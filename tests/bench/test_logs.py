"""The files for other scorers, the pictures and the page."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dragoman.bench.crowd import Crowd
from dragoman.bench.lagging import Segment
from dragoman.bench.logs import LOG, REFERENCE, SCORER, SEGMENTS, segments_of, write_logs
from dragoman.bench.machine import About
from dragoman.bench.page import page
from dragoman.bench.plots import plots
from dragoman.bench.session import SessionFigures, figures_of
from dragoman.bench.step import Step, section, step_of
from dragoman.bench.units import CHARACTER, WORD
from tests.bench.conversations import conversation

OFFLINE = [Segment(0.0, 2.0, "uno dos"), Segment(3.0, 5.0, "tres cuatro")]
REFERENCES = [Segment(0.5, 4.5, "uno dos tres")]


def session(name: str = "n1-0", later_s: float = 0.0, unit: str = WORD) -> SessionFigures:
    clauses = [("uno dos", 0.0, 2.0, 2.5 + later_s), ("tres  <cuatro>", 3.0, 5.0, 6.0 + later_s)]
    return figures_of(name, conversation(*clauses), OFFLINE, REFERENCES, unit)


def step(*sessions: SessionFigures) -> Step:
    return step_of(sessions, Crowd(), (), WORD, transcribes=False)


def lines(path: Path) -> Iterator[dict[str, object]]:
    return map(json.loads, path.read_text(encoding="utf-8").splitlines())


def test_the_log_has_the_fields_that_scorers_know(tmp_path: Path) -> None:
    write_logs(tmp_path, [session()], WORD)
    first, second, third = lines(tmp_path / LOG)
    assert first == {"id": 0, "metadata": {"wav_name": "n1-0.wav"}}
    assert second == {
        "id": 0,
        "total_audio_processed": 2.0,
        "computation_time": 0.5,
        "generated_tokens": ["uno", "dos"],
        "deleted_tokens": [],
    }
    assert third["generated_tokens"] == ["tres", "<cuatro>"]


def test_the_references_are_written_where_every_recording_has_one(tmp_path: Path) -> None:
    write_logs(tmp_path, [session()], WORD)
    assert yaml.safe_load((tmp_path / SEGMENTS).read_text()) == [{"wav": "n1-0.wav", "offset": 0.5, "duration": 4.0}]
    assert (tmp_path / REFERENCE).read_text() == "uno dos tres\n"
    assert yaml.safe_load((tmp_path / SCORER).read_text()) == {"detokenizer_type": "simuleval", "latency_unit": "word"}


def test_else_the_offline_sentences_are(tmp_path: Path) -> None:
    heard = conversation(("uno", 0.0, 2.0, 2.5))
    mixed = [Segment(0.0, 2.0, "uno dos", counts=False), Segment(3.0, 5.0, "x")]
    assert segments_of(figures_of("a", heard, OFFLINE, mixed, WORD)) == OFFLINE
    assert segments_of(figures_of("a", heard, (), (), WORD)) == ()
    silent = figures_of("b", conversation(), OFFLINE, (), WORD)
    write_logs(tmp_path, [silent, figures_of("c", heard, OFFLINE, (), WORD)], CHARACTER)
    first, second = lines(tmp_path / LOG)
    assert first["metadata"] == {"wav_name": "c.wav"}
    assert second["generated_tokens"] == ["u", "n", "o"]
    assert (tmp_path / REFERENCE).read_text() == "unodos\ntrescuatro\n"


def test_pictures_are_drawn_of_what_was_heard() -> None:
    one, two = step(session()), step(session("n2-0"), session("n2-1", 1.0))
    assert list(plots([one])) == ["lag.png", "delays.png"]
    drawn = plots([one, two])
    assert list(drawn) == ["lag.png", "delays.png", "sessions.png"]
    assert all(data.startswith(b"\x89PNG") and len(data) > 5000 for data in drawn.values())
    assert plots([step(figures_of("a", conversation(), OFFLINE, (), WORD))]) == {}


def test_the_page_has_everything_in_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    about = About.here(["<talk>.wav"], ["http://server", "latency=low"])
    one = step(session())
    text = page(about, [section(one, 0.1)], [one], {"lag.png": b"picture"})
    assert "&lt;talk&gt;.wav" in text
    assert "tres  &lt;cuatro&gt;" in text
    assert "latency=low" in text
    assert "ear-voice span" in text
    assert "data:image/png;base64,cGljdHVyZQ==" in text
    assert 'src="http' not in text
    assert "href" not in text
