"""Measures what ways of translating are worth, for `config/worth.toml`: python -m dragoman.bench.worth SENTENCES.json

The file is a JSON list of objects with the same sentence in several languages, by their codes: {"en": "…", "es": "…"};
or what is in `references` of such an object, as in `recordings.json`. Every way over the installed translators between
two of these languages is measured (chrF of all sentences together), and printed as lines of the table, the best first.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import sacrebleu

from dragoman.config.settings import load_settings
from dragoman.models.base import LanguagePair, Translator
from dragoman.models.errors import EngineUnavailable
from dragoman.models.loading import load_translators
from dragoman.models.routes import MAX_STEPS, offers
from dragoman.models.text.canonical import canonical
from dragoman.models.text.finishing import finished
from dragoman.models.worth import Step, route_name

Sentences = Mapping[str, Sequence[str]]
"""The same sentences in each language, in the same order."""


def read_sentences(text: str) -> Sentences:
    """The sentences that are there in every language of the file. Raises ValueError for another form."""
    rows = [row.get("references", row) if isinstance(row, dict) else row for row in json.loads(text)]
    if not all(isinstance(row, dict) and all(isinstance(said, str) for said in row.values()) for row in rows):
        raise ValueError("this is no list of sentences by language")
    languages = {code for row in rows for code in row}
    whole = [row for row in rows if set(row) == languages]
    if not whole:
        raise ValueError("no sentence is there in every language of the file")
    return {code: [canonical(row[code]) for row in whole] for code in sorted(languages)}


class Measure:
    """Translates by ways that share their beginnings, each beginning once."""

    def __init__(self, translators: Sequence[Translator], sentences: Sentences) -> None:
        self._translators = {engine.name: engine for engine in translators}
        self._sentences = sentences
        self._made: dict[tuple[Step, ...], Sequence[str]] = {}

    def ways(self) -> Iterator[tuple[str, float]]:
        """Every way by its name with its chrF, pair by pair, the best of each first."""
        known = set(self._sentences)
        steps = [step for engine in self._translators.values() for step in offers(engine.name, engine.pairs)]
        steps = [step for step in steps if set(step.pair) <= known]
        for source in self._sentences:
            ways = [(way, self.chrf(way)) for way in _walk(steps, source, ())]
            for target in self._sentences:
                there = [(route_name(way), chrf) for way, chrf in ways if way[-1].pair.target == target]
                yield from sorted(there, key=lambda way: -way[1])

    def chrf(self, steps: tuple[Step, ...]) -> float:
        """chrF of one way over all sentences."""
        return sacrebleu.corpus_chrf(self._translated(steps), [self._sentences[steps[-1].pair.target]]).score

    def _translated(self, steps: tuple[Step, ...]) -> Sequence[str]:
        if not steps:
            raise ValueError("a way has at least one step")
        if steps not in self._made:
            before, (pair, engine) = steps[:-1], steps[-1]
            texts = self._translated(before) if before else self._sentences[pair.source]
            made = self._translators[engine].translate(pair, texts)
            self._made[steps] = [
                finished(text, done, LanguagePair(*pair)) for text, done in zip(texts, made, strict=True)
            ]
        return self._made[steps]


def _walk(steps: Sequence[Step], source: str, before: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Every way from `source` that goes on from `before` and comes to no language twice."""
    seen = {source, *(step.pair.target for step in before)}
    here = before[-1].pair.target if before else source
    for step in steps:
        if step.pair.source == here and step.pair.target not in seen:
            way = (*before, step)
            yield way
            if len(way) < MAX_STEPS:
                yield from _walk(steps, source, way)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, help="a JSON file of sentences by language")
    parser.add_argument("--config", type=Path, help="a file of settings")
    chosen = parser.parse_args()
    try:
        sentences = read_sentences(chosen.sentences.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"cannot read {chosen.sentences}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    missing: list[EngineUnavailable] = []
    translators = load_translators(load_settings(chosen.config), missing)
    for absent in missing:
        print(f"# missing: {absent}")  # noqa: T201
    print(f"# {len(next(iter(sentences.values())))} sentences in {', '.join(sentences)}")  # noqa: T201
    try:
        for name, chrf in Measure(translators, sentences).ways():
            print(f'"{name}" = {chrf:.1f}', flush=True)  # noqa: T201
    finally:
        for engine in translators:
            engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
