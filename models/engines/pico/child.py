"""SVOX Pico in a process of its own: texts in, samples out (`synthesizer.py` asks).

The library is written in C and holds the interpreter's lock while it speaks. It loads a voice's files anew for each
text, which takes it 5 ms. A question is a text, a voice, a tempo, a pitch and a volume, answered by 16-bit samples at
16 kHz in this machine's byte order; null is answered by nothing.
"""

from collections.abc import Callable
from typing import Any

from dragoman.models.processes.serving import serve


def _prepare() -> Callable[[Any], bytes]:
    from py_nanotts import NanoTTS  # noqa: PLC0415  (only in a child)

    library = NanoTTS()

    def answer(question: Any) -> bytes:
        if question is None:
            return b""
        text, voice, tempo, pitch, volume = question
        return bytes(library.speak(text, voice=voice, speed=tempo, pitch=pitch, volume=volume))

    return answer


def main() -> None:
    """The child's whole life."""
    serve(_prepare)
