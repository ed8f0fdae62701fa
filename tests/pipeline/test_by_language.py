"""Whether words are certain while they are spoken depends on the language, which is often heard before it is known."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import pytest

from dragoman.config.settings import Settings, load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator, fake_voice, s16, silence
from tests.fakes.readable import read, spoken, text
from tests.pipeline.stillness import Stillness

FRENCH = 60
"""Words from this number on are French, which only the recogniser leads on from; those before are English."""


@dataclass
class Listener:
    """Hears two languages, and says English of the French where it is asked. Its first `mistaken` hypotheses of a
    segment take its language for the other one; so sure it is: `confidence`."""

    confidence: float = 0.95
    mistaken: int = 0
    requests: list[RecognitionRequest] = field(default_factory=list)
    _asked: int = 0

    def __call__(self, request: RecognitionRequest) -> Hypothesis:
        self.requests.append(request)
        found = read(request.samples, sentence=1000, times=True)
        said = [int(word.strip("wx.")) for word in found.text.split()]
        if not said:
            return Hypothesis("", request.language or "en")
        self._asked = self._asked + 1 if request.partial else 0
        french = (said[0] >= FRENCH) != (0 < self._asked <= self.mistaken)
        language = request.language or ("fr" if french else "en")
        english = f"English of {found.text}" if language in request.english_for else None
        confidence = None if request.language else self.confidence
        return Hypothesis(found.text, language, found.words, confidence, english)


def engines(listener: Listener) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(listener, languages=("en", "fr"), to_english=("fr",))],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice(language) for language in sorted(FakeSynthesizer.languages)]),
    )


async def heard(
    listener: Listener,
    audio: Samples,
    *,
    latency: Latency = "low",
    source: str | None = None,
    wishes: Sequence[TargetWish] = (TargetWish("es"),),
    candidates: frozenset[str] = frozenset(),
    locks: bool = True,
    settings: Settings | None = None,
) -> list[tuple[float, Event]]:
    """The events, each with how much had been said by then, in real time."""
    loaded = engines(listener)
    plan = loaded.plan(source=source, targets=wishes, candidates=candidates, locks_language=locks)
    request = SessionRequest(pcm(SAMPLE_RATE_HZ), pcm(SAMPLE_RATE_HZ), plan, latency=latency)
    events: list[tuple[float, Event]] = []
    said_s = 0.0
    with closing(loaded), Stillness(loaded) as still:
        session = Session(
            request,
            loaded,
            settings or load_settings(),
            still.offload,
            session_id="s",
            emit=lambda event: events.append((said_s, event)),
            work_clock=still.work_clock,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            step = SAMPLE_RATE_HZ // 5
            for start in range(0, len(audio), step):
                said_s = min(len(audio), start + step) / SAMPLE_RATE_HZ
                await session.feed(s16(audio[start : start + step]))
                await still.settled(session)
            await session.end()
    return events


def finals(events: list[tuple[float, Event]]) -> list[tuple[float, Transcript]]:
    return [(at_s, event) for at_s, event in events if isinstance(event, Transcript) and event.final and event.text]


def said(events: list[tuple[float, Event]]) -> list[str]:
    return [word.text.strip(".") for _, transcript in finals(events) for word in transcript.words]


def translations(events: list[tuple[float, Event]]) -> str:
    return " ".join(event.text for _, event in events if isinstance(event, Translation) and event.final)


def numbers(count: int, first: int = 0) -> list[str]:
    return text(count, first, sentence=1000)


def utterance(count: int, first: int = 0) -> Samples:
    return np.concatenate([spoken(count, first), silence(1.0)])


TWO_WAY = TargetWish(by_source={"en": "es", "fr": "en"})


@pytest.mark.parametrize("latency", ["low", "balanced"])
@pytest.mark.parametrize("confidence", [0.95, 0.3], ids=["sure", "unsure"])
async def test_without_a_named_source_words_come_as_soon_as_their_language_is_known(
    latency: Latency, confidence: float
) -> None:
    listener = Listener(confidence)
    events = await heard(listener, utterance(25), latency=latency)
    assert said(events) == numbers(25)
    first_s = finals(events)[0][0]
    if confidence > 0.5:
        assert first_s < 4.5
        assert len(finals(events)) > 3
    else:  # a language of which nobody is sure may be one whose pieces must be whole
        assert first_s > 10.0


async def test_a_language_that_only_the_recogniser_translates_goes_by_pauses() -> None:
    listener = Listener()
    events = await heard(listener, utterance(25, FRENCH))
    assert said(events) == numbers(25, FRENCH)
    assert len(finals(events)) == 1
    assert translations(events) == "<es> English of " + " ".join(numbers(25, FRENCH)) + "."
    # As soon as it is believed it costs no more than with `quality`.
    asked_s = [len(request.samples) / SAMPLE_RATE_HZ for request in listener.requests if request.partial]
    assert sum(seconds > 3.6 for seconds in asked_s) < 4


@pytest.mark.parametrize("source", ["en", "fr"])
async def test_a_named_source_is_known_from_the_beginning(source: str) -> None:
    listener = Listener()
    first = FRENCH if source == "fr" else 0
    events = await heard(listener, utterance(10, first), source=source)
    assert said(events) == numbers(10, first)
    assert any(request.partial for request in listener.requests) == (source == "en")


async def test_candidates_that_all_go_by_pauses_need_no_finding_out() -> None:
    listener = Listener()
    await heard(listener, utterance(10, FRENCH), candidates=frozenset({"fr"}))
    assert not any(request.partial for request in listener.requests)


async def test_in_a_conversation_each_side_goes_its_own_way() -> None:
    listener = Listener()
    talk = np.concatenate([utterance(12), utterance(12, FRENCH), utterance(12, 12), utterance(12, FRENCH + 12)])
    events = await heard(
        listener, talk, wishes=[TWO_WAY], candidates=frozenset({"en", "fr"}), locks=False, latency="balanced"
    )
    assert said(events) == [*numbers(12), *numbers(12, FRENCH), *numbers(12, 12), *numbers(12, FRENCH + 12)]
    pieces = [transcript.language for _, transcript in finals(events)]
    assert pieces.count("fr") == 2
    assert pieces.count("en") > 4
    told = translations(events)
    assert "English of " + " ".join(numbers(12, FRENCH)) in told
    assert told.count("English of") == 2


@pytest.mark.parametrize("first", [0, FRENCH])
async def test_a_locked_language_decides_for_the_rest_of_the_session(first: int) -> None:
    listener = Listener()
    events = await heard(listener, np.concatenate([utterance(10, first), utterance(10, first + 10)]))
    assert said(events) == numbers(20, first)
    second = [request for request in listener.requests if request.language is not None]
    assert second
    assert any(request.partial for request in second) == (first != FRENCH)


async def test_a_language_that_changes_in_mid_session_and_is_not_kept() -> None:
    settings = load_settings(overrides={"recognise": {"lock_language": False}})
    listener = Listener()
    talk = np.concatenate([utterance(12), utterance(12, FRENCH), utterance(12, 12)])
    events = await heard(listener, talk, settings=settings)
    assert said(events) == [*numbers(12), *numbers(12, FRENCH), *numbers(12, 12)]
    assert translations(events).count("English of") == 1


@pytest.mark.parametrize("mistaken", [1, 2, 3, 100])
@pytest.mark.parametrize("first", [0, FRENCH], ids=["English", "French"])
@pytest.mark.parametrize("confidence", [0.95, 0.3], ids=["sure", "unsure"])
async def test_a_language_that_is_mistaken_at_first_loses_no_word(mistaken: int, first: int, confidence: float) -> None:
    listener = Listener(confidence, mistaken)
    events = await heard(listener, np.concatenate([utterance(20, first), utterance(10, first + 20)]))
    assert said(events) == numbers(30, first)


@pytest.mark.parametrize("locks", [True, False])
async def test_a_language_is_not_believed_of_two_seconds(locks: bool) -> None:
    """Real Whisper is sure of the wrong one after that; the session would keep it, or translate from it."""
    listener = Listener(0.95, mistaken=5)
    events = await heard(listener, utterance(25), locks=locks, wishes=[TargetWish("es")])
    assert said(events) == numbers(25)
    assert {transcript.language for _, transcript in finals(events)} == {"en"}
    assert not any(request.language == "fr" for request in listener.requests)


async def test_the_language_that_was_spoken_before_is_believed_at_once() -> None:
    listener = Listener()
    talk = np.concatenate([utterance(12), utterance(12, 12)])
    events = await heard(listener, talk, locks=False)
    second_s = [at_s for at_s, transcript in finals(events) if transcript.start_s > 5.5]
    assert second_s[0] < 5.8 + 2.6


async def test_quality_goes_by_pauses_in_every_language() -> None:
    listener = Listener()
    events = await heard(listener, np.concatenate([utterance(12), utterance(12, FRENCH)]), latency="quality")
    assert len(finals(events)) == 2


async def test_a_piece_that_nobody_ends_is_cut_in_either_language() -> None:
    settings = load_settings(overrides={"listen": {"max_segment_s": 8.0}})
    for first in (0, FRENCH):
        events = await heard(Listener(), utterance(50, first), settings=settings)
        assert said(events) == numbers(50, first)
