"""Phonemes for Piper's voices, made by Piper's own espeak-ng in child processes (`child.py`)."""

import json
import weakref
from collections.abc import Collection
from pathlib import Path

from dragoman.models.engines.espeak.synthesizer import time_limit_s
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.children import ChildPool, ChildRefused

CHILDREN = 2
"""One could serve all: a sentence takes a millisecond. The second goes on while a text holds the first."""


class Phonemizer:
    """Piper's, for any number of threads. Raises EngineUnavailable where the installed Piper has none that works."""

    def __init__(self) -> None:
        from piper.phonemize_espeak import ESPEAK_DATA_DIR  # noqa: PLC0415  (0.15 s that nobody else should pay)
        from piper.phonemize_espeak import __file__ as place  # noqa: PLC0415

        data = Path(ESPEAK_DATA_DIR)
        if not (data / "phontab").is_file():  # without it, the library ends its process and does not say why
            raise _unavailable(f"the installed piper-tts has no data of espeak-ng in {data}")
        folder = Path(place).parents[1]
        places = [str(folder), str(data)]
        self._children = ChildPool("piper", "dragoman.models.engines.piper.child", places, most=CHILDREN)
        weakref.finalize(self, self._children.close)
        try:
            self._children.start()
        except (ChildRefused, EngineFailed) as error:
            self._children.close()
            raise _unavailable(f"the phonemizer of piper-tts cannot be loaded ({error})") from error

    def phonemes(self, voice: str, text: str, clusters: Collection[tuple[str, ...]] = ()) -> list[list[str]]:
        """The phonemes of each sentence; `clusters` are vowels that the voice has as one symbol.

        Raises ChildRefused for a voice that is not there, EngineFailed, and TextRefused for a text that ended its
        process again and again.
        """
        question = (voice, text, sorted(clusters))
        sentences: list[list[str]] = json.loads(self._children.ask(question, time_limit_s(text)))
        return sentences

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._children.close()


def _unavailable(reason: str) -> EngineUnavailable:
    return EngineUnavailable("piper", reason, "Run `pip install --force-reinstall piper-tts`")
