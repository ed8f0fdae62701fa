"""espeak-ng: formant synthesis, small and quick, for about a hundred languages.

The library and its data lie inside the `espeakng-loader` package. It runs in child processes (`child.py`),
because there are texts that end it. What a text is made to be before it is spoken stands in `speakable.py`.
"""

import json
import weakref
from collections.abc import Iterator

import numpy as np

from dragoman.models.base import Batching, Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.children import ChildPool, ChildRefused

NAME = "espeak"
NORMAL_WORDS_PER_MINUTE = 175
SLOWEST_WORDS_PER_MINUTE, FASTEST_WORDS_PER_MINUTE = 80, 450
"""The library itself goes no slower, and beyond the upper bound sounds are swallowed."""

KEPT_LEAD_S, KEPT_TAIL_S = 0.02, 0.12
"""Silence that may stay before and behind a clause."""

CHILDREN = 2
"""One could speak for all: a second of speech takes it a millisecond. The other speaks on while a text holds it."""

SILENT_LEVEL = 0.001
_REMEDY = "Run `pip install 'dragoman[embedded]'`"


class EspeakSynthesizer:
    """Speaks what espeak-ng speaks.

    The same text sounds alike every time but is not equal sample by sample: the phase of the oscillators goes on from
    clause to clause. `KEPT_TAIL_S` is what may stay of silence; espeak itself gives 7 ms behind a clause.
    Raises EngineUnavailable when the package is missing or broken.
    """

    name = NAME
    batching = Batching(workers=CHILDREN)

    def __init__(self) -> None:
        try:
            import espeakng_loader  # noqa: PLC0415  (an extra)

            places = [str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())]
        except Exception as error:
            raise _unavailable(error) from error
        self._children = ChildPool(NAME, "dragoman.models.engines.espeak.child", places, most=CHILDREN)
        weakref.finalize(self, self._children.close)
        try:
            self._children.start()
            about = json.loads(self._children.ask(None, time_limit_s("")))
        except (ChildRefused, EngineFailed) as error:
            self._children.close()
            raise _unavailable(error) from error
        self.languages = frozenset(about["languages"])
        self._rate_hz = int(about["rate_hz"])

    def speaks(self, voice: Voice) -> bool:
        """Every voice of a language that it knows."""
        return voice.language in self.languages

    def sample_rate_hz(self, voice: Voice) -> int:
        """22 050 Hz for every voice."""
        del voice
        return self._rate_hz

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The clause in one block, as the library gives it; none for a text without a letter or digit.

        Raises EngineFailed, and TextRefused for a text that ended its process again and again.
        """
        text = speakable(request.text)
        if not text:
            return
        question = (text, request.voice.engine_voice, words_per_minute(request.tempo))
        try:
            said = self._children.ask(question, time_limit_s(text))
        except ChildRefused as error:
            raise EngineFailed(NAME, str(error)) from error
        samples = trim(np.frombuffer(said, np.int16).astype(np.float32) / np.float32(32768), self._rate_hz)
        if samples.size:
            yield samples

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._children.close()


def time_limit_s(text: str) -> float:
    """How long espeak may take over a text: 50 times of what it needs on a core of its own, at least 5 s."""
    return 5.0 + 0.01 * len(text)


def words_per_minute(tempo: float) -> int:
    """The rate to ask for, within what can be spoken."""
    wanted = round(NORMAL_WORDS_PER_MINUTE * tempo)
    return min(max(wanted, SLOWEST_WORDS_PER_MINUTE), FASTEST_WORDS_PER_MINUTE)


def trim(
    samples: Samples,
    rate_hz: int,
    *,
    lead: bool = True,
    tail: bool = True,
    tail_s: float = KEPT_TAIL_S,
    silent_level: float = SILENT_LEVEL,
) -> Samples:
    """The samples with no more silence at the ends than is kept there; nothing where all is silent.

    Without `lead` or `tail` that end stays as it is.
    """
    loud = np.flatnonzero(np.abs(samples) > silent_level)
    if not loud.size:
        return samples[:0]
    start = max(0, int(loud[0]) - int(KEPT_LEAD_S * rate_hz)) if lead else 0
    stop = int(loud[-1]) + 1 + int(tail_s * rate_hz) if tail else samples.size
    return samples[start:stop]


def _unavailable(error: Exception) -> EngineUnavailable:
    return EngineUnavailable(NAME, f"espeakng-loader cannot be loaded ({error})", _REMEDY)
