"""What is said to somebody whose language nothing here can serve: a command that mends it."""

import re

import pytest

from dragoman.models import remedies
from dragoman.models.base import LanguagePair
from dragoman.models.files.catalogue import Catalogue
from dragoman.models.files.errors import CatalogueFault


def pulled(text: str) -> list[str]:
    """The models of the command in a remedy; every one of them exists."""
    (names,) = re.findall(r"'dragoman models pull ([^']+)'", text)
    return [Catalogue.load().get(name).name for name in names.split()]


@pytest.mark.parametrize(
    ("pair", "names"),
    [
        ("en→de", ["firefox-en_de"]),
        ("de→en", ["firefox-de_en"]),
        ("fr→de", ["firefox-fr_en", "firefox-en_de"]),
        ("es→pt", ["translate-es_pt"]),
        ("es→fr", ["firefox-es_en", "firefox-en_fr"]),
    ],
)
def test_a_pair(pair: str, names: list[str]) -> None:
    source, _, target = pair.partition("→")
    text = remedies.for_translation(LanguagePair(source, target))
    assert pulled(text) == names
    assert ("apt-get install apertium" in text) == ({source, target} <= {"en", "es", "fr", "pt"})


def test_a_pair_without_a_package() -> None:
    text = remedies.for_translation(LanguagePair("cy", "de"))
    assert "translate-cy_en and translate-en_de, which the catalogue lacks" in text
    assert "'dragoman install FILE'" in text


def test_a_recogniser() -> None:
    assert pulled(remedies.for_recognition("de")) == ["small"]
    assert pulled(remedies.for_recognition("en")) == ["small"]
    assert "pip install 'dragoman[embedded]'" in remedies.for_recognition("en")
    assert remedies.for_recognition("gd") == "No model that Dragoman knows hears 'gd'"


def test_a_voice() -> None:
    assert pulled(remedies.for_speech("es")) == ["es_ES-davefx-medium"]
    assert remedies.for_speech("gd") == "Install the embedded voices (pip install 'dragoman[embedded]')"


def test_a_broken_catalogue_does_not_hide_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Catalogue:
        raise CatalogueFault("models.toml: not TOML")

    monkeypatch.setattr(Catalogue, "load", broken)
    assert "translate-en_de" in remedies.for_translation(LanguagePair("en", "de"))
    assert remedies.for_recognition("de") == "No model that Dragoman knows hears 'de'"
