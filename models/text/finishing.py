"""All that is done to a translation between its translator and whoever reads or hears it."""

from dragoman.models.base import LanguagePair
from dragoman.models.text.canonical import canonical
from dragoman.models.text.numbers import localised
from dragoman.models.text.tidy import tidy


def finished(source: str, text: str, pair: LanguagePair) -> str:
    """`text`, which a translator made of `source`, as a client gets it. Doing it again changes nothing."""
    return localised(source, tidy(source, canonical(text), pair.target), pair)
