"""hibari in a process of its own: sentences in, phonemes out; phonemes in, samples out.

Its front end is Python, whose patterns can take minutes over one text and hold the interpreter's lock meanwhile; its
lexica take a third of a second to load. Neither may stand in a server's way. `Hibari` would download voices that are
not in the package: what is used here does not.

The argument is the folder of its files. A question is "phonemes" and sentences, answered by a list with the pieces of
each, or "speak", phonemes and a speed, answered by 16-bit samples in this machine's byte order.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dragoman.models.processes.serving import serve
from dragoman.models.text.parts import parted

NAME = "hibari"
LONGEST_PIECE = 400
"""So many phonemes, about 30 s, are computed at once at most, as in hibari itself."""
GAIN = 1.7
"""The network speaks at 0.6 of espeak-ng's level; its peaks leave room for that."""


class HibariLibrary:
    """The loaded network and its front end. Raises EngineUnavailable, and ImportError and OSError where files lack."""

    def __init__(self, assets: Path) -> None:
        import numpy as np  # noqa: PLC0415  (only in a child)
        from hibari import Hibari  # noqa: PLC0415
        from hibari.g2p import G2P  # noqa: PLC0415
        from hibari.g2p.oov import OOV  # noqa: PLC0415

        from dragoman.models.embedded import onnx_session  # noqa: PLC0415

        def session(name: str) -> Any:
            return onnx_session(NAME, assets / name, threads=1, remedy="")

        class Voice(Hibari):  # type: ignore[misc]
            """With sessions as this house makes them."""

            def __init__(self) -> None:
                self.sess = session("hibari.onnx")
                self.vocab = json.loads((assets / "vocab.json").read_text(encoding="utf-8"))
                self._g2p = G2P(oov=OOV(str(assets / "oov.onnx"), session("oov.onnx")))

        self._numpy = np
        self._voice = Voice()
        self.rate_hz = int(Hibari.sample_rate)

    def phonemes(self, sentences: list[str]) -> list[list[str]]:
        """The pieces of each sentence, as phonemes that the network knows; none where nothing can be said."""
        known = self._voice.vocab
        made = ["".join(symbol for symbol in self._voice.g2p(one) if symbol in known) for one in sentences]
        return [[piece for piece in parted(one, LONGEST_PIECE) if any(map(str.isalpha, piece))] for one in made]

    def say(self, phonemes: str, speed: float) -> bytes:
        """The samples of one piece, the same every time."""
        samples = self._voice.from_phonemes(phonemes, speed, seed=0)
        if not self._numpy.isfinite(samples).all():
            raise ValueError("the network gives samples that are no numbers")
        scaled = self._numpy.clip(samples * GAIN, -1, 1) * self._numpy.float32(32767)
        return bytes(scaled.astype(self._numpy.int16).tobytes())

    def answer(self, question: Any) -> bytes:
        """What a question gets; see the module."""
        what, *given = question
        if what == "phonemes":
            return json.dumps(self.phonemes(*given)).encode()
        if what == "speak":
            return self.say(*given)
        return json.dumps({"rate_hz": self.rate_hz}).encode()


def main() -> None:
    """The child's whole life."""
    serve(lambda: HibariLibrary(Path(sys.argv[1])).answer)
