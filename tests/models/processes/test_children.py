"""Children that answer, die, hang and refuse, one by one and many at once."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from dragoman.models.errors import EngineFailed, TextRefused
from dragoman.models.processes.children import ChildPool, ChildRefused
from tests.waiting import PATIENCE_S, until

LONG_S = 60.0
"""More than any answer takes; what hangs is given less."""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., ChildPool]]:
    pools: list[ChildPool] = []

    def build(at_start: str = "", **options: Any) -> ChildPool:
        pools.append(ChildPool("fake", "tests.fakes.child", [str(tmp_path), at_start], **options))
        return pools[-1]

    yield build
    for pool in pools:
        pool.close()


def ask(pool: ChildPool, what: str, text: str = "x", limit_s: float = LONG_S) -> str:
    return pool.ask([what, text], limit_s).decode()


def test_answers(make: Callable[..., ChildPool]) -> None:
    pool = make()
    for text in ("one", "zwölf", "", "two\nlines\0", "\ud800", "x" * 1_000_000):
        assert pool.ask(["say", text], LONG_S) == text.upper().encode("utf-8", "surrogatepass")


def test_one_after_the_other_needs_one_child(make: Callable[..., ChildPool]) -> None:
    pool = make(most=3)
    assert pool.process_ids == []
    assert {ask(pool, "who") for _ in range(10)} == {str(pool.process_ids[0])}
    assert len(pool.process_ids) == 1


def test_many_threads_get_their_own_answers(make: Callable[..., ChildPool]) -> None:
    pool = make(most=3)
    with ThreadPoolExecutor(8) as threads:
        texts = [f"text {number}" for number in range(300)]
        assert list(threads.map(lambda text: ask(pool, "say", text), texts)) == [text.upper() for text in texts]
    assert 1 <= len(pool.process_ids) <= 3


def test_what_is_refused_is_told_and_the_child_goes_on(make: Callable[..., ChildPool]) -> None:
    pool = make()
    child = ask(pool, "who")
    with pytest.raises(ChildRefused, match=r"^no such library$"):
        ask(pool, "refuse")
    with pytest.raises(ChildRefused, match=r"^MemoryError$"):
        ask(pool, "silent refusal")
    assert ask(pool, "who") == child


def test_what_a_library_prints_is_no_answer(make: Callable[..., ChildPool]) -> None:
    assert ask(make(), "print", "noise" * 50_000) == "done"


@pytest.mark.parametrize("how", ["die", "abort", "exit"])
def test_a_text_is_tried_again_on_a_fresh_child(make: Callable[..., ChildPool], how: str) -> None:
    pool = make()
    first = ask(pool, "who")
    assert ask(pool, f"once {how}", "mark") == "done"
    assert ask(pool, "who") != first


@pytest.mark.parametrize("how", ["die", "abort", "exit", "hang"])
def test_only_a_text_that_ends_two_children_is_refused(make: Callable[..., ChildPool], how: str) -> None:
    pool = make()
    with pytest.raises(TextRefused, match="fake failed: this text ended its process 2 times"):
        ask(pool, how, limit_s=0.3 if how == "hang" else LONG_S)
    assert ask(pool, "say", "next") == "NEXT"


def test_a_text_that_hangs_holds_up_no_other(make: Callable[..., ChildPool]) -> None:
    pool = make(most=2)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(ask, pool, "hang")
        until(lambda: pool.process_ids, "a child was started")
        assert [ask(pool, "say", str(number)) for number in range(20)] == [str(number) for number in range(20)]
        assert not hanging.done()
        pool.close()
        with pytest.raises(EngineFailed, match="closed"):
            hanging.result()


def test_idle_children_that_were_killed_are_replaced(make: Callable[..., ChildPool]) -> None:
    pool = make(most=2)
    gate = threading.Barrier(2)

    def both(_: int) -> str:
        gate.wait(PATIENCE_S)
        return ask(pool, "print", "x" * 100)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(both, range(2)))
    for process_id in pool.process_ids:
        os.kill(process_id, signal.SIGKILL)
    assert ask(pool, "say", "one") == "ONE"


def test_a_child_killed_over_a_text_costs_nobody_anything(make: Callable[..., ChildPool]) -> None:
    pool = make(most=1)
    with ThreadPoolExecutor(1) as threads:
        for number in range(5):
            (child,) = pool.process_ids or [int(ask(pool, "who"))]
            os.kill(child, signal.SIGSTOP)  # it cannot answer before it is killed
            asked = threads.submit(ask, pool, "say", f"text {number}")
            os.kill(child, signal.SIGKILL)
            assert asked.result() == f"TEXT {number}"
            assert str(child) != ask(pool, "who")


@pytest.mark.parametrize("how", ["die", "exit", "hang"])
def test_a_child_that_never_starts_is_no_fault_of_a_text(
    make: Callable[..., ChildPool], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.models.processes.children.START_PATIENCE_S", 0.1)
    pool = make(how, start_timeout_s=0.3 if how == "hang" else LONG_S)
    for call in (pool.start, lambda: ask(pool, "say")):
        with pytest.raises(EngineFailed, match="its process does not start") as caught:
            call()
        assert not isinstance(caught.value, TextRefused)
    assert pool.process_ids == []


@pytest.mark.parametrize("how", ["die", "exit"])
def test_a_child_that_does_not_start_is_started_again(make: Callable[..., ChildPool], how: str) -> None:
    pool = make(f"3 times {how}")
    assert ask(pool, "say", "one") == "ONE"


def test_closing_ends_the_tries_to_start(make: Callable[..., ChildPool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.models.processes.children.START_PATIENCE_S", 3600.0)
    pool = make("die")
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, pool, "say")
        pool.close()
        with pytest.raises(EngineFailed, match="closed"):
            asked.result()


def test_a_child_that_cannot_work_says_why(make: Callable[..., ChildPool]) -> None:
    pool = make("refuse")
    for call in (pool.start, lambda: ask(pool, "say")):
        with pytest.raises(ChildRefused, match="no such library"):
            call()
    assert pool.process_ids == []


def test_other_modules_come_from_named_folders_only(make: Callable[..., ChildPool], tmp_path: Path) -> None:
    folder = tmp_path / 'a "folder", ünlike: others'
    folder.mkdir()
    for module in ("beside_the_library", "json"):
        (folder / f"{module}.py").touch()
    pool = make(paths=[str(folder)])
    assert ask(pool, "import", "beside_the_library") == str(folder / "beside_the_library.py")
    assert not ask(pool, "import", "json").startswith(str(folder))
    with pytest.raises(ChildRefused, match="numpy"):
        ask(pool, "import", "numpy")


def test_an_answer_out_of_step_reaches_nobody(make: Callable[..., ChildPool]) -> None:
    pool = make()
    with pytest.raises(TextRefused):
        ask(pool, "mangle")
    assert ask(pool, "say", "next") == "NEXT"


def test_a_program_that_cannot_be_started(make: Callable[..., ChildPool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.models.processes.children.START_PATIENCE_S", 0.0)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(EngineFailed, match="does not start"):
        make().start()


def test_a_child_makes_room_for_a_new_one_in_time(make: Callable[..., ChildPool]) -> None:
    pool = make(most=1, questions_each=3)
    children = [ask(pool, "who") for _ in range(9)]
    assert [children.count(child) for child in dict.fromkeys(children)] == [3, 3, 3]


def test_a_child_leaves_no_core_and_is_not_interrupted_with_us(make: Callable[..., ChildPool]) -> None:
    assert ask(make(), "limits") == "0 True"


def test_children_hold_no_descriptor_of_ours(make: Callable[..., ChildPool]) -> None:
    pool = make()
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        pool.start()
        descriptors = {fd.name for fd in Path(f"/proc/{pool.process_ids[0]}/fd").iterdir()}
        assert descriptors == {"0", "1", "2", "3"}  # the last is where answers go
    finally:
        os.close(read)
        os.close(write)


def open_files() -> set[str]:
    """This process's descriptors and what they are."""
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(FileNotFoundError):  # the one that was read from
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")  # noqa: PTH115
    return found


def test_nothing_is_left_behind(make: Callable[..., ChildPool]) -> None:
    gc.collect()
    before = open_files()
    pool = make(most=2)
    for _ in range(5):
        with pytest.raises(TextRefused):
            ask(pool, "die")
        ask(pool, "say")
    children = pool.process_ids
    pool.close()
    pool.close()
    assert not any(psutil.pid_exists(child) for child in children)
    assert open_files() <= before  # what earlier tests have left may go at any time
    with pytest.raises(EngineFailed, match="closed"):
        ask(pool, "say")


def test_who_waits_for_a_child_is_told_of_the_end(make: Callable[..., ChildPool]) -> None:
    pool = make(most=1)
    with ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(ask, pool, "hang") for _ in range(3)]
        until(lambda: pool.process_ids, "a child was started")
        pool.close()
        for one in asked:
            with pytest.raises(EngineFailed, match="closed"):
                one.result()
    assert pool.process_ids == []


def is_alive(process_id: int) -> bool:
    """Whether it runs; who is dead may stay in the table where nobody looks after orphans."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


PARENT = """
import os, sys, threading
from dragoman.models.processes.children import ChildPool
pool = ChildPool("fake", "tests.fakes.child", [sys.argv[1], ""], most=2)
threading.Thread(target=pool.ask, args=(["hang" if sys.argv[2] == "busy" else "say", "x"], 0.1), daemon=True).start()
while not pool.process_ids or sys.argv[2] == "idle" and not pool._idle:
    threading.Event().wait(0.005)
print(*pool.process_ids, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("what", ["idle", "busy"])
def test_children_end_with_their_parent_however_that_ends(tmp_path: Path, what: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), what]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    children = [int(process_id) for process_id in done.stdout.split()]
    assert children
    until(lambda: not any(map(is_alive, children)), "the children have ended")
