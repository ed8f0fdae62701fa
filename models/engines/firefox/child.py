"""fxtranslate in a process of its own: sentences in, translations out (`translator.py` asks).

It holds the interpreter's lock while it translates, and a `Translator` belongs to the thread that made it: here it has
an interpreter and a thread for itself. The interface is that of fxtranslate 0.5 (`fxtranslate/__init__.pyi`).

The argument is how many models are kept loaded; the one that was not used for longest makes room. A question is a
model, as the paths of its weights, its two vocabularies and its shortlist (empty: none), and a list of sentences, none
longer than what the model takes at once; the answer is the list of translations, as JSON.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

from dragoman.models.processes.serving import serve


class _Translator(Protocol):
    """`fxtranslate.Translator`."""

    def translate(self, text: str) -> str: ...


class Models:
    """The loaded models, `most` at once."""

    def __init__(self, most: int) -> None:
        import fxtranslate  # noqa: PLC0415  (in the child alone)

        self._make: Any = fxtranslate.Translator
        self._most = most
        self._loaded: OrderedDict[tuple[str, ...], _Translator] = OrderedDict()

    def answer(self, question: Any) -> bytes:
        """What a question gets; see the module."""
        paths, sentences = question
        model = self._model(tuple(paths))
        return json.dumps([model.translate(sentence) for sentence in sentences]).encode()

    def _model(self, paths: tuple[str, ...]) -> _Translator:
        if (loaded := self._loaded.get(paths)) is not None:
            self._loaded.move_to_end(paths)
            return loaded
        while len(self._loaded) >= self._most:
            self._loaded.popitem(last=False)
        weights, source, target, shortlist = paths
        words = Path(source).read_bytes()
        made: _Translator = self._make(
            Path(weights).read_bytes(),
            words,
            words if target == source else Path(target).read_bytes(),
            Path(shortlist).read_bytes() if shortlist else None,
        )
        self._loaded[paths] = made
        return made


def main() -> None:
    """The child's whole life."""
    serve(lambda: Models(int(sys.argv[1])).answer)
