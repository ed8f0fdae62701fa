"""All that is done to a text between the engine that wrote it and whoever reads or hears it."""

from dataclasses import replace

from dragoman.models.base import Hypothesis, LanguagePair, Word
from dragoman.models.text.canonical import canonical
from dragoman.models.text.numbers import localised
from dragoman.models.text.tidy import tidy, without_blanks_before_stops

_STOPS = frozenset({".", ",", "...", "…", "。", "，", "、"})


def finished(source: str, text: str, pair: LanguagePair) -> str:
    """`text`, which a translator made of `source`, as a client gets it. Doing it again changes nothing."""
    return localised(source, tidy(source, canonical(text), pair.target), pair)


def heard(hypothesis: Hypothesis) -> Hypothesis:
    """What a recogniser wrote, as a client gets it: no stop is a word of its own."""
    text = without_blanks_before_stops(canonical(hypothesis.text), hypothesis.language)
    if text == hypothesis.text and not any(word.text.strip() in _STOPS for word in hypothesis.words):
        return hypothesis
    counted = len(hypothesis.confidences) == len(text.split())
    confidences = hypothesis.confidences if counted else ()
    return replace(hypothesis, text=text, words=_joined(hypothesis.words), confidences=confidences)


def _joined(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words with each stop behind the word before it."""
    joined: list[Word] = []
    for word in words:
        if joined and word.text.strip() in _STOPS:
            before = joined[-1]
            joined[-1] = replace(before, text=before.text.rstrip() + word.text.strip(), stop_s=word.stop_s)
        else:
            joined.append(word)
    return tuple(joined)
