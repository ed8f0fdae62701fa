"""From encoded audio to text: many requests in one call, and hotter only those that fail."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.config.settings import WhisperSettings
from dragoman.models.whisper_guards import MAX_TOKENS, Decoded, failed, goes_in_circles, unspoken
from dragoman.models.whisper_prompts import Prompt, groups

SAMPLES = 5
"""Texts drawn at a temperature above zero, of which the likeliest counts; OpenAI's number."""


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

    def decode(
        self, encoded: Encoded, prompts: Sequence[Prompt], again: Sequence[Prompt], limits: Sequence[int]
    ) -> list[Decoded]:
        """The best text for each request.

        `prompts` are those of the first attempt, `again` those of the others, which go without what was said before:
        a loop often repeats that. `limits` are the most tokens for each.
        """
        best: list[Decoded | None] = [None] * len(prompts)
        pending = list(range(len(prompts)))
        for attempt, temperature in enumerate(self._settings.temperatures):
            chosen = again if attempt else prompts
            retried = []
            for group in groups(pending, chosen):
                made = self._generate(
                    encoded.some(group),
                    [chosen[number] for number in group],
                    [limits[number] for number in group],
                    temperature,
                )
                for number, decoded in zip(group, made, strict=True):
                    best[number] = self._better(best[number], decoded)
                    if failed(decoded, self._settings) and not unspoken(decoded, self._settings):
                        retried.append(number)
            pending = sorted(retried)
            if not pending:
                break
        return [decoded for decoded in best if decoded is not None]

    def _better(self, before: Decoded | None, now: Decoded) -> Decoded:
        """Of two attempts. One that is accepted, or that tells of silence, is the last one and counts; of those that
        failed the likeliest does, and none that goes in circles if another does not."""
        if before is None or not failed(now, self._settings) or unspoken(now, self._settings):
            return now

        def rank(decoded: Decoded) -> tuple[bool, float]:
            return not goes_in_circles(decoded, self._settings), decoded.log_probability

        return max(before, now, key=rank)

    def _generate(
        self, storage: Any, prompts: Sequence[Prompt], limits: Sequence[int], temperature: float
    ) -> list[Decoded]:
        if temperature > 0:
            how = {"beam_size": 1, "num_hypotheses": SAMPLES, "sampling_topk": 0, "sampling_temperature": temperature}
        else:
            how = {"beam_size": self._settings.beam_size}
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
