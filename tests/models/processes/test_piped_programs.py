"""Pipelines of ordinary programs: the ways to break, and that nothing is left behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from dragoman.models.engines.apertium.nul_pipeline import NulPipeline
from dragoman.models.processes.piped_programs import ProgramsBroken
from tests.waiting import PATIENCE_S, until


def pipeline(*commands: list[str]) -> NulPipeline:
    return NulPipeline(commands, os.environ)


@pytest.fixture
def cats() -> Iterator[NulPipeline]:
    three = pipeline(["cat"], ["cat"], ["cat"])
    three.start()
    yield three
    three.close()


def test_answers_each_question(cats: NulPipeline) -> None:
    for question in (b"one", b"", "zwölf".encode(), b"two\nlines"):
        assert cats.exchange(question, PATIENCE_S) == question


def test_large_question_meets_its_own_answer(cats: NulPipeline) -> None:
    question = bytes(range(1, 256)) * 20_000  # 5 MB: much more than the pipes hold
    assert cats.exchange(question, PATIENCE_S) == question


def has_its_own_pipes_only(process_id: int) -> bool:
    return {fd.name for fd in Path(f"/proc/{process_id}/fd").iterdir()} == {"0", "1", "2"}


def test_programs_see_their_own_pipes_only(cats: NulPipeline) -> None:
    other = pipeline(["cat"], ["cat"])
    other.start()
    try:
        for process_id in cats.process_ids + other.process_ids:
            # A program that has just begun still has its libraries open.
            until(partial(has_its_own_pipes_only, process_id), "it has its own pipes only")
    finally:
        other.close()


@pytest.mark.parametrize("position", range(3))
def test_death_of_any_program(cats: NulPipeline, position: int) -> None:
    os.kill(cats.process_ids[position], signal.SIGKILL)
    with pytest.raises(ProgramsBroken, match="a program ended"):
        cats.exchange(b"hello", PATIENCE_S)
    cats.close()
    assert not cats.running
    cats.start()
    assert cats.exchange(b"hello", PATIENCE_S) == b"hello"


def test_death_names_the_program() -> None:
    failing = pipeline(["sh", "-c", "read line; exit 3"])
    failing.start()
    with pytest.raises(ProgramsBroken, match="sh with status 3"):
        failing.exchange(b"hello\n", PATIENCE_S)
    failing.close()


def test_hanging_program() -> None:
    hanging = pipeline(["cat"], ["sleep", "60"])
    hanging.start()
    process_ids = hanging.process_ids
    with pytest.raises(ProgramsBroken, match=r"no answer within 0\.05 s"):
        hanging.exchange(b"hello" * 100_000, 0.05)
    hanging.close()
    assert not [process_id for process_id in process_ids if psutil.pid_exists(process_id)]


def test_trickling_program_does_not_outlast_the_timeout() -> None:
    endless = pipeline(["yes"])
    endless.start()
    with pytest.raises(ProgramsBroken, match="no answer"):
        endless.exchange(b"", 0.05)
    endless.close()


def test_program_that_cannot_be_started(tmp_path: Path) -> None:
    before = psutil.Process().children()
    absent = pipeline(["cat"], [str(tmp_path / "absent")])
    with pytest.raises(ProgramsBroken, match="cannot start absent"):
        absent.start()
    assert not absent.running
    assert psutil.Process().children() == before


def test_close_leaves_no_process_and_can_be_repeated(cats: NulPipeline) -> None:
    process_ids = cats.process_ids
    assert len(process_ids) == 3
    cats.close()
    cats.close()
    assert not [process_id for process_id in process_ids if psutil.pid_exists(process_id)]


def test_started_twice(cats: NulPipeline) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        cats.start()


def test_killed_from_another_thread() -> None:
    slow = pipeline(["sleep", "60"])
    slow.start()
    threading.Thread(target=slow.kill).start()
    with pytest.raises(ProgramsBroken, match="sleep with status -9"):
        slow.exchange(b"", 60)
    assert slow.dead
    slow.close()
    assert not slow.dead


def test_any_fault_at_the_start_leaves_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def second_fails(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        if started:
            raise MemoryError
        started.append(start(*arguments, **options))
        return started[0]

    two = pipeline(["cat"], ["cat"])
    monkeypatch.setattr("subprocess.Popen", second_fails)
    with pytest.raises(MemoryError):
        two.start()
    assert not two.running
    assert started[0].returncode == -signal.SIGKILL
