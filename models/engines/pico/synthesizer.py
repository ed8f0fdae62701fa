"""SVOX Pico: small voices for five languages, made of recorded speech by models of 2009; clear, if not natural.

The library and its voices lie inside the `py-nanotts` package. Both are under the Apache licence 2.0, as Android
shipped them; what the voices were made from was never published, so that Debian has them in non-free. `engines.pico`
turns them off. The library runs in child processes (`child.py`): there are texts over which it never ends, and marks in
angle brackets are commands to it, some of which name files.
"""

import weakref
from collections.abc import Iterator

import numpy as np

from dragoman.models.base import Batching, Samples, SynthesisRequest, Voice
from dragoman.models.embedded import package_file
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.engines.espeak.synthesizer import KEPT_TAIL_S, trim
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.children import ChildPool, ChildRefused
from dragoman.models.sentences import split_sentences
from dragoman.models.text.parts import digit_by_digit, parted

NAME = "pico"
RATE_HZ = 16_000
VOICES = frozenset({"de-DE", "en-GB", "en-US", "es-ES", "fr-FR", "it-IT"})
SLOWEST_TEMPO, FASTEST_TEMPO = 0.5, 2.5
VOLUME = 0.4
"""At 1.0 it clips; this is about as loud as the other voices."""
SENTENCE_PAUSE_S = 0.3
"""Silence behind a sentence that another one follows; Pico itself leaves 0.05 to 0.7 s."""
SILENT_LEVEL = 0.008
"""It hums a little where it says nothing."""
LONGEST_PIECE = 400
"""So many characters are spoken at once at most."""
CHILDREN = 2
"""One could speak for all: a second of speech takes it 5 ms. The other speaks on while a text holds it."""

_MARKUP = str.maketrans("<>", "  ")
_REMEDY = "Run `pip install 'dragoman[embedded]'`"


class PicoSynthesizer:
    """Speaks with the voices of `py-nanotts`, whose names (`es-ES`) are those of `Voice.engine_voice`.

    The same text sounds alike every time, but is not equal sample by sample. Raises EngineUnavailable when the package
    is missing or broken.
    """

    name = NAME
    batching = Batching(workers=CHILDREN)
    languages = frozenset(voice[:2] for voice in VOICES)

    def __init__(self) -> None:
        folder = package_file(NAME, "py_nanotts", "__init__.py", _REMEDY).parents[1]
        for voice in sorted(VOICES):
            package_file(NAME, "py_nanotts", f"lang/{voice}_ta.bin", _REMEDY)
        self._children = ChildPool(NAME, "dragoman.models.engines.pico.child", [], paths=[str(folder)], most=CHILDREN)
        weakref.finalize(self, self._children.close)
        try:
            self._children.start()
            self._children.ask(None, time_limit_s(""))
        except (ChildRefused, EngineFailed) as error:
            self._children.close()
            raise EngineUnavailable(NAME, f"py-nanotts cannot be loaded ({error})", _REMEDY) from error

    def speaks(self, voice: Voice) -> bool:
        """Whether it is one of VOICES, whatever its pitch."""
        return voice.engine_voice.partition("@")[0] in VOICES

    def sample_rate_hz(self, voice: Voice) -> int:
        """16 000 Hz for every voice."""
        del voice
        return RATE_HZ

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The clause, a block for each sentence, each computed when it is asked for.

        None for a text without a letter or digit that the voice can read. Raises EngineFailed, and TextRefused for a
        text that ended its process, or held it, again and again.
        """
        name, _, pitch = request.voice.engine_voice.partition("@")
        tempo = min(max(request.tempo, SLOWEST_TEMPO), FASTEST_TEMPO)
        pieces = _pieces(request.text)
        for number, piece in enumerate(pieces, 1):
            question = (piece, name, tempo, float(pitch or 1.0), VOLUME)
            try:
                said = self._children.ask(question, time_limit_s(piece))
            except ChildRefused as error:
                raise EngineFailed(NAME, str(error)) from error
            samples = np.frombuffer(said, np.int16).astype(np.float32) / np.float32(32768)
            pause_s = KEPT_TAIL_S if number == len(pieces) else SENTENCE_PAUSE_S
            samples = trim(samples, RATE_HZ, tail_s=pause_s, silent_level=SILENT_LEVEL)
            if samples.size:
                yield samples

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._children.close()


def time_limit_s(text: str) -> float:
    """How long Pico may take over a text: 20 times of what it needs on a core of its own, at least 3 s."""
    return 3.0 + 0.02 * len(text)


def _pieces(text: str) -> list[str]:
    plain = digit_by_digit(speakable(text).translate(_MARKUP))
    pieces = [piece for sentence in split_sentences(plain) for piece in parted(sentence, LONGEST_PIECE)]
    return [piece for piece in pieces if any(character.isalnum() for character in piece)]
