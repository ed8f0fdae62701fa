"""The real Argos Translate says the same as our reading of its packages: same package, same text, same translation.

It brings PyTorch, so that it is installed in an environment of its own: `make parity`.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.engines.argos.translator import ArgosTranslator
from dragoman.models.routes import RouteMap
from dragoman.models.sentences import split_sentences
from tests.fakes.argos import PREFIX, argos_settings, bpe_files, package_files, unpacked

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("argostranslate") is None,
        reason="argostranslate is not installed here; `make parity` installs it and runs this",
    ),
    pytest.mark.timeout(300),
]

REFERENCE = Path(__file__).with_name("argos_reference.py")
SENTENCES = [
    "Ever tried.",
    "ever tried",
    "EVER FAILED!",
    "No matter?",
    "Try again, fail again; fail better: good morning.",
    "The house of my friend is big",
    "It costs 3.50 at 10:30, on 2024-05-06",
    "“Quoted”, 'single' and \"double\" – with dashes — and (brackets) [too]",
    "a_b under_score ▁ mark",
    "  leading,   many    blanks\t and a tab  ",
    "no-break\u00a0blank and narrow\u202fone and\u3000wide one",
    "ünknown Ω 漢字 العربية हिन्दी 🙂",
    "¿Qué tal?",
    "e\u0301 and é, ﬁ and fi, ½, ™, ①",
    "www.example.com/a?b=c&d=e, me@example.com #tag @name",
    "&amp; <b>bold</b> &#39; |",
    "x",
    ".",
    "it was the best of times, it was the worst of times, it was the age of wisdom, we had everything before us,",
]
TEXTS = [
    "",
    "   ",
    "Ever tried. Ever failed. No matter.",
    "Ever tried! Ever failed? Try again. Fail again. Fail better.",
]
PAIRS = [
    LanguagePair("en", "de"),  # SentencePiece
    LanguagePair("de", "fr"),  # SentencePiece, with a target prefix
    LanguagePair("en", "ru"),  # byte pair encoding
    LanguagePair("fr", "en"),  # byte pair encoding, first version
    LanguagePair("en", "fr"),  # by way of German
    LanguagePair("fr", "ru"),  # by way of English
]
ROUTES = {"de→fr": 1, "en→fr": 2, "fr→ru": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("argos")
    unpacked(place / "translate-en_de", package_files("en", "de"))
    unpacked(place / "translate-de_fr", package_files("de", "fr", seed=1, target_prefix=PREFIX))
    unpacked(place / "translate-en_ru", bpe_files("en", "ru", seed=2))
    unpacked(place / "translate-fr_en", bpe_files("fr", "en", seed=3, version="0.1"))
    return place


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[ArgosTranslator]:
    translator = ArgosTranslator(folder, argos_settings(device="cpu"))
    yield translator
    translator.close()


def cases() -> list[tuple[LanguagePair, str]]:
    # With a target prefix only single sentences: the prefix of later ones stays in the text there.
    return [(pair, text) for pair in PAIRS for text in SENTENCES + ([] if pair.target == "fr" else TEXTS)]


@pytest.fixture(scope="module")
def theirs(folder: Path) -> dict[tuple[LanguagePair, str], str]:
    """What Argos Translate says to every case."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ARGOS_PACKAGES_DIR": str(folder),
        "ARGOS_DEVICE_TYPE": "cpu",
        # Whatever it would download, nobody is there.
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "HF_HUB_OFFLINE": "1",
    }
    asked = json.dumps([[*pair, text] for pair, text in cases()])
    done = subprocess.run(
        [sys.executable, str(REFERENCE)], input=asked, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(cases(), json.loads(done.stdout), strict=True))


def steps(engine: ArgosTranslator, pair: LanguagePair, text: str) -> list[str]:
    """What we say in each language on the way."""
    route = RouteMap(engine.pairs).route(*pair)
    assert route is not None
    said = [text]
    for step in route:
        said += engine.translate(step, said[-1:])
    return said[1:]


def is_comparable(said: list[str]) -> bool:
    """Whether what was said on the way is one sentence for everybody; these models put full stops anywhere."""
    return not any(re.search(r"[.!?]\s*\S", text) for text in said[:-1])


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_same_package_same_text_same_translation(
    engine: ArgosTranslator, theirs: dict[tuple[LanguagePair, str], str], pair: LanguagePair
) -> None:
    said = {text: steps(engine, pair, text) for other, text in cases() if other == pair}
    compared = {text: ours[-1] for text, ours in said.items() if is_comparable(ours)}
    assert len(compared) > len(said) / 4
    assert compared == {text: theirs[pair, text].strip() for text in compared}


def test_there_is_something_to_compare(theirs: dict[tuple[LanguagePair, str], str]) -> None:
    different = {said.strip() for said in theirs.values()}
    assert len(different) > len(theirs) * 0.7


def test_a_text_has_as_many_sentences_here_as_there(engine: ArgosTranslator) -> None:
    """What is compared in TEXTS is the joining, so both must cut in the same places."""
    assert [len(split_sentences(text)) for text in TEXTS] == [0, 0, 3, 5]


def test_routes_are_those_that_are_meant(engine: ArgosTranslator) -> None:
    routes = RouteMap(engine.pairs)
    assert {str(pair): len(routes.route(*pair) or ()) for pair in PAIRS if str(pair) in ROUTES} == ROUTES
