"""hibari: a natural voice for American English, from the `hibari-tts` package, which has everything inside.

A network of 8 MB, distilled from Kokoro, on ONNX Runtime. It runs in child processes (`child.py`). What a text is made
to be before it is spoken stands in `readable.py`. A block is a sentence, or 30 s of a longer one.
"""

import json
import weakref
from collections.abc import Iterator

import numpy as np

from dragoman.models.base import Batching, Samples, SynthesisRequest, Voice
from dragoman.models.embedded import package_file
from dragoman.models.engines.espeak.synthesizer import trim
from dragoman.models.engines.hibari.child import LONGEST_PIECE, NAME
from dragoman.models.engines.hibari.readable import sentences
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.children import ChildPool, ChildRefused

VOICE = "heart"
"""The one voice inside the package."""

SLOWEST_TEMPO, FASTEST_TEMPO = 0.5, 2.0

CHILDREN = 2
"""One could speak for all; the other speaks on while a text holds it, and starts when it is first needed."""

_PIECE_LIMIT_S = 10.0 + 0.05 * LONGEST_PIECE
"""How long one piece may take: fifty times of what it needs on a core of its own."""
_REMEDY = "Run `pip install 'dragoman[embedded]'`"


class HibariSynthesizer:
    """Speaks English (a `Synthesizer`); the same text has the same samples every time.

    Raises EngineUnavailable when the package, or what it needs, is missing or broken.
    """

    name = NAME
    batching = Batching(workers=CHILDREN)
    languages = frozenset({"en"})

    def __init__(self) -> None:
        network = package_file(NAME, NAME, "assets/hibari.onnx", _REMEDY)
        needs = [package_file(NAME, package, "__init__.py", _REMEDY) for package in (NAME, "numpy", "onnxruntime")]
        folders = list(dict.fromkeys(str(file.parents[1]) for file in needs))
        child = "dragoman.models.engines.hibari.child"
        self._children = ChildPool(
            NAME, child, [str(network.parent)], paths=folders, most=CHILDREN, questions_each=50_000
        )
        weakref.finalize(self, self._children.close)
        try:
            self._children.start()
            # The first text would wait for what is loaded when it is first needed.
            self._rate_hz = int(json.loads(self._children.ask(["about"], _PIECE_LIMIT_S))["rate_hz"])
            list(self.synthesize(SynthesisRequest("Hibari.", Voice("", "", "en", NAME, VOICE, "female"))))
        except (ChildRefused, EngineFailed) as error:
            self._children.close()
            raise EngineUnavailable(NAME, f"hibari-tts cannot be loaded ({error})", _REMEDY) from error

    def speaks(self, voice: Voice) -> bool:
        """Whether it is the voice of the package."""
        return voice.engine_voice == VOICE

    def sample_rate_hz(self, voice: Voice) -> int:
        """24 000 Hz."""
        del voice
        return self._rate_hz

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The clause, a block for each sentence, each computed when it is asked for.

        None for a text in which it can read nothing. Raises EngineFailed, and TextRefused for a text that ended its
        process, or took too long, again and again.
        """
        found = sentences(request.text)
        if not found:
            return
        tempo = min(max(request.tempo, SLOWEST_TEMPO), FASTEST_TEMPO)
        limit_s = 5.0 + 0.01 * len(request.text)
        pieces = [piece for one in json.loads(self._ask(["phonemes", found], limit_s)) for piece in one]
        for number, piece in enumerate(pieces, 1):
            said = np.frombuffer(self._ask(["speak", piece, tempo], _PIECE_LIMIT_S), np.int16)
            samples = said.astype(np.float32) / np.float32(32768)
            samples = trim(samples, self._rate_hz, tail=number == len(pieces))
            if samples.size:
                yield samples

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._children.close()

    def _ask(self, question: list[object], limit_s: float) -> bytes:
        try:
            return self._children.ask(question, limit_s)
        except ChildRefused as error:
            raise EngineFailed(NAME, str(error)) from error
