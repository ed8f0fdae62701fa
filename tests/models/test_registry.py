"""Which engine serves what, and what a session gets when nobody does."""

import asyncio
import gc
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from dragoman.models.base import Batching, LanguagePair, Samples, SynthesisRequest, Voice
from dragoman.models.errors import EngineFailed, NoRecognizer, NoTranslator, NoVoice, VoiceMismatch
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.speaking import SpokenSamples
from dragoman.models.voices import VoiceCatalogue
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator, fake_voice
from tests.waiting import PATIENCE_S


class FakePolyglot(FakeRecognizer):
    """Hears five languages and translates four of them to English."""

    name = "fake-polyglot"

    def __init__(self) -> None:
        super().__init__(lambda request: "hello", ["en", "es", "fr", "de", "it"], ["es", "fr", "de", "it"])


class FakeSteps(FakeSynthesizer):
    """Gives a block each time it is let on."""

    name = "fake-steps"

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.given = 0

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        for _ in range(3):
            assert self.steps.acquire(timeout=PATIENCE_S)
            self.given += 1
            if request.text == "bad" and self.given == 3:
                raise EngineFailed(self.name, "a bad word")
            yield np.ones(10, np.float32)


def engines(
    *,
    recognizers: tuple[FakeRecognizer, ...] = (),
    translators: tuple[FakeTranslator, ...] = (),
    synthesizer: FakeSynthesizer | None = None,
    **options: dict[str, str],
) -> Engines:
    synthesizer = synthesizer or FakeSynthesizer()
    voices = [fake_voice(code) for code in sorted(FakeSynthesizer.languages)]
    if synthesizer.name != FakeSynthesizer.name:
        voices = list(VoiceCatalogue(voices).spoken_by(synthesizer.name))
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=recognizers or (FakeRecognizer(lambda request: "hello"),),
        translators=translators or (FakeTranslator("en", "es"),),
        synthesizers=[synthesizer],
        catalogue=VoiceCatalogue(voices),
        **options,
    )


def test_a_source_that_nobody_hears() -> None:
    with pytest.raises(NoRecognizer, match="no recogniser for 'de'"):
        engines().plan(source="de", target="es")
    with pytest.raises(NoRecognizer):
        engines().plan(candidates=frozenset({"de", "it"}), target="es")


def test_of_several_candidates_those_count_that_are_heard_here() -> None:
    plan = engines().plan(candidates=frozenset({"en", "de"}), target="es")
    assert (plan.source, plan.candidates) == ("en", {"en"})
    sides = TargetWish(by_source={"en": "es", "es": "en"})
    assert engines().plan(candidates=frozenset({"en", "es"}), targets=[sides]).source == "en"
    with pytest.raises(NoTranslator):  # both sides are heard, and one cannot be translated
        engines(recognizers=(FakeRecognizer(lambda request: "", ["en", "es"]),)).plan(
            candidates=frozenset({"en", "es"}), targets=[sides]
        )


def test_the_first_recogniser_that_hears_it_is_taken_and_the_widest_where_any_may_come() -> None:
    both = engines(recognizers=(FakeRecognizer(lambda request: "hello"), FakePolyglot()))
    assert both.plan(source="en").recognizer == "fake-recognizer"
    assert both.plan(source="fr").recognizer == "fake-polyglot"
    assert both.plan().recognizer == "fake-polyglot"
    assert both.plan(candidates=frozenset({"en", "fr"})).recognizer == "fake-polyglot"
    assert both.plan(candidates=frozenset({"en"})).recognizer == "fake-recognizer"


def test_one_candidate_is_as_good_as_a_source() -> None:
    assert engines(recognizers=(FakePolyglot(),)).plan(candidates=frozenset({"fr"})).source == "fr"


def test_a_recogniser_translates_to_english_where_no_translator_does() -> None:
    loaded = engines(recognizers=(FakePolyglot(),), translators=(FakeTranslator("fr", "en", "pt"),))
    assert loaded.plan(source="de", target="en").english_for == {"de"}
    assert loaded.plan(source="fr", target="en").english_for == frozenset()
    assert loaded.plan(target="en").english_for == {"de", "es", "it"}
    assert loaded.plan(source="de", target="pt").english_for == {"de"}
    with pytest.raises(NoTranslator):
        loaded.plan(source="de", target="es")
    shown = loaded.describe()["translate"]
    assert shown["de→en"] == "fake-polyglot"
    assert shown["fr→en"] == "fake-translator"
    assert shown["de→pt"] == "fake-polyglot+fake-translator via en"
    assert "en→en" not in shown
    assert "de→es" not in shown


class FakeWhisper(FakePolyglot):
    """Has the name under which the table knows what its English is worth."""

    name = "whisper"


class FakeApertium(FakeTranslator):
    name = "apertium"


def test_its_own_english_is_taken_where_it_is_worth_more_than_translators() -> None:
    apertium = FakeApertium("fr", "es", "en", "es", "fr")
    loaded = engines(recognizers=(FakeWhisper(),), translators=(apertium,))
    plan = loaded.plan(target="en")
    assert plan.english_for == {"fr", "de", "it"}  # not Spanish, which Apertium does nearly as well, word by word
    assert loaded.by_own_english(plan.recognizer, "fr", "en")
    assert not loaded.by_own_english(plan.recognizer, "es", "en")
    assert not loaded.by_own_english(plan.recognizer, "fr", "es")
    assert not loaded.by_own_english("", "fr", "en")
    described = loaded.describe()
    assert described["translate"]["fr→en"] == "whisper"
    assert described["why"]["fr→en"] == "49.7 chrF; apertium via es: 45.1"
    assert described["translate"]["es→en"] == "apertium"
    assert described["why"]["es→en"] == "45.6 chrF; whisper: 48.9"


def test_a_recogniser_without_translation_adds_no_routes() -> None:
    loaded = engines()
    assert set(loaded.describe()["translate"]) == {"en→es"}
    with pytest.raises(NoTranslator):
        loaded.plan(target="fr")


def test_voices() -> None:
    loaded = engines()
    assert loaded.plan(target="es").voice == fake_voice("es")
    with pytest.raises(VoiceMismatch):
        loaded.plan(target="es", voice_id=fake_voice("fr").voice_id)


def test_a_voice_that_is_not_installed_is_neither_shown_nor_chosen() -> None:
    class Half(FakeSynthesizer):
        def speaks(self, voice: Voice) -> bool:
            return voice.language != "es"

    loaded = engines(synthesizer=Half(), default_voices={"en": fake_voice("es").voice_id})
    assert fake_voice("es") not in loaded.voices()
    with pytest.raises(NoVoice):
        loaded.default_voice("es")
    with pytest.raises(NoVoice):
        loaded.plan(target="es", voice_id=fake_voice("es").voice_id)
    with pytest.raises(NoVoice, match=r"voices\.defaults"):
        loaded.default_voice("en")


def test_how_engines_are_called_can_be_seen() -> None:
    recognizer = FakePolyglot()
    recognizer.batching = Batching(size=8, wait_s=0.03, workers=2)
    assert engines(recognizers=(recognizer,)).batching["fake-polyglot"] == Batching(8, 0.03, 2)


class FakeSecond(FakeTranslator):
    """Another engine, which says that it was it."""

    name = "fake-second"

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        return [f"second {text}" for text in texts]


@pytest.mark.parametrize("by_pair", [False, True])
async def test_the_first_translator_of_a_pair_is_taken(by_pair: bool) -> None:
    first, second = FakeTranslator("en", "es"), FakeSecond("en", "es", "pt")
    first.batching = second.batching = Batching(by_pair=by_pair)
    loaded = engines(translators=(first, second))
    try:
        assert await loaded.translate("en", "es", "hello", "s") == "<es> hello"
        assert await loaded.translate("es", "pt", "hello", "s") == "second hello"
        assert await loaded.translate("en", "pt", "hello", "s") == "second <es> hello"
        assert loaded.depths == {"fake-recognizer": 0, "fake-translator": 0, "fake-second": 0, "fake-synthesizer": 0}
    finally:
        loaded.close()


async def test_pairs_that_are_served_apart_do_not_wait_for_each_other() -> None:
    gate = threading.Event()

    class Gated(FakeTranslator):
        def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
            assert pair.target == "pt" or gate.wait(PATIENCE_S)
            return super().translate(pair, texts)

    gated = Gated("en", "es", "pt")
    gated.batching = Batching(by_pair=True)
    loaded = engines(translators=(gated,))
    waiting = [asyncio.create_task(loaded.translate("en", "es", "hello", str(number))) for number in range(9)]
    try:
        assert await loaded.translate("es", "pt", "hello", "s") == "<pt> hello"
        gate.set()
        assert await asyncio.gather(*waiting) == ["<es> hello"] * 9
    finally:
        gate.set()
        await asyncio.to_thread(loaded.close)


def test_what_each_engine_is_for() -> None:
    assert engines().stages == {
        "fake-recognizer": "recognise",
        "fake-translator": "translate",
        "fake-synthesizer": "speak",
    }


async def test_speech_comes_block_by_block() -> None:
    steps = FakeSteps()
    loaded = engines(synthesizer=steps)
    try:
        request = SynthesisRequest("hello", loaded.default_voice("en"))
        blocks: list[SpokenSamples] = []
        steps.steps.release(2)
        async for block in loaded.synthesize(request, "s"):
            blocks.append(block)
            if len(blocks) == 1:
                assert steps.given == 2  # the third is not made yet
                steps.steps.release()
        assert [block.last for block in blocks] == [False, False, True]
    finally:
        loaded.close()


async def test_a_session_that_leaves_stops_its_engine() -> None:
    steps = FakeSteps()
    loaded = engines(synthesizer=steps)
    try:
        speech = loaded.synthesize(SynthesisRequest("hello", loaded.default_voice("en")), "s")
        steps.steps.release(2)
        await anext(speech)
        await speech.aclose()
        steps.steps.release(4)
        said = [block async for block in loaded.synthesize(SynthesisRequest("next", loaded.default_voice("en")), "s")]
        assert len(said) == 3
        assert steps.given == 3 + 3
    finally:
        steps.steps.release(9)
        await asyncio.to_thread(loaded.close)


async def test_an_engine_that_breaks_in_the_middle_says_so_behind_what_it_gave() -> None:
    steps = FakeSteps()
    loaded = engines(synthesizer=steps)
    try:
        steps.steps.release(3)
        speech = loaded.synthesize(SynthesisRequest("bad", loaded.default_voice("en")), "s")
        assert not (await anext(speech)).last
        with pytest.raises(EngineFailed, match="a bad word"):
            await anext(speech)
        assert loaded.depths["fake-steps"] == 0
    finally:
        loaded.close()


async def test_an_engine_that_broke_while_nobody_listened_any_more_is_nobodys_business() -> None:
    steps, unhandled = FakeSteps(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    loaded = engines(synthesizer=steps)
    try:
        steps.steps.release(3)
        speech = loaded.synthesize(SynthesisRequest("bad", loaded.default_voice("en")), "s")
        assert not (await anext(speech)).last
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110  (until the request has failed)
            await asyncio.sleep(0)
        await speech.aclose()
        del speech
        gc.collect()
        assert unhandled == []
    finally:
        loaded.close()
