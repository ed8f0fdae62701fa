"""Clauses whose translation is said while they grow."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import LanguagePair
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.pipeline.growing import GrowingClause
from dragoman.pipeline.latency import POLICIES
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.pipeline.timing import estimate_words
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator, fake_voice
from tests.fakes.hearing import FakeHearing


def test_what_two_translations_agree_on_is_said_when_it_is_enough() -> None:
    clause = GrowingClause("es")
    assert clause.push("uno dos", 2) == ""
    assert clause.push("uno dos tres", 3) == ""  # two words are certain: too few to be spoken
    assert clause.push("uno dos tres cuatro cinco", 5) == ""
    assert clause.push("uno dos tres cuatro cinco seis", 6) == "uno dos tres cuatro cinco"
    assert clause.finish("uno dos tres cuatro cinco seis siete.") == "seis siete."


def test_a_translation_that_changes_its_mind_is_not_said_until_it_is_sure() -> None:
    clause = GrowingClause("es")
    for text in ("a b c d e", "x b c d e f", "x b c d e f g"):
        said = clause.push(text, 1)
    assert said == "x b c d e f"
    assert clause.finish("x b c d e f g h") == "g h"


def test_nothing_is_certain_of_one_translation() -> None:
    clause = GrowingClause("es")
    assert clause.push("uno dos tres cuatro cinco seis", 6) == ""
    assert not clause.said
    assert clause.finish("uno dos tres cuatro") == "uno dos tres cuatro"


class FakeNeural(FakeTranslator):
    """Says each word in capitals and, of a text that has no end, the last word wrongly."""

    neural = True

    def __init__(self) -> None:
        super().__init__("en", "es")
        self.texts: list[str] = []

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        self.texts += texts
        return [text.upper() if text.endswith(".") else f"{text.upper()}?" for text in texts]


async def translated(
    translator: FakeTranslator,
    agreement: str,
    pieces: Sequence[str],
    spoil: Callable[[Engines], None] = lambda engines: None,
) -> list[str]:
    """The translations of words that become certain piece by piece, in one segment. `spoil` may change the engines."""
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "")],
        translators=[translator],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice("es")]),
    )
    spoil(engines)
    offload, events = Offload(), list[Event]()
    settings = load_settings(overrides={"translate": {"agreement": agreement}})
    request = SessionRequest(pcm(16_000), pcm(16_000), engines.plan(target="es"), latency="low")
    session = Session(request, engines, settings, offload, session_id="s", emit=events.append)
    running, hearing = asyncio.create_task(session.run()), FakeHearing(POLICIES["low"])
    try:
        for number, piece in enumerate(pieces):
            words = estimate_words(piece, number * 0.35, number * 0.35 + 0.35)
            last = number == len(pieces) - 1
            span = (words[0].start_s, words[-1].stop_s)
            said = Transcript(piece, "en", *span, words=words, complete=last, closes=last)
            await session._fan.put(hearing.heard(said, by_phrases=session._context.by_phrases("en")))
        await session.end()
        await running
    finally:
        running.cancel()
        await asyncio.to_thread(engines.close)
        offload.close()
    return [event.text for event in events if isinstance(event, Translation)]


PIECES = ["w0 w1 w2", "w3 w4 w5", "w6 w7 w8", "w9 w10 w11", "w12 w13."]


async def test_a_long_clause_is_said_while_it_grows_and_nothing_twice() -> None:
    said = await translated(FakeNeural(), "auto", PIECES)
    assert " ".join(said).split() == [f"W{number}" for number in range(13)] + ["W13."]
    assert len(said) > 1


@pytest.mark.parametrize(("translator", "agreement"), [(FakeNeural(), "off"), (FakeTranslator("en", "es"), "auto")])
async def test_it_is_not_where_the_operator_or_the_translator_does_not_want_it(
    translator: FakeTranslator, agreement: str
) -> None:
    assert len(await translated(translator, agreement, PIECES)) == 1


class FakeFinisher(FakeTranslator):
    """Ends whatever it is given as a sentence, and begins it as one."""

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        return [text[:1].upper() + text[1:].rstrip(".") + "." for text in texts]


async def test_parts_of_a_sentence_are_joined_as_one() -> None:
    pieces = ["the authorities insisted", "on its being", "received for good", "reasons"]
    said = await translated(FakeFinisher("en", "es"), "off", pieces)
    assert len(said) > 1
    assert " ".join(said) == "The authorities insisted on its being received for good reasons."
