"""Piper's espeak-ng in a process of its own: texts in, phonemes out. `phonemes.py` asks it.

Piper (1.6 to 1.8) makes phonemes with a copy of espeak-ng inside `piper.espeakbridge`, which falls over the same texts
as the other one and keeps 1,650 bytes of each. The code that cuts its output into sentences is Piper's own.

Arguments are the folder that holds the package and that of its data. A question is a voice, a text and the clusters of
vowels that the voice has as one symbol; the answer is the phonemes of each sentence.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from dragoman.models.processes.serving import serve


def _prepare() -> Callable[[Any], bytes]:
    folder, data = sys.argv[1:]
    sys.path.append(folder)
    # What the package itself imports, ONNX Runtime above all, would take more time and memory than all the rest.
    package = ModuleType("piper")
    package.__path__ = [str(Path(folder) / "piper")]
    sys.modules["piper"] = package
    from piper.phonemize_espeak import EspeakPhonemizer  # noqa: PLC0415

    phonemizer = EspeakPhonemizer(data)

    def answer(question: Any) -> bytes:
        voice, text, clusters = question
        known = {tuple(cluster) for cluster in clusters}
        return json.dumps(phonemizer.phonemize(voice, text, known or None)).encode()

    return answer


def main() -> None:
    """The child's whole life."""
    serve(_prepare)
