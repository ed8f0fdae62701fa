"""Section "batching": what one request costs a Whisper when it is alone, and when it shares a call with others.

The model has random weights and writes a fixed number of tokens, so that its cost is that of a real one of the same
size. What a batch shares is reading the decoder's weights for each token. Encoding, and aligning words with the sound,
are arithmetic that no batch makes cheaper on a processor, and on a few cores they are most of what short texts cost. So
there is `probe`, a model that mostly decodes: Whisper's vocabulary on one layer each side, and no word times.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dragoman.bench.percentiles import median
from dragoman.bench.report import Grid, Section
from dragoman.config.settings import WhisperSettings, load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest
from dragoman.models.batching import BatchRecord, EngineOwner
from dragoman.models.engines.whisper.guards import token_limit
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from tests.fakes.whisper_model import LARGE_V3, SMALL, TURBO, Size, random_whisper

MODELS = {"probe": Size(512, 8, 1, 1), "tiny": Size(384, 6, 4, 4), "small": SMALL, "turbo": TURBO, "large-v3": LARGE_V3}
SPEECH_S = 10.0
UNBATCHED = 8
"""Sessions of the measurement without batches, which the others are compared with."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Cost:
    """What `sessions` at once cost, with batches of `batch` on the average; seconds for each request, of the clock on
    the wall and of all processors; and the median time that a session waited for its text."""

    sessions: int
    batch: float
    wall_s: float
    cpu_s: float
    waited_s: float


@dataclass(frozen=True, slots=True)
class Scaling:
    """One run. `unbatched` was measured at its beginning and at its end."""

    model: str
    device: str
    compute_type: str
    tokens: int
    unbatched: Sequence[Cost]
    batched: Sequence[Cost]

    def alone_s(self, kind: str) -> float:
        """The cost of a request without batches: `kind` is "wall_s" or "cpu_s"."""
        return sum(float(getattr(cost, kind)) for cost in self.unbatched) / len(self.unbatched)


def measure(
    model: str, device: str, sizes: Sequence[int], *, threads: int, rounds: int, tell: Callable[[str], None]
) -> Scaling:
    """Measure one model, which is made for it. Each session asks `rounds` times, again as soon as it has its text.

    Raises EngineUnavailable where the device is not there.
    """
    with TemporaryDirectory() as folder:
        tell(f"making a model of the size of {model}")
        kind = "float16" if device.startswith("cuda") else "float32"
        place = random_whisper(Path(folder) / model, MODELS[model], ends=0.0, kind=kind, says=_LETTERS)
        if model == "probe":
            config = json.loads((place / "config.json").read_text())
            (place / "config.json").write_text(json.dumps({**config, "alignment_heads": []}))
        recognizer = WhisperRecognizer(place.parent, _settings(model, device, threads))
        try:
            return _measure(recognizer, sizes, rounds, tell)
        finally:
            recognizer.close()


def section(found: Scaling) -> Section:
    """The table and the figures."""
    rows = [_row(found, cost, "no") for cost in found.unbatched] + [_row(found, cost, "yes") for cost in found.batched]
    eight = next((cost for cost in found.batched if cost.sessions == UNBATCHED), found.batched[-1])
    figures = {
        f"{found.model}_unbatched_cpu_s": found.alone_s("cpu_s"),
        f"{found.model}_unbatched_wall_s": found.alone_s("wall_s"),
        f"{found.model}_{eight.sessions}_cpu_s": eight.cpu_s,
        f"{found.model}_{eight.sessions}_wall_s": eight.wall_s,
        f"{found.model}_{eight.sessions}_cpu_gain_ratio": found.alone_s("cpu_s") / eight.cpu_s,
        f"{found.model}_{eight.sessions}_wall_gain_ratio": found.alone_s("wall_s") / eight.wall_s,
    }
    title = (
        f"Batches: {found.model} with random weights on {found.device} ({found.compute_type}), {SPEECH_S:g} s of sound "
        f"and {found.tokens} tokens a request"
    )
    columns = ("sessions", "batches", "in one call", "wall s", "gain", "processor s", "gain", "waited s, p50")
    note = "Seconds are for each request; the gain is over the mean of the rows without batches, in the same run."
    return Section("batching", [Grid(title, columns, rows, note)], figures, found)


def _row(found: Scaling, cost: Cost, batches: str) -> list[str]:
    gains = [found.alone_s("wall_s") / cost.wall_s, found.alone_s("cpu_s") / cost.cpu_s]
    return [
        str(cost.sessions),
        batches,
        f"{cost.batch:.1f}",
        f"{cost.wall_s:.3f}",
        f"{gains[0]:.2f}",
        f"{cost.cpu_s:.3f}",
        f"{gains[1]:.2f}",
        f"{cost.waited_s:.2f}",
    ]


def _measure(recognizer: WhisperRecognizer, sizes: Sequence[int], rounds: int, tell: Callable[[str], None]) -> Scaling:
    random = np.random.default_rng(0)
    speech = random.standard_normal((max(*sizes, UNBATCHED), round(SPEECH_S * SAMPLE_RATE_HZ))).astype(np.float32)
    requests = [RecognitionRequest(one * np.float32(0.05), "en") for one in speech]
    (warm,) = recognizer.recognize(requests[:1])
    if not warm.text:
        raise ValueError("the model writes nothing: its texts are thrown away")

    def cost(sessions: int, batch: int) -> Cost:
        tell(f"{sessions} sessions, {batch} requests in a call")
        return asyncio.run(_crowd(recognizer, requests[:sessions], batch, rounds))

    first = cost(UNBATCHED, 1)
    batched = [cost(sessions, sessions) for sessions in sizes]
    return Scaling(
        recognizer.model_name,
        recognizer.device,
        recognizer.compute_type,
        token_limit(SPEECH_S),
        [first, cost(UNBATCHED, 1)],
        batched,
    )


async def _crowd(
    recognizer: WhisperRecognizer, requests: Sequence[RecognitionRequest], batch: int, rounds: int
) -> Cost:
    """One session for each request, through the owner that the server has for an engine."""
    records: list[BatchRecord] = []
    waited_s: list[float] = []
    owner = EngineOwner[RecognitionRequest, Hypothesis](
        recognizer.name, recognizer.recognize, max_batch=batch, max_wait_s=0.1, observer=records.append
    )

    async def session(session_id: str, request: RecognitionRequest) -> None:
        for _ in range(rounds):
            begun_s = time.perf_counter()
            await owner.submit(request, session_id=session_id)
            waited_s.append(time.perf_counter() - begun_s)

    begun_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        await asyncio.gather(*(session(str(number), request) for number, request in enumerate(requests)))
    finally:
        await owner.aclose()
    wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    count = len(requests) * rounds
    return Cost(len(requests), count / len(records), wall_s / count, cpu_s / count, median(waited_s))


def _settings(model: str, device: str, threads: int) -> WhisperSettings:
    """The defaults, without second attempts and guards: what the model writes means nothing."""
    table = {
        "model": model,
        "device": device,
        "threads": threads,
        "beam_size": 1 if model == "probe" else 5,
        "temperatures": [0.0],
        "max_compression_ratio": 1e6,
        "min_log_probability": -1e6,
        "max_no_speech": 1.0,
        "no_speech_alone": 1.0,
    }
    return load_settings(overrides={"engines": {"whisper": table}}).engines.whisper
