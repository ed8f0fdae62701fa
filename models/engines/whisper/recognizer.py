"""Whisper on faster-whisper: speech of about a hundred languages becomes text, and English where that is asked for.

One call serves many requests of different sessions: features each for itself, one encoding for each length of window
that occurs, one detection of language for those that name none, one generation with prompts and languages of their own
(`prompts.py`), word times for each language that occurs, and one translation for those that want English. Of a
partial there is one attempt. Model: Radford et al. 2022, https://arxiv.org/abs/2212.04356.

Whisper hears 30 s at most and writes 224 tokens of them at most; where it ends too early, the rest is heard by itself
(`rest.py`). Nothing is ever downloaded: the model's folder is looked at first (`files.py`), and
faster-whisper fetches files only where one is missing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dragoman.config.settings import WhisperSettings
from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Hypothesis, RecognitionRequest, Samples, Trust, Word
from dragoman.models.engines.whisper.decoding import Allowance, Effort, Encoded
from dragoman.models.engines.whisper.features import FRAMES_PER_SECOND, frames_of, speech_of, window_of, windows_from
from dragoman.models.engines.whisper.files import NAME, find_model
from dragoman.models.engines.whisper.guards import MAX_TOKENS, credible, token_limit
from dragoman.models.engines.whisper.model import FAULTS, LoadedWhisper, failure, load_whisper
from dragoman.models.engines.whisper.prompts import spell
from dragoman.models.engines.whisper.rest import rest_from
from dragoman.models.engines.whisper.words import UNSPACED, align, placed
from dragoman.models.errors import EngineFailed

MAX_RESTS = 2
"""So often what a text left out is heard by itself."""

ENGLISH_ATTEMPTS = 2
"""Of Whisper's own English, of which it is unsure more often than of what it writes down. With base, 3 of 20 FLEURS
recordings in four languages took all six attempts, and chrF was 47.2 with one, 47.3 with two and 47.2 with six."""

TRUST = Trust(sure=0.8, doubtful=0.5)
"""Of base, on 15 FLEURS recordings in five languages, asked every 0.8 s: with it half of the words are certain after
1.2 s and without after 1.5 s, and as many of them turn out wrong (5 %)."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    """A request with something to hear in it, and what became of it. `place` is its place among all requests of the
    call, `window_s` what the encoder is given of it. `tokens` are those of `text`; `language` is known before it is
    decoded."""

    place: int
    request: RecognitionRequest
    speech: Samples
    window_s: int
    language: str
    confidence: float | None = None
    text: str = ""
    tokens: list[int] = field(default_factory=list)
    words: tuple[Word, ...] = ()
    english: str | None = None

    @property
    def frames(self) -> int:
        return frames_of(self.speech)

    @property
    def seconds(self) -> float:
        return self.frames / FRAMES_PER_SECOND

    @property
    def wants_english(self) -> bool:
        return bool(self.text) and self.language in self.request.english_for

    def append(self, rest: "_Heard", at_s: float) -> None:
        """What was heard of the speech from `at_s` on stands behind the text. Its words have no times if one of the
        two has none."""
        if not rest.text:
            return
        blank = "" if self.language in UNSPACED else " "
        self.text = f"{self.text}{blank}{rest.text}"
        shifted = (replace(word, start_s=word.start_s + at_s, stop_s=word.stop_s + at_s) for word in rest.words)
        self.words = (*self.words, *shifted) if self.words and rest.words else ()
        if rest.english:
            self.english = f"{self.english or ''} {rest.english}".strip()


class WhisperRecognizer:
    """Recognises with the model that `settings.model` names in `folder` (`find_model` says how); any number of threads
    may call it, `settings.workers` of them are served at once.

    `to_english` are the languages that the model also translates: none for turbo, distilled and English-only models.
    Raises EngineUnavailable where there is no whole model, or no such device.
    """

    name = NAME

    def __init__(self, folder: Path, settings: WhisperSettings) -> None:
        installed = find_model(folder, settings.model)
        loaded = load_whisper(installed, settings)
        self._settings = settings
        self._windows_s = windows_from(settings.window_s)
        self._partial = Effort(settings.partial_beam_size, settings.temperatures[:1])
        self._final = Effort(settings.beam_size, settings.temperatures)
        self._english = Effort(settings.beam_size, settings.temperatures[:ENGLISH_ATTEMPTS])
        self._loaded: LoadedWhisper | None = loaded
        self._codes = installed.languages
        self._english_only = installed.english_only
        self._aligns = installed.aligns
        self.model_name = installed.name
        self.device = str(loaded.device)
        self.compute_type = loaded.compute_type
        self.languages = frozenset(installed.languages)
        self.to_english = self.languages - {"en"} if installed.translates else frozenset()
        self.batching = Batching(settings.batch, settings.batch_wait_ms / 1000, settings.workers)

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        """One hypothesis per request, in order; empty text where nothing credible was said. Where the engine had to
        choose the language of such a request, its confidence is 0.

        Raises EngineFailed, also after `close` and for a language that the model does not know, and OutOfMemory.
        """
        loaded = self._loaded
        if loaded is None:
            raise EngineFailed(NAME, "it is closed")
        hypotheses = [_nothing(request) for request in requests]
        heard = [
            self._listen(place, request, speech)
            for place, request in enumerate(requests)
            if (speech := speech_of(request.samples)) is not None
        ]
        if heard:
            try:
                self._hear(loaded, heard, Allowance(self._settings.retry_s), MAX_RESTS)
            except FAULTS as error:
                raise failure(error) from error
        for one in heard:
            hypotheses[one.place] = (
                Hypothesis(one.text, one.language, one.words, one.confidence, one.english, trust=TRUST)
                if one.text
                else _nothing(one.request, one.language)
            )
        return hypotheses

    @property
    def decodes(self) -> int:
        """How many texts the model has written, every attempt counted; 0 once it is closed."""
        return self._loaded.decoder.written if self._loaded is not None else 0

    def close(self) -> None:
        """Let go of the model, when the calls that still run have ended. May be called again."""
        self._loaded = None

    def _listen(self, place: int, request: RecognitionRequest, speech: Samples) -> _Heard:
        return _Heard(place, request, speech, window_of(speech, self._windows_s), request.language or "")

    def _hear(self, loaded: LoadedWhisper, heard: Sequence[_Heard], allowance: Allowance, rests: int) -> None:
        """Fill in what is heard, and up to `rests` times what was left out at the end of it."""
        for group in _alike(heard):
            encoded = loaded.encode([one.speech for one in group], group[0].window_s)
            self._identify(loaded, encoded, group)
            self._write(loaded, encoded, group, allowance)
            if self._aligns:
                self._place(loaded, encoded, group)
            self._translate(loaded, encoded, group, allowance)
        if not rests:
            return
        left = [(one, at_s, rest) for one in heard for at_s, rest in self._left_out(one)]
        if left:
            self._hear(loaded, [rest for _, _, rest in left], allowance, rests - 1)
        for one, at_s, rest in left:
            one.append(rest, at_s)

    def _left_out(self, one: _Heard) -> list[tuple[float, _Heard]]:
        """What the text of a final leaves out at its end, if anything, and where it begins."""
        at_s = None if one.request.partial else rest_from(one.speech, one.words)
        if at_s is None:
            return []
        speech = one.speech[round(at_s * SAMPLE_RATE_HZ) :]
        request = replace(one.request, language=one.language, context=f"{one.request.context} {one.text}")
        return [(at_s, self._listen(one.place, request, speech))]

    def _identify(self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard]) -> None:
        """Find the languages that nobody named, among the candidates where the model knows any of them."""
        unknown = [one.language for one in heard if one.language and one.language not in self._codes]
        if unknown:
            raise EngineFailed(NAME, f"the model {self.model_name} does not know the language '{unknown[0]}'")
        asked = [number for number, one in enumerate(heard) if not one.language]
        if len(self._codes) == 1:
            for number in asked:
                (heard[number].language,) = self._codes
        elif asked:
            for number, found in zip(asked, loaded.detect(encoded, asked), strict=True):
                one = heard[number]
                among = one.request.candidates & self.languages or self.languages
                likely = {language: found.get(self._codes[language], 0.0) for language in among}
                one.language = max(sorted(likely), key=likely.__getitem__)
                one.confidence = likely[one.language] / (sum(likely.values()) or 1.0)

    def _write(self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard], allowance: Allowance) -> None:
        first, again = [], []
        for one in heard:
            code, request = self._codes[one.language], one.request
            first.append(loaded.prompter.prompt(code, keywords=request.keywords, context=request.context))
            again.append(loaded.prompter.prompt(code, keywords=request.keywords))
        limits = [token_limit(one.seconds) for one in heard]
        effort = self._partial if heard[0].request.partial else self._final
        written = loaded.decoder.decode(encoded, first, again, limits, effort, allowance)
        for one, decoded in zip(heard, written, strict=True):
            one.text, one.tokens = credible(decoded, one.seconds, self._settings), decoded.tokens
            if one.text and one.text != decoded.text:
                one.tokens = spell(loaded.prompter.tokenizer("en"), one.text)

    def _place(self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard]) -> None:
        """Find the words' times. One call aligns texts of one language only.

        A text that was shortened is spelled anew; it gets no times if that takes more tokens than Whisper has places.
        """
        fitting = [number for number, one in enumerate(heard) if one.text and len(one.tokens) <= MAX_TOKENS]
        for language in sorted({heard[number].language for number in fitting}):
            numbers = [number for number in fitting if heard[number].language == language]
            group = [heard[number] for number in numbers]
            try:
                words = align(
                    loaded.model,
                    loaded.prompter.tokenizer(self._codes[language]),
                    encoded.some(numbers),
                    [one.text for one in group],
                    [one.tokens for one in group],
                    [one.frames for one in group],
                )
            except IndexError as error:
                _log.warning("no word times for %d texts: %s", len(group), error)
                continue
            for one, found in zip(group, words, strict=True):
                one.words = placed(found)
                if len(one.words) < len(found):
                    one.text = ("" if language in UNSPACED else " ").join(word.text for word in one.words)

    def _translate(
        self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard], allowance: Allowance
    ) -> None:
        """Write it in English where that is wanted. What was said before is in another language and would mislead."""
        numbers = [n for n, one in enumerate(heard) if one.wants_english and one.language in self.to_english]
        if not numbers:
            return
        group = [heard[number] for number in numbers]
        prompts = [loaded.prompter.prompt(self._codes[one.language], "translate") for one in group]
        limits = [token_limit(one.seconds) for one in group]
        some = Encoded(encoded.some(numbers))
        written = loaded.decoder.decode(some, prompts, prompts, limits, self._english, allowance)
        for one, decoded in zip(group, written, strict=True):
            one.english = credible(decoded, one.seconds, self._settings)


def _alike(heard: Sequence[_Heard]) -> list[list[_Heard]]:
    """Those that can be served together: finals or partials, with windows of one length. Finals come first."""
    groups: dict[tuple[bool, int], list[_Heard]] = {}
    for one in heard:
        groups.setdefault((one.request.partial, one.window_s), []).append(one)
    return [groups[key] for key in sorted(groups)]


def _nothing(request: RecognitionRequest, language: str = "") -> Hypothesis:
    if request.language:
        return Hypothesis("", request.language)
    return Hypothesis("", language, language_confidence=0.0)
