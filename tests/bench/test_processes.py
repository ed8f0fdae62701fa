"""Processor time and memory of real processes."""

import os
import subprocess
import sys
import time

import pytest

from bench.child import in_child
from dragoman.bench.processes import Memory, Meter, children_cpu_s, cpu_s, family, family_cpu_s


def burn(seconds: float) -> float:
    until_s = time.process_time() + seconds
    while time.process_time() < until_s:
        pass
    return seconds


def test_own_processor_time_is_seen_from_outside() -> None:
    # The kernel counts the one in hundredths of a second.
    before_s, before_seen_s = time.process_time(), cpu_s(os.getpid())
    burn(0.05)
    assert cpu_s(os.getpid()) - before_seen_s > 0.03
    seen_s = cpu_s(os.getpid())
    assert before_s - 0.02 < seen_s < time.process_time() + 0.02


def test_a_child_belongs_to_the_family() -> None:
    meter = Meter(os.getpid())
    code = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        pids = [process.pid for process in family(os.getpid())]  # servers of other tests may be among them
        assert pids[0] == os.getpid()
        assert child.pid in pids
        assert children_cpu_s(os.getpid()) >= 0.2
        assert family_cpu_s(os.getpid()) >= 0.2
        used, memory = meter.read(), Memory.of(os.getpid())
        child.communicate(b"\n")
    assert used.family_s >= 0.2
    assert used.machine_s >= 0.1
    assert used.wall_s > 0.1
    assert memory.rss > memory.children_rss > memory.children_uss > 0
    assert memory.uss > memory.children_uss


def test_a_function_runs_in_a_fresh_process() -> None:
    assert in_child(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        in_child(divmod, 1, 0)
