"""What recognisers leave in their texts; what translators leave is in `test_tidy.py` and `test_numbers.py`."""

from dragoman.models.base import Hypothesis, Word
from dragoman.models.text.finishing import heard


def test_no_stop_is_a_word_of_its_own() -> None:
    words = (Word("Hello", 0.0, 0.5, 0.9), Word(" ,", 0.5, 0.6), Word(" cafe\u0301", 0.6, 1.0), Word("...", 1.0, 1.1))
    found = heard(Hypothesis("Hello , cafe\u0301 .", "en", words, english="x"))
    assert found.text == "Hello, café."
    assert found.words == (Word("Hello,", 0.0, 0.6, 0.9), Word(" cafe\u0301...", 0.6, 1.1))
    assert (found.language, found.english) == ("en", "x")


def test_confidences_stay_as_many_as_the_words() -> None:
    assert heard(Hypothesis("Well .", "en", confidences=(0.5, 0.4))).confidences == ()
    assert heard(Hypothesis("e\u0301t .", "fr", confidences=(0.5,))).confidences == (0.5,)


def test_what_is_in_order_is_not_touched() -> None:
    found = Hypothesis("Ça va ? Oui, merci.", "fr", (Word("Oui,", 0.0, 1.0),), confidences=(0.5,))
    assert heard(found) is found
