"""Numbers in the form of the target: from each of five languages into each other."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import LanguagePair
from dragoman.models.text.finishing import finished
from dragoman.models.text.numbers import localised

WAYS = list(permutations(("en", "es", "fr", "de", "pt"), 2))

FORMS = [
    {"en": "35,400", "es": "35.400", "fr": "35\u202f400", "de": "35.400", "pt": "35.400"},
    {"en": "1,250,000", "es": "1.250.000", "fr": "1\u202f250\u202f000", "de": "1.250.000", "pt": "1.250.000"},
    {"en": "3.5", "es": "3,5", "fr": "3,5", "de": "3,5", "pt": "3,5"},
    {"en": "0.125", "es": "0,125", "fr": "0,125", "de": "0,125", "pt": "0,125"},
    {"en": "1,250.50", "es": "1.250,50", "fr": "1\u202f250,50", "de": "1.250,50", "pt": "1.250,50"},
    {"en": "-7.25", "es": "-7,25", "fr": "-7,25", "de": "-7,25", "pt": "-7,25"},
    {"en": "2.5–3.5", "es": "2,5–3,5", "fr": "2,5–3,5", "de": "2,5–3,5", "pt": "2,5–3,5"},
    {"en": "3.5km", "es": "3,5km", "fr": "3,5km", "de": "3,5km", "pt": "3,5km"},
    {"en": "$5.99", "es": "5,99\u00a0$", "fr": "5,99\u00a0$", "de": "5,99\u00a0$", "pt": "$\u00a05,99"},
    {"en": "€5.99", "es": "5,99\u00a0€", "fr": "5,99\u00a0€", "de": "5,99\u00a0€", "pt": "€\u00a05,99"},
    {"en": "£5", "es": "5\u00a0£", "fr": "5\u00a0£", "de": "5\u00a0£", "pt": "£\u00a05"},
    {"en": "US$5", "es": "5\u00a0US$", "fr": "5\u00a0US$", "de": "5\u00a0US$", "pt": "US$\u00a05"},
    {"en": "3.5%", "es": "3,5\u00a0%", "fr": "3,5\u00a0%", "de": "3,5\u00a0%", "pt": "3,5%"},
    {"en": "50%", "es": "50\u00a0%", "fr": "50\u00a0%", "de": "50\u00a0%", "pt": "50%"},
]  # fmt: skip

SAME = [
    "5:30", "17:45:10", "1:30.5", "2024-11-28", "28/11/2024", "28.11.2024", "1.2.3", "v1.2", "192.168.0.1", "10.0.0.1",
    "192.168.100.200", "+1.555.123.456", "555-1234", "01 23 45 67 89", "5, 10", "1, 2, 3", "1,2,3", "2024", "1980",
    "12", "1/2", "1st", "x3.5y", "GPT-3.5", "00.123",
]  # fmt: skip


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: forms["en"])
def test_every_way(forms: dict[str, str]) -> None:
    for source, target in WAYS:
        said = f"Ab {forms[source]} cd."
        pair = LanguagePair(source, target)
        wanted = f"Ab {forms[target]} cd."
        assert localised(said, said, pair) == wanted, pair
        assert localised(said, wanted, pair) == wanted, f"{pair}: again, or by a translator that knows it"


@pytest.mark.parametrize("text", SAME)
def test_what_is_no_number_stays(text: str) -> None:
    for way in WAYS:
        said = f"Ab {text} cd, {text}."
        assert localised(said, said, LanguagePair(*way)) == said, way


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("en", "at 5.30 pm or 5.30pm"),
        ("en", "we meet at 5.30."),
        ("en", "see chapter 3.5, version 2.0, § 4.2 and Python 3.11"),
        ("en", "IP 1.2, tel. 555.123"),
        ("en", "5,10 and 6,11"),
        ("de", "um 5.30 Uhr am 3.12."),
        ("de", "am 3.12. geht es los, vom 4.12. an"),
        ("fr", "en 2024 300 personnes, au 555 123 4567"),
        ("es", "a las 5.30, en el capítulo 3.5"),
        ("pt", "às 5.30 horas"),
    ],
)
def test_what_is_no_number_by_what_stands_around_it(source: str, said: str) -> None:
    for target in {"en", "es", "fr", "de", "pt"} - {source}:
        assert localised(said, said, LanguagePair(source, target)) == said


@pytest.mark.parametrize(
    ("source", "target", "said", "translated", "wanted"),
    [
        # What the translator has converted, and what it has not.
        ("en", "es", "1,234 and 1.234", "1.234 y 1,234", "1.234 y 1,234"),
        ("en", "es", "1,234 and 1.234", "1,234 y 1.234", "1.234 y 1,234"),
        ("en", "es", "35,400 of 1.5", "35.400 de 1.5", "35.400 de 1,5"),
        ("en", "es", "$5.99", "5,99 dólares", "5,99 dólares"),
        ("es", "en", "1.500 personas", "1,500 people", "1,500 people"),
        ("en", "pt", "$5.99", "5,99 $", "5,99 $"),
        # A point in a language of commas, commas for thousands in one of points.
        ("es", "pt", "3.5 kilos", "3.5 quilos", "3,5 quilos"),
        ("es", "fr", "1,250,000", "1,250,000", "1\u202f250\u202f000"),
        ("fr", "es", "20.000 ou 35 400", "20.000 o 35 400", "20.000 o 35.400"),
        ("de", "en", "1'000 Leute", "1'000 people", "1,000 people"),
        ("en", "es", ".5 percent", ".5 por ciento", "0,5 por ciento"),
        ("en", "hi", ".5 of 1,234,567", ".5 of 1,234,567", ".5 of 12,34,567"),
        ("hi", "en", "12,34,567", "12,34,567", "1,234,567"),
        ("ja", "es", "約35,400人", "unas 35,400 personas", "unas 35.400 personas"),
        ("en", "tr", "5%", "5%", "%5"),
        # A sign stands behind the whole number, and not in the middle of a word.
        ("en", "es", "He paid $1.5 million.", "Pagó $1.5 millones.", "Pagó 1,5 millones de $."),
        ("en", "es", "$20 thousand", "$20 mil", "20 mil $"),
        ("en", "de", "$5M or $1.5 million", "$5M oder $1.5 Millionen", "5M\u00a0$ oder 1,5 Millionen $"),
        ("es", "en", "5,99 €, 1,5 millones de €", "5,99 €, 1,5 million €", "€5.99, 1.5 million €"),
        ("en", "es", "US$5", "EE.UU.$5", "EE.UU.$5"),
        ("en", "es", "a 3.5-litre engine", "un motorde3.5 litros", "un motorde3,5 litros"),
        # Nothing to compare with.
        ("en", "es", "none", "35,400", "35,400"),
        ("en", "es", "35,400", "ninguno", "ninguno"),
        ("en", "xx", "35,400", "35,400", "35,400"),
        ("xx", "en", "35.400", "35.400", "35.400"),
    ],
)
def test_translations(source: str, target: str, said: str, translated: str, wanted: str) -> None:
    pair = LanguagePair(source, target)
    assert localised(said, translated, pair) == wanted
    assert finished(said, finished(said, translated, pair), pair) == wanted


AMOUNTS = sorted({*SAME, *(form for forms in FORMS for form in forms.values())})


@given(st.lists(st.sampled_from(AMOUNTS), max_size=4), st.sampled_from([" x ", ", ", ". "]), st.sampled_from(WAYS))
def test_again_changes_nothing(amounts: list[str], between: str, way: tuple[str, str]) -> None:
    pair, text = LanguagePair(*way), between.join(amounts)
    once = finished(text, text, pair)
    assert finished(text, once, pair) == once
