"""Clauses that cannot be spoken, engines whose processes are killed, and what the counter is told of given texts."""

import asyncio
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Samples, SynthesisRequest
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.errors import EngineFailed, TextRefused
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue, espeak_voices
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Ended, Event, Speech, Translated, Translation, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.observer import SilentObserver
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


class FakeRefusing(FakeSynthesizer):
    """Cannot say texts with "bad" in them, in the middle of the clause."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        for number, block in enumerate(super().synthesize(request)):
            if "bad" in request.text and number == 2:
                raise self._error
            yield block


class FakeCounter(SilentObserver):
    def __init__(self) -> None:
        self.given_texts: list[tuple[str, int]] = []

    def given(self, stage: str, characters: int) -> None:
        self.given_texts.append((stage, characters))


REFUSED = TextRefused("fake-synthesizer", "this text ended its process 2 times")


def engines(synthesizer: Any, heard: str = "hello there") -> Engines:
    voices = [fake_voice(code) for code in sorted(FakeSynthesizer.languages)]
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda _: heard)],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[synthesizer],
        catalogue=VoiceCatalogue(espeak_voices(["en", "es"]) if synthesizer.name == "espeak" else voices),
    )


async def converse(
    loaded: Engines,
    texts: list[str],
    *,
    hears: bool = False,
    translate: bool = True,
    observer: FakeCounter | None = None,
) -> list[Event]:
    """Give texts to a session, or let it hear speech once for each text; what it says."""
    events: list[Event] = []
    offload = Offload()
    target = "es" if translate else "en"
    request = SessionRequest(pcm(16_000), pcm(24_000), loaded.plan(source="en", targets=[TargetWish(target)]))
    session = Session(request, loaded, load_settings(), offload, session_id="s", emit=events.append, observer=observer)
    running = asyncio.create_task(session.run())
    try:
        for number, text in enumerate(texts):
            if hears:
                await session.feed(s16(np.concatenate([tone(1.0), silence(1.5)])))
            else:
                session.say(GivenText(str(number), text, "en", translate))
        await session.end()
        await running
    finally:
        running.cancel()
        offload.close()
        await asyncio.to_thread(loaded.close)
    return events


def of(events: list[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_a_text_that_is_refused_is_told_and_the_next_is_spoken() -> None:
    events = await converse(engines(FakeRefusing(REFUSED)), ["one", "a bad one", "three"])
    assert [event.text for event in of(events, Translation)] == ["<es> one", "<es> a bad one", "<es> three"]
    assert of(events, Unspoken) == [
        Unspoken(1, "fake-synthesizer failed: this text ended its process 2 times", branch=0)
    ]
    lasts = [event for event in of(events, Speech) if event.last]
    assert [event.clause_id for event in lasts] == [0, 1, 2]
    assert lasts[2].stop_s > lasts[1].stop_s + 0.5
    unspoken = next(place for place, event in enumerate(events) if isinstance(event, Unspoken))
    assert unspoken < events.index(lasts[1])
    assert [event.text_id for event in of(events, Translated)] == ["0", "1", "2"]
    assert isinstance(events[-1], Ended)


async def test_a_session_that_hears_loses_the_clause_only() -> None:
    events = await converse(engines(FakeRefusing(REFUSED), heard="A bad one."), ["", ""], hears=True)
    assert [event.clause_id for event in of(events, Unspoken)] == [0, 1]
    assert [event.text for event in of(events, Translation)] == ["<es> A bad one."] * 2
    assert isinstance(events[-1], Ended)


async def test_an_engine_that_is_broken_ends_the_session() -> None:
    with pytest.raises(EngineFailed, match="no voice"):
        await converse(engines(FakeRefusing(EngineFailed("fake-synthesizer", "no voice"))), ["one", "bad", "three"])


@pytest.mark.embedded
async def test_processes_that_are_killed_end_no_session() -> None:
    synthesizer = EspeakSynthesizer()
    loaded = engines(synthesizer)
    ask, killed = synthesizer._children.ask, []

    def kill_and_ask(*question: Any) -> bytes:
        for child in synthesizer._children.process_ids:
            os.kill(child, signal.SIGKILL)
            killed.append(child)
        return ask(*question)

    synthesizer._children.ask = kill_and_ask  # type: ignore[method-assign]
    events = await converse(loaded, [f"This is text {number}." for number in range(5)])
    assert len(killed) >= 5
    assert of(events, Unspoken) == []
    speech = [sum(len(event.audio) for event in of(events, Speech) if event.clause_id == number) for number in range(5)]
    assert min(speech) > 24_000


@pytest.mark.parametrize("translate", [True, False])
async def test_the_counter_learns_of_given_texts(translate: bool) -> None:
    counter = FakeCounter()
    await converse(engines(FakeSynthesizer()), ["Hello. You there!"], translate=translate, observer=counter)
    said = ["Hello.", "You there!"]
    translated = [("translate", len(text)) for text in said]
    spoken = [("speak", len(f"<es> {text}" if translate else text)) for text in said]
    assert sorted(counter.given_texts) == sorted((translated if translate else []) + spoken)


async def test_what_is_heard_is_no_given_text() -> None:
    counter = FakeCounter()
    await converse(engines(FakeSynthesizer()), [""], hears=True, observer=counter)
    assert counter.given_texts == []
