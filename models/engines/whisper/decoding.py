"""From encoded audio to text: many requests in one call, and hotter only those that fail.

Further attempts are the dearest part of recognition, and everybody waits for them: how many there are is bounded by the
purpose of the text (`Effort`), and how long they take by the call (`Allowance`).
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.config.settings import WhisperSettings
from dragoman.models.engines.whisper.guards import MAX_TOKENS, Decoded, failed, goes_in_circles, unspoken
from dragoman.models.engines.whisper.prompts import Prompt, groups

SAMPLES = 5
"""Texts drawn at a temperature above zero, of which the likeliest counts; OpenAI's number."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a text is worth: hypotheses kept while decoding, and the temperatures of its attempts."""

    beam_size: int
    temperatures: tuple[float, ...]


class Allowance:
    """The time that one call may spend on further attempts: none is begun once it is used up."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def left(self) -> bool:
        return self._left_s > 0

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Count the time of the block."""
        begun_s = monotonic()
        try:
            yield
        finally:
            self._left_s -= monotonic() - begun_s


class Encoded:
    """The encoder's output for a batch, which stays on the device as long as all of it is asked for at once."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._rows: NDArray[Any] | None = None

    def __len__(self) -> int:
        return int(self._storage.shape[0])

    def some(self, numbers: Sequence[int]) -> Any:
        """The storage of these requests, in this order."""
        import ctranslate2  # noqa: PLC0415  (see whisper.py)

        if list(numbers) == list(range(len(self))):
            return self._storage
        if self._rows is None:
            storage = self._storage.to_device(ctranslate2.Device.cpu)
            if storage.dtype == ctranslate2.DataType.bfloat16:  # which NumPy does not have
                storage = storage.to(ctranslate2.DataType.float32)
            self._rows = np.asarray(storage)
        return ctranslate2.StorageView.from_array(self._rows[list(numbers)])


class Decoder:
    """Writes texts with one model. `tokenizer` is any of the model's: all decode alike."""

    def __init__(self, model: Any, tokenizer: Any, settings: WhisperSettings) -> None:
        from faster_whisper.transcribe import get_suppressed_tokens  # noqa: PLC0415  (see whisper.py)

        self._model, self._tokenizer, self._settings = model, tokenizer, settings
        self._suppressed = list(get_suppressed_tokens(tokenizer, [-1]))
        self._lock = threading.Lock()
        self._written = 0

    @property
    def written(self) -> int:
        """How many texts were written so far, every attempt counted."""
        return self._written

    def decode(
        self,
        encoded: Encoded,
        prompts: Sequence[Prompt],
        again: Sequence[Prompt],
        limits: Sequence[int],
        effort: Effort,
        allowance: Allowance,
    ) -> list[Decoded]:
        """The best text for each request.

        `prompts` are those of the first attempt, `again` those of the others, which go without what was said before:
        a loop often repeats that. `limits` are the most tokens for each.
        """
        everybody = list(range(len(prompts)))
        best = self._attempt(encoded, everybody, prompts, limits, effort.beam_size, effort.temperatures[0])
        pending = [number for number, decoded in best.items() if self._retried(decoded)]
        for temperature in effort.temperatures[1:]:
            if not pending or not allowance.left:
                break
            with allowance.spent():
                made = self._attempt(encoded, pending, again, limits, effort.beam_size, temperature)
            best |= {number: self._better(best[number], decoded) for number, decoded in made.items()}
            pending = [number for number in pending if self._retried(made[number])]
        return [best[number] for number in everybody]

    def _attempt(
        self,
        encoded: Encoded,
        numbers: Sequence[int],
        prompts: Sequence[Prompt],
        limits: Sequence[int],
        beam_size: int,
        temperature: float,
    ) -> dict[int, Decoded]:
        """A text for each of `numbers`."""
        made: dict[int, Decoded] = {}
        for group in groups(numbers, prompts):
            texts = self._generate(
                encoded.some(group),
                [prompts[number] for number in group],
                [limits[number] for number in group],
                beam_size,
                temperature,
            )
            made |= zip(group, texts, strict=True)
        return made

    def _retried(self, decoded: Decoded) -> bool:
        return failed(decoded, self._settings) and not unspoken(decoded, self._settings)

    def _better(self, before: Decoded, now: Decoded) -> Decoded:
        """Of two attempts. One that is accepted, or that tells of silence, is the last one and counts; of those that
        failed the likeliest does, and none that goes in circles if another does not."""
        if not failed(now, self._settings) or unspoken(now, self._settings):
            return now

        def rank(decoded: Decoded) -> tuple[bool, float]:
            return not goes_in_circles(decoded, self._settings), decoded.log_probability

        return max(before, now, key=rank)

    def _generate(
        self, storage: Any, prompts: Sequence[Prompt], limits: Sequence[int], beam_size: int, temperature: float
    ) -> list[Decoded]:
        with self._lock:
            self._written += len(prompts)
        if temperature > 0:
            how = {"beam_size": 1, "num_hypotheses": SAMPLES, "sampling_topk": 0, "sampling_temperature": temperature}
        else:
            how = {"beam_size": beam_size}
        limit = max(limits)
        results = self._model.generate(
            storage,
            prompts,
            # CTranslate2 writes up to half of this, or what is left of it behind the prompt, whichever is less.
            max_length=max(2 * limit, limit + len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
            **how,
        )
        return [self._decoded(result, own) for result, own in zip(results, limits, strict=True)]

    def _decoded(self, result: Any, limit: int) -> Decoded:
        written = result.sequences_ids[0]
        tokens = [token for token in written if token < self._tokenizer.eot]
        return Decoded(
            text=text_of(self._tokenizer, tokens),
            tokens=tokens,
            # The score is the mean without the end of the text; OpenAI's limits are for the mean with it.
            log_probability=result.scores[0] * len(written) / (len(written) + 1),
            no_speech=result.no_speech_prob,
            endless=len(written) >= limit < MAX_TOKENS,
        )


def text_of(tokenizer: Any, tokens: list[int]) -> str:
    """The text without broken characters and superfluous blanks."""
    return " ".join(tokenizer.decode(tokens).replace("\ufffd", "").split())
