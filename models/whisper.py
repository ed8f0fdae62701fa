"""Whisper on faster-whisper: speech of about a hundred languages becomes text, and English where that is asked for.

One call serves many requests of different sessions: features each for itself, one encoding, one detection of language
for those that name none, one generation with prompts and languages of their own (`whisper_prompts.py`), word times for
each language that occurs, and one translation for those that want English. Model: Radford et al. 2022,
https://arxiv.org/abs/2212.04356.

Whisper hears 30 s at most and writes 224 tokens of them at most. Nothing is ever downloaded: the model's folder is
looked at first (`whisper_files.py`), and faster-whisper fetches files only where one is missing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dragoman.config.settings import WhisperSettings
from dragoman.models.base import Batching, Hypothesis, RecognitionRequest, Samples, Word
from dragoman.models.errors import EngineFailed
from dragoman.models.whisper_decoding import Encoded
from dragoman.models.whisper_features import FRAMES_PER_SECOND, frames_of, speech_of
from dragoman.models.whisper_files import NAME, find_model
from dragoman.models.whisper_guards import MAX_TOKENS, credible, token_limit
from dragoman.models.whisper_model import FAULTS, LoadedWhisper, failure, load_whisper
from dragoman.models.whisper_prompts import spell
from dragoman.models.whisper_words import align

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    """A request with something to hear in it, and what became of it. `place` is its place among all requests of the
    call, `tokens` are those of `text`; `language` is known before it is decoded."""

    place: int
    request: RecognitionRequest
    speech: Samples
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
            _Heard(place, request, speech, request.language or "")
            for place, request in enumerate(requests)
            if (speech := speech_of(request.samples)) is not None
        ]
        if heard:
            try:
                self._hear(loaded, heard)
            except FAULTS as error:
                raise failure(error) from error
        for one in heard:
            hypotheses[one.place] = (
                Hypothesis(one.text, one.language, one.words, one.confidence, one.english)
                if one.text
                else _nothing(one.request, one.language)
            )
        return hypotheses

    def close(self) -> None:
        """Let go of the model, when the calls that still run have ended. May be called again."""
        self._loaded = None

    def _hear(self, loaded: LoadedWhisper, heard: Sequence[_Heard]) -> None:
        encoded = loaded.encode([one.speech for one in heard])
        self._identify(loaded, encoded, heard)
        self._write(loaded, encoded, heard)
        if self._aligns:
            self._place(loaded, encoded, heard)
        self._translate(loaded, encoded, heard)

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

    def _write(self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard]) -> None:
        first, again = [], []
        for one in heard:
            code, request = self._codes[one.language], one.request
            first.append(loaded.prompter.prompt(code, keywords=request.keywords, context=request.context))
            again.append(loaded.prompter.prompt(code, keywords=request.keywords))
        written = loaded.decoder.decode(encoded, first, again, [token_limit(one.seconds) for one in heard])
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
                one.words = found

    def _translate(self, loaded: LoadedWhisper, encoded: Encoded, heard: Sequence[_Heard]) -> None:
        """Write it in English where that is wanted. What was said before is in another language and would mislead."""
        numbers = [n for n, one in enumerate(heard) if one.wants_english and one.language in self.to_english]
        if not numbers:
            return
        group = [heard[number] for number in numbers]
        prompts = [loaded.prompter.prompt(self._codes[one.language], "translate") for one in group]
        limits = [token_limit(one.seconds) for one in group]
        written = loaded.decoder.decode(Encoded(encoded.some(numbers)), prompts, prompts, limits)
        for one, decoded in zip(group, written, strict=True):
            one.english = credible(decoded, one.seconds, self._settings)


def _nothing(request: RecognitionRequest, language: str = "") -> Hypothesis:
    if request.language:
        return Hypothesis("", request.language)
    return Hypothesis("", language, language_confidence=0.0)
