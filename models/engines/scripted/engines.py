"""Deterministic engines for the tests of programs that talk to Dragoman: fixed words in, tones out.

Nothing is loaded and nothing is heard: a segment is whatever is loud, its words are the next line of a script. They
are never chosen by themselves, only by name (`dragoman serve --engines scripted`).

A script is a UTF-8 text file, one utterance a line; blank lines and lines that begin with `#` do not count. A line may
carry its translations: `Good morning. | es: Buenos días. | fr: Bonjour.`, and it may begin with its language:
`@es Buenos días.` Every session hears the script from its first line and begins again behind the last.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import (
    Batching,
    Hypothesis,
    LanguagePair,
    RecognitionRequest,
    Samples,
    SynthesisRequest,
    Voice,
)
from dragoman.models.voices import VoiceCatalogue

NAME = "scripted"

LANGUAGES = frozenset(["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "ta", "tr", "zh"])

ENGLISH = "en"

DEFAULT_SCRIPT = (
    "Good morning. | es: Buenos días. | fr: Bonjour. | de: Guten Morgen. | pt: Bom dia.",
    (
        "How are you today? | es: ¿Cómo está usted hoy? | fr: Comment allez-vous aujourd'hui ?"
        " | de: Wie geht es Ihnen heute? | pt: Como está hoje?"
    ),
    "Thank you very much. | es: Muchas gracias. | fr: Merci beaucoup. | de: Vielen Dank. | pt: Muito obrigado.",
)

RATE_HZ = 24_000
LOUD = 0.005
"""Root mean square above which a frame counts as speech."""


class Script:
    """Utterances in order, and their translations where the script gives them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._languages: list[str] = []
        self._translations: dict[tuple[str, str], str] = {}
        for line in lines:
            text, *others = (part.strip() for part in line.split("|"))
            if not text or text.startswith("#"):
                continue
            text = " ".join(text.split())
            language = ENGLISH
            if text[:1] == "@" and text[1:3] in LANGUAGES and text[3:4] == " ":
                language, text = text[1:3], text[4:]
            self.lines.append(text)
            self._languages.append(language)
            for other in others:
                language, _, translation = other.partition(":")
                self._translations[text, language.strip()] = translation.strip()
        if not self.lines:
            raise ValueError("the script holds no utterance")

    @classmethod
    def read(cls, path: str) -> "Script":
        """The script of a file, or the built-in one where `path` is empty. Raises ValueError."""
        if not path:
            return cls(DEFAULT_SCRIPT)
        try:
            return cls(Path(path).read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot read the script {path}: {error}") from error

    def line(self, ordinal: int) -> str:
        """The utterance with this number, counted from 0 and round again behind the last."""
        return self.lines[ordinal % len(self.lines)]

    def language(self, ordinal: int) -> str:
        """The language of that utterance."""
        return self._languages[ordinal % len(self._languages)]

    def translation(self, text: str, target: str) -> str | None:
        """What the script gives as the translation of a line."""
        return self._translations.get((text, target))


def every_voice(catalogue: VoiceCatalogue) -> VoiceCatalogue:
    """The catalogue with all its ids and aliases, spoken by this engine, so that a client need not change its own."""
    return catalogue.spoken_by(NAME)


class ScriptedDetector:
    """Takes whatever is loud for speech."""

    name = NAME
    frame_samples = 512

    def stream(self) -> "ScriptedDetector":
        """Itself: there is no state."""
        return self

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """1.0 for each loud frame, 0.0 for each other."""
        power = np.square(samples).reshape(-1, self.frame_samples).mean(axis=1)
        return np.asarray(power > LOUD**2, np.float32)

    def close(self) -> None:
        """Nothing to close."""


class ScriptedRecognizer:
    """Hears the script's lines in turn, whatever the samples hold."""

    name = NAME
    languages = LANGUAGES
    to_english: frozenset[str] = frozenset()
    batching = Batching()

    def __init__(self, script: Script) -> None:
        self._script = script

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        """One hypothesis per request; the language is the request's, or the line's."""
        script = self._script
        return [
            Hypothesis(script.line(request.ordinal), request.language or script.language(request.ordinal))
            for request in requests
        ]

    def close(self) -> None:
        """Nothing to close."""


class ScriptedTranslator:
    """Gives the script's translation of a line, or for any other text `[es] text`."""

    name = NAME
    neural = False
    pairs = frozenset(LanguagePair(one, two) for one in LANGUAGES for two in LANGUAGES if one != two)
    batching = Batching()

    def __init__(self, script: Script) -> None:
        self._script = script

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order."""
        return [self._script.translation(text, pair.target) or f"[{pair.target}] {text}" for text in texts]

    def close(self) -> None:
        """Nothing to close."""


class ScriptedSynthesizer:
    """Speaks a tone: 60 ms for each character, 0.2 s at least; female voices at 440 Hz, male ones at 220 Hz."""

    name = NAME
    languages = LANGUAGES
    batching = Batching()

    def speaks(self, voice: Voice) -> bool:
        """Every voice."""
        del voice
        return True

    def sample_rate_hz(self, voice: Voice) -> int:
        """24 kHz for every voice."""
        del voice
        return RATE_HZ

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The tone in one block."""
        length = round(max(0.2, 0.06 * len(request.text)) / request.tempo * RATE_HZ)
        hz = 440 if request.voice.gender == "female" else 220
        yield (0.25 * np.sin(2 * np.pi * hz / RATE_HZ * np.arange(length))).astype(np.float32)

    def close(self) -> None:
        """Nothing to close."""
