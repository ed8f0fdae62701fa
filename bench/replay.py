"""What the engines alone cost: the recorded calls, and nothing else, on freshly loaded engines."""

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.calls import CallLog, Detect, Recognise, Speak, Translate, record
from bench.engines import BareEngines
from dragoman.bench.processes import children_cpu_s
from dragoman.bench.talk import Talk
from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.pipeline.latency import Latency


@dataclass(slots=True)
class Costs:
    """Processor seconds of the engines over one talk, the translator's programs included.

    `recognise_s` is all recognition; `committed_s` the part of it by which words became certain.
    """

    detect_s: float = 0.0
    recognise_s: float = 0.0
    committed_s: float = 0.0
    translate_s: float = 0.0
    speak_s: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)

    @property
    def total_s(self) -> float:
        """Everything that the session asked for."""
        return self.detect_s + self.recognise_s + self.translate_s + self.speak_s

    @property
    def least_s(self) -> float:
        """The same without the recognitions that made nothing certain."""
        return self.total_s - self.recognise_s + self.committed_s


def record_calls(talk: Talk, latency: Latency, *, paced: bool = True) -> CallLog:
    """`record`, for a child process."""
    return asyncio.run(record(talk, latency, paced=paced))


def replay(log: CallLog, *, paced: bool) -> Costs:
    """Run every call in order in this process, on engines of its own; loading and warming are not counted.

    `paced`: the detector gets each piece of audio when its last sample would have been spoken, as in a live session;
    between two calls the processor's caches then grow cold. Else each call follows the one before at once.
    """
    engines = BareEngines.load()
    costs = Costs()
    stream = engines.detector.stream()
    programs_s = children_cpu_s(os.getpid())
    began_s, spoken_s = time.monotonic(), 0.0
    try:
        for call in log.calls:
            if paced and isinstance(call, Detect):
                spoken_s += len(call.samples) / SAMPLE_RATE_HZ
                time.sleep(max(0.0, began_s + spoken_s - time.monotonic()))
            before_s = time.process_time()
            match call:
                case Detect():
                    stream.probabilities(call.samples)
                    costs.detect_s += time.process_time() - before_s
                case Recognise():
                    engines.recognizer.recognize([call.request])
                    spent_s = time.process_time() - before_s
                    costs.recognise_s += spent_s
                    costs.committed_s += spent_s if call.committed else 0.0
                case Translate():
                    engines.translator(call.engine).translate(call.pair, [call.text])
                    costs.translate_s += time.process_time() - before_s
                case Speak():
                    for _ in engines.synthesizer.synthesize(call.request):
                        pass
                    costs.speak_s += time.process_time() - before_s
        # The translator's programs are the only children, and have slept while the others worked.
        costs.translate_s += children_cpu_s(os.getpid()) - programs_s
    finally:
        engines.close()
    costs.calls = dict(Counter(type(call).__name__.lower() for call in log.calls))
    costs.calls["committed"] = sum(isinstance(call, Recognise) and call.committed for call in log.calls)
    return costs
