"""Who hears which language, and why."""

import pytest

from dragoman.models.errors import NoRecognizer
from dragoman.models.hearers import Hearers
from tests.fakes.engines import FakeRecognizer


def fake(name: str, *languages: str, device: str = "") -> FakeRecognizer:
    recognizer = FakeRecognizer(lambda request: "hello", languages)
    recognizer.name = name
    if device:
        recognizer.device = device  # type: ignore[attr-defined]
    return recognizer


MANY = fake("many", "en", "es", "fr")
ENGLISH = fake("english", "en")


def test_nothing_to_choose_needs_no_reason() -> None:
    hearers = Hearers([MANY])
    assert hearers.choice("es").recognizer is MANY
    assert hearers.reasons == {}
    assert hearers.languages == {"en", "es", "fr"}


@pytest.mark.parametrize("recognizers", [[MANY, ENGLISH], [ENGLISH, MANY]])
def test_on_a_processor_one_that_hears_a_language_alone_is_quicker(recognizers: list[FakeRecognizer]) -> None:
    hearers = Hearers(recognizers)
    assert hearers.choice("en").recognizer is ENGLISH
    assert hearers.reasons == {"en": "english, because it hears this language alone and is quicker"}
    assert hearers.best(frozenset({"en"})) is ENGLISH
    assert hearers.best(frozenset({"en", "es"})) is MANY
    assert hearers.best(frozenset()) is MANY


def test_a_gpu_is_quicker_still() -> None:
    gpu = fake("many", "en", "es", device="cuda:1")
    hearers = Hearers([fake("english", "en", device="cpu"), gpu])
    assert hearers.choice("en").recognizer is gpu
    assert hearers.reasons == {"en": "many, because it runs on a GPU"}


def test_of_two_alike_the_first_counts() -> None:
    one, other = fake("one", "en", "es"), fake("other", "en", "fr")
    assert Hearers([one, other]).reasons == {"en": "one, because it comes first of those that are installed"}
    assert Hearers([ENGLISH, fake("english too", "en")]).choice("en").recognizer is ENGLISH


@pytest.mark.parametrize(
    ("order", "chosen"),
    [
        (["many"], "many"),
        (["english", "many"], "english"),
        (["absent", "many"], "many"),
        (["absent"], "english"),
        ([], "english"),
    ],
)
def test_the_operator_has_the_first_word(order: list[str], chosen: str) -> None:
    hearers = Hearers([fake("gpu", "es", device="cuda"), MANY, ENGLISH], {"en": order})
    assert hearers.choice("en").recognizer.name == chosen
    assert hearers.best(frozenset({"en"})).name == chosen
    said = "engines.recognizers says so" in hearers.reasons["en"]
    assert said == (chosen in order)


def test_an_order_of_who_does_not_hear_the_language_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"engines\.recognizers: english does not hear 'es'"):
        Hearers([MANY, ENGLISH], {"es": ["english"]})


def test_a_language_that_nobody_hears() -> None:
    with pytest.raises(NoRecognizer):
        Hearers([ENGLISH]).choice("es")
    with pytest.raises(NoRecognizer):
        Hearers([ENGLISH]).best(frozenset({"es"}))
    with pytest.raises(NoRecognizer):
        Hearers([]).best(frozenset())
    assert Hearers([]).reasons == {}
