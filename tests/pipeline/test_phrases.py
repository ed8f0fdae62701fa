import pytest

from dragoman.pipeline.phrases import CONJUNCTIONS, OPENERS, joins, opens


def test_conjunctions_and_openers() -> None:
    assert joins("and", "en")
    assert joins("Und,", "de")
    assert not joins("of", "en")
    assert opens("of", "en")
    assert opens("«y", "es")
    assert not opens("house", "en")
    assert not opens("the", "xx")


@pytest.mark.parametrize("language", sorted(OPENERS))
def test_the_lists_have_words_that_are_compared_in_lower_case(language: str) -> None:
    words = OPENERS[language] | CONJUNCTIONS[language]
    assert all(word == word.lower() and opens(word, language) for word in words)
