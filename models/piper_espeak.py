"""The copy of espeak-ng inside Piper, kept from growing.

Piper (1.6 to 1.8) makes phonemes with an espeak-ng of its own, `piper.espeakbridge`. It shares nothing with the one of
`models/espeak.py`: both are loaded with local symbols. Piper itself guards it with a lock, because a voice is chosen in
one call and used in the next. Measured, two things in it are never given back:

- 290 bytes for each clause: the bridge puts a new tuple into a list and keeps its own reference too.
- 1,360 bytes for each choice of a voice, which Piper makes before every text: espeak-ng queues it for the next
  synthesis, and Piper synthesizes nothing with it.

At one clause a second that is 140 MB a day. Here both are given back.
"""

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dragoman.models.errors import EngineUnavailable

_KEEPS_REFERENCES = [["1", minor] for minor in "678"]
_UTF8 = 1
_BY_CHARACTER = 1


def check_data() -> None:
    """Raises EngineUnavailable where the data of Piper's espeak-ng are not there: it would end the process."""
    from piper.phonemize_espeak import ESPEAK_DATA_DIR  # noqa: PLC0415

    if not (Path(ESPEAK_DATA_DIR) / "phontab").is_file():
        reason = f"the installed piper-tts has no data of espeak-ng in {ESPEAK_DATA_DIR}"
        raise EngineUnavailable("piper", reason, "Run `pip install --force-reinstall piper-tts`")


@functools.cache
def stop_growth() -> None:
    """Wrap the bridge's two calls so that they give back what they keep. Once for the process."""
    import piper.espeakbridge  # noqa: PLC0415

    bridge: Any = piper.espeakbridge
    bridge.set_voice = _emptying_queue(bridge)
    # To drop a reference that somebody holds would crash: only where it is known that nobody does.
    if version("piper-tts").split(".")[:2] in _KEEPS_REFERENCES:
        bridge.get_phonemes = _returning_references(bridge.get_phonemes)


def _returning_references(get_phonemes: Callable[[str], list[Any]]) -> Callable[[str], list[Any]]:
    def call(text: str) -> list[Any]:
        clauses = get_phonemes(text)
        return_references(clauses)
        return clauses

    return call


def return_references(items: Sequence[object]) -> None:
    """Drop one reference to each of `items` that has exactly one more than the sequence accounts for.

    Only for objects that nothing but the sequence refers to, and what forgot that it did.
    """
    (expected,) = _references([(object(),)])  # a new one, counted in whatever way this Python counts
    for item, count in zip(items, _references(items), strict=True):
        if count == expected + 1:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(item))


def _references(items: Sequence[object]) -> list[int]:
    return [sys.getrefcount(item) for item in items]


def _emptying_queue(bridge: Any) -> Callable[[str], None]:
    """`set_voice` and then a synthesis of nothing, 10 µs, in which espeak-ng works off its queue."""
    set_voice: Callable[[str], None] = bridge.set_voice
    try:
        # With the GIL held, as the bridge's own calls are.
        synthesize = ctypes.PyDLL(bridge.__file__).espeak_Synth
    except (OSError, AttributeError):  # a build that keeps its symbols to itself
        return set_voice
    synthesize.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
        ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip

    def call(voice: str) -> None:
        set_voice(voice)
        synthesize(b"", 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)

    return call
