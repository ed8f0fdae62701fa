"""Several targets, given text, interruption, conversations."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise, repeat

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models import glossary
from dragoman.models.base import Hypothesis, LanguagePair, RecognitionRequest, Samples, SynthesisRequest
from dragoman.models.errors import NoTranslator, Overloaded
from dragoman.models.plan import Plan, TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Ended, Event, Flushed, Speech, Transcript, Translated, Translation
from dragoman.pipeline.items import LEAST_TEXT_BYTES, GivenText
from dragoman.pipeline.latency import POLICIES
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import (
    FakeDetector,
    FakeRecognizer,
    FakeSynthesizer,
    FakeTranslator,
    fake_voice,
    s16,
    silence,
    tone,
)
from tests.fakes.hearing import FakeHearing
from tests.waiting import PATIENCE_S, until_async

UTTERANCE = np.concatenate([tone(1.0), silence(1.0)])


class FakePolyglot(FakeTranslator):
    """Says `<target> text` for every pair of four languages; holds those into `held` back until it is released."""

    def __init__(self, held: str = "") -> None:
        super().__init__()
        codes = ("en", "es", "fr", "pt")
        self.pairs = frozenset(LanguagePair(one, two) for one in codes for two in codes if one != two)
        self.held = held
        self.entered, self.released = threading.Event(), threading.Event()

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        if pair.target == self.held:
            self.entered.set()
            assert self.released.wait(PATIENCE_S)
        return super().translate(pair, texts)


class FakeSlow(FakeSynthesizer):
    """Waits before each block but the first until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        for number, block in enumerate(super().synthesize(request)):
            assert number < 2 or self.released.wait(PATIENCE_S)
            yield block


def engines(
    translator: FakeTranslator | None = None,
    synthesizer: FakeSynthesizer | None = None,
    languages: Sequence[str] = ("en",),
    hear: Callable[[RecognitionRequest], str | Hypothesis] = lambda request: "hello there",
) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear, languages)],
        translators=[translator or FakePolyglot()],
        synthesizers=[synthesizer or FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice(code) for code in sorted(FakeSynthesizer.languages)]),
    )


def targets(*codes: str, speaks: bool = True) -> list[TargetWish]:
    return [TargetWish(code, speaks=speaks) for code in codes]


@asynccontextmanager
async def running(
    loaded: Engines, plan: Plan, *, speech: bool = True, texts_bytes: int | None = None
) -> AsyncIterator[tuple[Session, list[Event]]]:
    settings = load_settings(overrides={"limits": {"texts_bytes": texts_bytes}})
    events: list[Event] = []
    offload = Offload()
    request = SessionRequest(pcm(16_000), pcm(24_000) if speech else None, plan, latency="quality")
    session = Session(request, loaded, settings, offload, session_id="s", emit=events.append)
    task = asyncio.create_task(session.run())
    try:
        yield session, events
        await task
    finally:
        task.cancel()
        offload.close()
        await asyncio.to_thread(loaded.close)


async def until(events: list[Event], kind: type[Event], count: int = 1) -> None:
    await until_async(lambda: sum(isinstance(event, kind) for event in events) >= count, f"{count} {kind.__name__}")


def texts(events: list[Event], branch: int) -> list[str]:
    return [event.text for event in events if isinstance(event, Translation) and event.branch == branch]


async def test_three_languages_at_once_each_complete_and_in_order() -> None:
    loaded = engines()
    async with running(loaded, loaded.plan(targets=targets("es", "fr", "pt"))) as (session, events):
        for _ in range(3):
            await session.feed(s16(UTTERANCE))
        await session.flush("f")
        await session.end()
    assert sum(isinstance(event, Transcript) for event in events) == 3  # recognised once
    for branch, code in enumerate(("es", "fr", "pt")):
        assert texts(events, branch) == [f"<{code}> hello there"] * 3
        speech = [event for event in events if isinstance(event, Speech) and event.branch == branch]
        assert [event.clause_id for event in speech if event.last] == [0, 1, 2]
        assert all(one.stop_s == two.start_s for one, two in pairwise(speech))
        assert {event.language for event in speech} == {code}
        done = [event.segment_id for event in events if isinstance(event, Translated) and event.branch == branch]
        assert done == [0, 1, 2]
    assert sum(isinstance(event, Flushed) for event in events) == 1
    assert sum(isinstance(event, Ended) for event in events) == 1
    assert isinstance(events[-1], Ended)


async def test_a_slow_target_does_not_hold_back_the_others() -> None:
    translator = FakePolyglot(held="fr")
    # A translator of its own for each: one engine does one thing at a time.
    quick = FakePolyglot()
    quick.name = "fake-quick"
    translator.pairs = frozenset(pair for pair in translator.pairs if pair.target == "fr")
    loaded = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "hello there")],
        translators=[translator, quick],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice(code) for code in sorted(FakeSynthesizer.languages)]),
    )
    async with running(loaded, loaded.plan(targets=targets("fr", "es"))) as (session, events):
        await session.feed(s16(np.concatenate([UTTERANCE] * 2)))
        await session.flush("f")
        await until(events, Translated, 2)
        assert texts(events, 1) == ["<es> hello there"] * 2
        assert not texts(events, 0)
        assert not any(isinstance(event, Flushed) for event in events)
        translator.released.set()
        await session.end()
    assert texts(events, 0) == ["<fr> hello there"] * 2
    assert any(isinstance(event, Flushed) for event in events)


async def test_text_is_translated_into_every_target_in_its_turn() -> None:
    loaded = engines()
    async with running(loaded, loaded.plan(targets=targets("es", "fr"))) as (session, events):
        session.say(GivenText("t1", "One. Two.", "en", translate=True))
        session.say(GivenText("t2", "Bonjour.", "fr", translate=False))
        await until(events, Translated, 4)
        await session.feed(s16(UTTERANCE))
        await session.end()
    assert texts(events, 0) == ["<es> One.", "<es> Two.", "<es> hello there"]
    assert texts(events, 1) == ["<fr> One.", "<fr> Two.", "Bonjour.", "<fr> hello there"]
    assert {event.text_id for event in events if isinstance(event, Translation) and event.segment_id is None} == {
        "t1",
        "t2",
    }
    assert [event.text_id for event in events if isinstance(event, Translated) and event.branch == 0] == [
        "t1",
        "t2",
        None,
    ]


def texts_taken(session: Session, texts: Iterable[str]) -> int:
    """How many of the texts are taken before one is refused."""
    for number, text in enumerate(texts):
        try:
            session.say(GivenText(number, text, "en", translate=True))
        except Overloaded as error:
            assert str(error) == "this session has too much work waiting; try again in 5 s"
            return number
    raise AssertionError("none was refused")


async def test_texts_without_room_are_refused_until_an_interruption_makes_some() -> None:
    translator = FakePolyglot(held="fr")
    loaded = engines(translator)
    async with running(loaded, loaded.plan(targets=targets("fr", "es")), texts_bytes=2048) as (session, events):
        session.say(GivenText("long", "é" * 2000, "en", translate=True))  # the first may be of any length
        assert texts_taken(session, ["Two."]) == 0
        while session._branches[0].state.texts_bytes:  # noqa: ASYNC110  (until it is being translated)
            await asyncio.sleep(0)
        assert texts_taken(session, repeat("Two.")) == 2048 // LEAST_TEXT_BYTES
        session.interrupt(frozenset({"es"}))
        assert texts_taken(session, ["Two."]) == 0
        session.interrupt()
        assert texts_taken(session, repeat("é" * 500)) == 2
        session.interrupt()
        translator.released.set()
        session.say(GivenText("last", "Four.", "en", translate=True))
        await session.end()
    assert [texts(events, branch) for branch in (0, 1)] == [["<fr> Four."], ["<es> Four."]]


async def test_what_was_heard_is_not_held_back_by_what_is_refused() -> None:
    translator = FakePolyglot(held="es")
    loaded = engines(translator)
    async with running(loaded, loaded.plan(targets=targets("es")), texts_bytes=1024) as (session, events):
        assert texts_taken(session, repeat("One.")) >= 4
        await session.feed(s16(UTTERANCE))
        await session.flush("f")
        await until(events, Transcript)
        translator.released.set()
        await session.end()
    assert texts(events, 0)[-1] == "<es> hello there"
    assert any(isinstance(event, Flushed) for event in events)


async def test_an_interruption_cuts_the_clause_that_is_being_said_and_forgets_the_next() -> None:
    slow = FakeSlow()
    loaded = engines(synthesizer=slow)
    async with running(loaded, loaded.plan(targets=targets("es"))) as (session, events):
        for number in range(3):
            session.say(GivenText(number, f"Text {number} is long enough.", "en", translate=True))
        await until(events, Speech)
        session.interrupt()
        slow.released.set()
        session.say(GivenText("next", "Now this.", "en", translate=True))
        await session.end()
    ends = [event for event in events if isinstance(event, Speech) and event.last]
    assert ends[0].clause_id == 0
    assert ends[0].audio == b""
    said = {event.clause_id for event in events if isinstance(event, Speech) and event.audio}
    assert len(said) == 2
    assert texts(events, 0)[-1] == "<es> Now this."
    assert [event.clause_id for event in ends] == sorted(said)


async def test_an_interruption_in_the_middle_of_a_text_forgets_the_rest_of_it() -> None:
    translator = FakePolyglot(held="es")
    loaded = engines(translator)
    async with running(loaded, loaded.plan(targets=targets("es"))) as (session, events):
        session.say(GivenText(0, "One. Two. Three.", "en", translate=True))
        assert await asyncio.to_thread(translator.entered.wait, PATIENCE_S)
        session.interrupt()
        translator.released.set()
        session.say(GivenText(1, "Four.", "en", translate=True))
        await session.end()
    assert texts(events, 0) == ["<es> Four."]


async def test_an_interruption_drops_what_was_spoken_before_it_and_is_not_recognised_yet() -> None:
    recognising, released = threading.Event(), threading.Event()

    def hear(request: RecognitionRequest) -> str:
        recognising.set()
        assert released.wait(PATIENCE_S)
        return "hello there"

    loaded = engines(hear=hear)
    async with running(loaded, loaded.plan(targets=targets("es", "fr"))) as (session, events):
        await session.feed(s16(UTTERANCE))
        assert await asyncio.to_thread(recognising.wait, PATIENCE_S)
        session.interrupt(frozenset({"es"}))
        released.set()
        await session.feed(s16(UTTERANCE))
        await session.end()
    assert texts(events, 0) == ["<es> hello there"]
    assert texts(events, 1) == ["<fr> hello there"] * 2
    assert sum(isinstance(event, Transcript) for event in events) == 2  # what was said is still written down


async def test_what_follows_an_interruption_is_translated_in_the_clauses_that_were_told() -> None:
    loaded, hearing = engines(), FakeHearing(POLICIES["low"])

    def said(text: str, start_s: float, *, closes: bool = False) -> Transcript:
        return hearing.heard(Transcript(text, "en", start_s, start_s + 1.0, complete=closes, closes=closes))

    async with running(loaded, loaded.plan(targets=targets("es"))) as (session, events):
        await session.feed(s16(silence(1.0)))
        await until_async(lambda: session.clock.received_s >= 1.0)
        await session._fan.put(said("when it", 0.0))
        session.interrupt()
        await session._fan.put(said("rains, we stay at", 1.0))
        await session._fan.put(said("home.", 2.0, closes=True))
        await session.end()
    assert texts(events, 0) == ["<es> rains,", "<es> we stay at home."]


async def test_an_interruption_of_another_language_changes_nothing() -> None:
    loaded = engines()
    async with running(loaded, loaded.plan(targets=targets("es"))) as (session, events):
        session.say(GivenText(0, "One.", "en", translate=True))
        session.interrupt(frozenset({"fr"}))
        await session.end()
    assert texts(events, 0) == ["<es> One."]


async def test_text_only_targets_say_nothing() -> None:
    loaded = engines()
    plan = loaded.plan(targets=targets("es", speaks=False))
    async with running(loaded, plan, speech=False) as (session, events):
        await session.feed(s16(UTTERANCE))
        await session.end()
    assert texts(events, 0) == ["<es> hello there"]
    assert not any(isinstance(event, Speech) for event in events)
    assert isinstance(events[-1], Ended)


async def test_text_needs_no_recogniser_and_no_way_from_what_it_would_hear() -> None:
    loaded = engines(FakeTranslator("fr", "de"), languages=())
    async with running(loaded, loaded.plan(targets=targets("de"), hears=False)) as (session, events):
        session.say(GivenText(0, "Guten Tag.", "de", translate=False))
        session.say(GivenText(1, "Bonjour.", "fr", translate=True))
        await session.end()
    assert texts(events, 0) == ["Guten Tag.", "<de> Bonjour."]
    assert {event.language for event in events if isinstance(event, Speech)} == {"de"}


async def test_no_target_writes_down_what_is_said() -> None:
    loaded = engines()
    async with running(loaded, loaded.plan(targets=()), speech=False) as (session, events):
        await session.feed(s16(UTTERANCE))
        await session.flush("f")
        await session.end()
    assert [event.text for event in events if isinstance(event, Transcript)] == ["hello there"]
    assert [type(event) for event in events[-2:]] == [Flushed, Ended]


async def test_a_conversation_goes_both_ways() -> None:
    heard = iter(("en", "es", "fr"))
    loaded = engines(
        hear=lambda request: Hypothesis("hello", next(heard), language_confidence=1.0), languages=("en", "es", "fr")
    )
    plan = loaded.plan(targets=[TargetWish(by_source={"en": "es", "es": "en"}, speaks=False)], locks_language=False)
    async with running(loaded, plan, speech=False) as (session, events):
        for _ in range(3):
            await session.feed(s16(UTTERANCE))
        await session.end()
    assert texts(events, 0) == ["<es> hello", "<en> hello"]
    assert [event.language for event in events if isinstance(event, Transcript)] == ["en", "es", "fr"]


def test_a_conversation_needs_both_ways() -> None:
    loaded = engines(FakeTranslator("en", "es"), languages=("en", "es"))
    with pytest.raises(NoTranslator, match="es→en"):
        loaded.plan(
            candidates=frozenset({"en", "es"}), targets=[TargetWish(by_source={"en": "es", "es": "en"}, speaks=False)]
        )
    loaded.close()


def test_a_voice_for_given_text_only() -> None:
    loaded = engines(languages=("en",))
    voice = fake_voice("en")
    (branch,) = loaded.plan(targets=[TargetWish("en", excluded=frozenset({"en"}), voice_id=voice.voice_id)]).branches
    assert branch.voice == voice
    loaded.close()


def test_sources_that_are_not_translated() -> None:
    assert TargetWish("es", excluded=frozenset({"fr"})).target_of("fr") is None
    assert TargetWish("es", sources=frozenset({"en"})).target_of("fr") is None
    assert TargetWish("es", sources=frozenset({"en"})).target_of("en") == "es"
    assert TargetWish().target_of("fr") == "fr"


async def test_terms_that_a_client_insists_on() -> None:
    loaded = engines()
    wish = TargetWish("es", speaks=False, terms={"Hello There": "BUENAS", "there": "ALLÍ"})
    async with running(loaded, loaded.plan(targets=[wish]), speech=False) as (session, events):
        session.say(GivenText(0, "Oh hello there, over there", "en", translate=True))
        await session.end()
    assert texts(events, 0) == ["<es> Oh BUENAS, over ALLÍ"]


def test_a_mark_that_does_not_come_back_and_one_that_was_there() -> None:
    assert glossary.restore("gone", ["A"]) == "gone"
    assert glossary.restore("Xq7x", ["A"]) == "Xq7x"
    assert glossary.protect("Xq0x is here", {"here": "aquí"}) == ("Xq0x is here", [])
    assert glossary.protect("there, hereby", {"here": "aquí", "": "x"}) == ("there, hereby", [])
