"""One run against a server: what it makes of the recordings offline, then so many sessions at once, step by step."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from dragoman.bench import report
from dragoman.bench.client import SessionFailed, Wish, endpoint_of
from dragoman.bench.crowd import hold
from dragoman.bench.logs import write_logs
from dragoman.bench.machine import About
from dragoman.bench.offline import Offline, translate_offline, wanted_along
from dragoman.bench.page import page
from dragoman.bench.plots import plots
from dragoman.bench.programme import SEED, programme
from dragoman.bench.quality import Pair
from dragoman.bench.recordings import Recording
from dragoman.bench.report import Section
from dragoman.bench.session import figures_of
from dragoman.bench.step import Step, section, step_of
from dragoman.bench.units import joined, unit_of

PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured. `pid` is the server's process where it is known and on this machine.

    `minutes`: the recordings are repeated until each session's talk has them. Not `offline`: nothing is compared with
    the offline text.
    """

    url: str
    recordings: Sequence[Recording]
    wish: Wish
    sizes: Sequence[int] = (1,)
    minutes: float = 0.0
    pid: int | None = None
    offline: bool = True


@dataclass(slots=True)
class Run:
    """What came of it. `serving` is what the server says of itself, where it does."""

    unit: str
    offline: Offline | None = None
    serving: Any = None
    steps: list[Step] = field(default_factory=list)

    def sections(self) -> Iterator[Section]:
        """As tables and figures."""
        factor = self.offline.factor if self.offline is not None else None
        yield from (section(step, factor) for step in self.steps)

    def write(self, folder: Path, about: About) -> Path:
        """Write everything into `folder`; returns the path of the figures. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        sections = [*self.sections(), Section("server", [], {}, self.serving)]
        write_logs(folder, [one for step in self.steps for one in step.sessions], self.unit)
        pictures = plots(self.steps)
        for name, data in pictures.items():
            (folder / name).write_bytes(data)
        (folder / PAGE).write_text(page(about, sections, self.steps, pictures), encoding="utf-8")
        return report.write(folder, about, sections)


async def measure(order: Order, tell: Callable[[str], None]) -> Run:
    """Measure. Raises SessionFailed when the offline talk or every session of a step fails, ValueError for a server
    that does not tell where the source of a text is, and psutil.Error for a wrong `pid`."""
    target = order.wish.target
    run = Run(unit_of(target), serving=serving(order.url))
    if order.offline:
        tell("the recordings at once, for comparison")
        run.offline = await translate_offline(order.url, order.recordings, order.wish)
    for size in order.sizes:
        said = [programme(order.recordings, first=number, minutes=order.minutes) for number in range(size)]
        longest_s = max(one.talk.duration_s for one in said)
        tell(f"{size} sessions at once, {longest_s:.0f} s" if size > 1 else f"one session, {longest_s:.0f} s")
        crowd = await hold(order.url, [one.talk for one in said], order.wish, order.pid, SEED)
        if all(one.failure for one in crowd.conversations):
            raise SessionFailed(crowd.conversations[0].failure)
        sessions = [
            figures_of(
                f"n{size}-{number}",
                heard,
                run.offline.along(spoken) if run.offline is not None else (),
                wanted_along(spoken, order.recordings, target, run.offline),
                run.unit,
            )
            for number, (spoken, heard) in enumerate(zip(said, crowd.conversations, strict=True))
        ]
        transcribes = all(one.language == target for one in order.recordings)
        own = _own(order, run.offline, run.unit)
        run.steps.append(step_of(sessions, crowd, own, run.unit, transcribes=transcribes))
    return run


def _own(order: Order, offline: Offline | None, unit: str) -> list[Pair]:
    """The offline text of each recording beside its reference."""
    if offline is None:
        return []
    sentences = zip(offline.sentences, order.recordings, strict=True)
    return [
        (joined([one.text for one in said], unit), wanted)
        for said, recording in sentences
        if (wanted := recording.wanted(order.wish.target))
    ]


def serving(url: str) -> Any:
    """What `/ready` says; None where there is nothing of the kind."""
    base = endpoint_of(url).replace("ws", "http", 1).removesuffix("/api/speech/s2s")
    try:
        with urlopen(f"{base}/ready", timeout=5) as response:  # noqa: S310
            return json.load(response)
    except (URLError, OSError, ValueError):
        return None
