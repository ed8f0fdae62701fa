"""Processor time and memory of a process with its children, and of the whole machine."""

import platform
import time
from dataclasses import dataclass

import psutil


def cpu_s(pid: int) -> float:
    """Processor seconds that the living process has used in all its threads; nanoseconds count where that can be."""
    if platform.system() == "Linux":
        # The clock of another process as clock_getcpuclockid(3) makes it; /proc counts in hundredths of a second only.
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def family(pid: int) -> list[psutil.Process]:
    """The process and all its descendants."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def family_cpu_s(pid: int) -> float:
    """Processor seconds of a process and all its living descendants."""
    return sum(cpu_s(process.pid) for process in family(pid))


def children_cpu_s(pid: int) -> float:
    """Processor seconds of all living descendants."""
    return sum(cpu_s(process.pid) for process in family(pid)[1:])


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process and its descendants. `rss` counts shared pages in each; `uss` counts what is nobody else's."""

    rss: int
    uss: int
    children_rss: int
    children_uss: int

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """What they hold now."""
        parent, *children = [process.memory_full_info() for process in family(pid)]
        rss, uss = sum(info.rss for info in children), sum(info.uss for info in children)
        return cls(parent.rss + rss, parent.uss + uss, rss, uss)


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds used between two moments `wall_s` apart: by the whole machine, and by one family of it.

    `machine_s` includes what a hypervisor gave to others.
    """

    wall_s: float
    family_s: float
    machine_s: float

    @property
    def family_cores(self) -> float:
        """Mean number of cores that the family kept busy."""
        return self.family_s / self.wall_s

    def others_cores(self, known_s: float) -> float:
        """Mean number of cores that were busy with anything but the family and `known_s` seconds of somebody known."""
        return max(0.0, self.machine_s - self.family_s - known_s) / self.wall_s


class Meter:
    """Started at its making; `read` tells what was used since then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._wall_s, self._family_s, self._machine_s = self._now()

    def read(self) -> Usage:
        wall_s, family_s, machine_s = self._now()
        return Usage(wall_s - self._wall_s, family_s - self._family_s, machine_s - self._machine_s)

    def _now(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        busy_s = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        return time.monotonic(), family_cpu_s(self._pid), busy_s - getattr(times, "guest_nice", 0.0)
