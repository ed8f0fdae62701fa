"""Which of the installed recognisers hears which language, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.models import remedies
from dragoman.models.base import Recognizer
from dragoman.models.errors import NoRecognizer


@dataclass(frozen=True, slots=True)
class Choice:
    """`why` is for people, and stands behind "because"; empty where there was nothing to choose."""

    recognizer: Recognizer
    why: str = ""


class Hearers:
    """The recognisers in order of preference; `orders` are the operator's, by language: those that are named go first.

    Otherwise a recogniser on a GPU goes first; then one that hears a language alone, since on a processor it is several
    times quicker than one of a hundred languages, and its delay that much shorter; then the order counts. Raises
    ValueError where an order names one that does not hear the language.
    """

    def __init__(self, recognizers: Sequence[Recognizer], orders: Mapping[str, Sequence[str]] | None = None) -> None:
        self._recognizers = tuple(recognizers)
        self._orders = dict(orders or {})
        for language, names in self._orders.items():
            for engine in self._recognizers:
                if engine.name in names and language not in engine.languages:
                    raise ValueError(f"engines.recognizers: {engine.name} does not hear '{language}'")

    @property
    def languages(self) -> frozenset[str]:
        """Every language that somebody hears."""
        return frozenset(code for engine in self._recognizers for code in engine.languages)

    @property
    def reasons(self) -> dict[str, str]:
        """For each language that several hear, why one of them does: `"moonshine, because …"`."""
        chosen = {code: self.choice(code) for code in sorted(self.languages)}
        return {code: f"{one.recognizer.name}, because {one.why}" for code, one in chosen.items() if one.why}

    def choice(self, language: str) -> Choice:
        """Who hears speech in a language that is known beforehand. Raises NoRecognizer."""
        able = {engine.name: engine for engine in self._recognizers if language in engine.languages}
        if not able:
            raise NoRecognizer(language, remedies.for_recognition(language))
        first, *others = able.values()
        if not others:
            return Choice(first)
        for name in self._orders.get(language, ()):
            if name in able:
                return Choice(able[name], "engines.recognizers says so")
        for engine in able.values():
            if getattr(engine, "device", "").startswith("cuda"):
                return Choice(engine, "it runs on a GPU")
        for engine in able.values():
            if engine.languages == {language}:
                return Choice(engine, "it hears this language alone and is quicker")
        return Choice(first, "it comes first of those that are installed")

    def best(self, languages: frozenset[str]) -> Recognizer:
        """Who hears all of `languages`, or most of them; any language may come where none is named.

        Raises NoRecognizer where there is no recogniser at all, or none for a single language.
        """
        if len(languages) == 1:
            return self.choice(*languages).recognizer
        if not self._recognizers:
            raise NoRecognizer("en", remedies.for_recognition("en"))
        return max(
            self._recognizers, key=lambda engine: len(engine.languages & languages if languages else engine.languages)
        )
