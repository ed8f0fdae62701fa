"""Mozilla's translation models, as Firefox ships them: small, quick on a processor, each for one pair.

fxtranslate runs them, in child processes (`child.py` says why). What a text is made to be before a model gets it stands
in `pieces.py`.
"""

import importlib.util
import json
import logging
import os
import threading
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

from dragoman.config.settings import FirefoxSettings, default_table
from dragoman.models.base import Batching, LanguagePair
from dragoman.models.engines.firefox.files import (
    EMBEDDED_REMEDY,
    NAME,
    FirefoxModel,
    broken,
    packaged_models,
    pulled_folders,
    read_model,
)
from dragoman.models.engines.firefox.pieces import Piece, Vocabulary, pieces
from dragoman.models.errors import EngineFailed, EngineUnavailable, TextRefused
from dragoman.models.processes.children import ChildPool, ChildRefused

MOST_PIECES = 300
"""What a text may have: some 20 000 words without an end. It would hold one of few processes for a minute."""

PIECES_AT_ONCE = 8
"""How many pieces a child gets with one question: enough for any usual text, few enough to be bounded in time."""

_log = logging.getLogger(__name__)


class FirefoxTranslator:
    """Translates by every model of Firefox Translations that is here (a `Translator`).

    Models in `folder` were pulled, others come inside packages; of two for a pair the pulled one is used. A child keeps
    `settings.models` of them loaded, and loads another in about a tenth of a second. `broken` says what is wrong with
    models that cannot be used. Without `settings` the packaged defaults hold. Raises EngineUnavailable where there is
    no model at all, or nothing to run one.
    """

    name = NAME
    neural = True

    def __init__(self, folder: Path | None, settings: FirefoxSettings | None = None) -> None:
        chosen = settings or FirefoxSettings(**default_table()["engines"]["firefox"])
        self._kept = chosen.models
        self.batching = Batching(workers=chosen.workers)
        spec = importlib.util.find_spec("fxtranslate")
        if spec is None or not spec.submodule_search_locations:
            raise EngineUnavailable(self.name, "the package fxtranslate is not installed", EMBEDDED_REMEDY)
        library = Path(spec.submodule_search_locations[0]).parent
        packaged, faults = packaged_models()
        self._models = {model.pair: model for model in packaged}
        self.broken: tuple[EngineUnavailable, ...] = tuple(faults)
        for place in pulled_folders(folder) if folder is not None else ():
            try:
                model = read_model(place)
                self._models[model.pair] = model
            except EngineUnavailable as error:
                self.broken += (error,)
        if not self._models:
            remedy = f"{EMBEDDED_REMEDY}, or `dragoman models pull --for LANGUAGES`"
            raise self.broken[0] if self.broken else EngineUnavailable(self.name, "there is no model for it", remedy)
        self._lock = threading.Lock()  # guards the one below
        self._vocabularies: dict[Path, Vocabulary] = {}
        self._children = ChildPool(
            self.name,
            "dragoman.models.engines.firefox.child",
            [str(chosen.models)],
            paths=[os.fspath(library)],
            most=chosen.workers,
        )
        weakref.finalize(self, self._children.close)
        try:
            self._children.start()
        except (ChildRefused, EngineFailed) as error:
            self._children.close()
            raise EngineUnavailable(self.name, f"fxtranslate cannot be loaded ({error})", EMBEDDED_REMEDY) from error
        self.pairs = frozenset(self._models)

    @property
    def process_ids(self) -> list[int]:
        """The children that run now."""
        return self._children.process_ids

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order; blanks and line breaks stay as they are.

        Raises EngineFailed, and TextRefused for a text that ended its process again and again, or of too many pieces.
        """
        model = self._models.get(pair)
        if model is None:
            raise EngineFailed(self.name, f"{pair} is not installed")
        return [self._translated(model, text) for text in texts]

    def warm(self, pairs: Iterable[LanguagePair]) -> None:
        """Try the models of `pairs`, as many as a child keeps, those from and to English first; the last stay loaded.

        One that does not work leaves `pairs` and is told in `broken`.
        """
        wanted = sorted(pairs, key=lambda pair: (pair.source != "en", pair.target != "en", pair))[: self._kept]
        for pair in wanted:
            model = self._models[pair]
            try:
                self._translated(model, "a")
            except EngineFailed as error:
                self.broken += (broken(model.weights.parent, str(error)),)
                del self._models[pair]
        self.pairs = frozenset(self._models)

    def close(self) -> None:
        """End the processes. Idempotent."""
        self._children.close()

    def _translated(self, model: FirefoxModel, text: str) -> str:
        vocabulary = self._vocabulary(model)
        parts = list(pieces(text, vocabulary))
        if sum(bool(part.text) for part in parts) > MOST_PIECES:
            raise TextRefused(self.name, f"a text of {len(text):,} characters is too long")
        made = self._made(model, parts)
        return "".join(done if done is not None else self._divided(model, piece, vocabulary) for piece, done in made)

    def _divided(self, model: FirefoxModel, piece: Piece, vocabulary: Vocabulary) -> str:
        """A piece whose marks did not come back: what they stand for divides it."""
        made = self._made(model, list(pieces(piece.source, vocabulary, marks=False)))
        # Without marks there is none to miss, but for one that the text itself had, or that the model made up.
        return piece.before + "".join(done if done is not None else part.source for part, done in made) + piece.after

    def _made(self, model: FirefoxModel, parts: list[Piece]) -> list[tuple[Piece, str | None]]:
        wanted = [part.text for part in parts if part.text]
        answers: list[str] = []
        for first in range(0, len(wanted), PIECES_AT_ONCE):
            answers += self._ask(model, wanted[first : first + PIECES_AT_ONCE])
        given = iter(answers)
        return [(part, part.finish(next(given)) if part.text else part.before) for part in parts]

    def _ask(self, model: FirefoxModel, sentences: list[str]) -> list[str]:
        try:
            answer = self._children.ask((model.paths, sentences), time_limit_s(len(sentences)))
        except ChildRefused as error:
            raise EngineFailed(self.name, f"{model.pair}: {error}") from error
        made: list[str] = json.loads(answer)
        if len(made) != len(sentences):
            raise EngineFailed(self.name, f"gave {len(made)} translations for {len(sentences)} sentences")
        return made

    def _vocabulary(self, model: FirefoxModel) -> Vocabulary:
        with self._lock:
            if (known := self._vocabularies.get(model.source_vocabulary)) is None:
                try:
                    known = self._vocabularies[model.source_vocabulary] = Vocabulary(model.source_vocabulary)
                except (OSError, RuntimeError, ValueError, ImportError) as error:
                    raise EngineFailed(self.name, f"{model.pair}: its vocabulary cannot be read ({error})") from error
            return known


def time_limit_s(sentences: int) -> float:
    """How long a child may take over so many sentences: 50 times of what the longest need on a core of their own."""
    return 10.0 + 5.0 * sentences
