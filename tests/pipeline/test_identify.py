"""Speakers through a whole session: tones are the voices, their pitches the people."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Hypothesis, RecognitionRequest, Samples
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.pipeline.latency import Latency
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
from tests.fakes.readable import WORD_S, reader, spoken
from tests.fakes.speakers import FakeEmbedder
from tests.pipeline.stillness import Stillness

CHUNK = SAMPLE_RATE_HZ // 8
ANNA_HZ, BEN_HZ, CARA_HZ = 1000.0, 1500.0, 2000.0


def growing(request: RecognitionRequest) -> str:
    """A word for each third of a second."""
    return " ".join(f"w{number}" for number in range(int(len(request.samples) / SAMPLE_RATE_HZ / 0.33)))


def turn(hz: float, seconds: float = 2.0, pause_s: float = 1.0) -> Samples:
    return np.concatenate([tone(seconds, hz), silence(pause_s)])


def load(embedder: FakeEmbedder | None, hear: Callable[[RecognitionRequest], str | Hypothesis]) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear)],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice("es")]),
        embedder=embedder,
    )


async def heard(
    audio: Samples,
    embedder: FakeEmbedder | None,
    *,
    hear: Callable[[RecognitionRequest], str | Hypothesis] = growing,
    latency: Latency = "quality",
    speakers: bool = True,
    partials: bool = False,
    paced: bool = False,
) -> list[Event]:
    """Everything that a session says of the audio; `paced`: each piece when all is done with the one before."""
    engines, events = load(embedder, hear), list[Event]()
    plan = engines.plan(targets=[TargetWish("es", speaks=False)])
    request = SessionRequest(pcm(16_000), None, plan, partials=partials, latency=latency, speakers=speakers)
    with closing(engines), Stillness(engines) as still:
        session = Session(
            request,
            engines,
            load_settings(),
            still.offload,
            work_clock=still.work_clock,
            session_id="s",
            emit=events.append,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            step = CHUNK if paced else len(audio)
            for start in range(0, len(audio), step):
                await session.feed(s16(audio[start : start + step]))
                if paced:
                    await still.settled(session)
            await session.end()
    return events


def finals(events: list[Event]) -> list[Transcript]:
    return [event for event in events if isinstance(event, Transcript) and event.final]


def by_segment(events: list[Event]) -> list[set[str | None]]:
    """The speakers of each segment's final words."""
    said = [event for event in finals(events) if event.text]
    return [
        {event.speaker for event in said if event.segment_id == number}
        for number in range(1 + max(event.segment_id for event in said))
    ]


@pytest.mark.parametrize("paced", [True, False], ids=["in real time", "at once"])
@pytest.mark.parametrize("latency", ["low", "quality"])
async def test_alternating_voices_have_alternating_labels(latency: Latency, paced: bool) -> None:
    voices = [ANNA_HZ, BEN_HZ, ANNA_HZ, CARA_HZ, BEN_HZ]
    audio = np.concatenate([turn(hz, 3.0) for hz in voices])
    events = await heard(audio, FakeEmbedder(), latency=latency, paced=paced)
    assert by_segment(events) == [{"1"}, {"2"}, {"1"}, {"3"}, {"2"}]
    translations = [event for event in events if isinstance(event, Translation)]
    assert [event.speaker for event in translations if event.segment_id == 3] == (
        ["3"] * sum(event.segment_id == 3 for event in translations)
    )
    assert {(event.segment_id, event.speaker) for event in translations} == set(enumerate("12132"))


async def test_nobody_is_asked_who_speaks_unless_the_client_wants_to_know() -> None:
    embedder = FakeEmbedder()
    events = await heard(turn(ANNA_HZ), embedder, speakers=False)
    assert by_segment(events) == [{None}]
    assert embedder.pieces == []
    assert embedder.closed


async def test_a_session_goes_on_where_nothing_tells_voices_apart() -> None:
    events = await heard(turn(ANNA_HZ), None)
    assert by_segment(events) == [{None}]
    assert any(isinstance(event, Translation) for event in events)


async def test_a_broken_engine_costs_the_labels_and_not_the_words(caplog: pytest.LogCaptureFixture) -> None:
    embedder = FakeEmbedder(broken=True)
    with caplog.at_level(logging.WARNING, "dragoman.pipeline.identify"):
        events = await heard(np.concatenate([turn(ANNA_HZ), turn(BEN_HZ)]), embedder)
    assert by_segment(events) == [{None}, {None}]
    assert [record.getMessage() for record in caplog.records if "told apart" in record.message] == [
        "speakers are not told apart: fake-embedder failed: it is broken"
    ]


async def test_speech_without_words_is_nobody() -> None:
    left = iter(["hello there friend", "", "good morning friend"])
    audio = np.concatenate([turn(ANNA_HZ), turn(BEN_HZ), turn(CARA_HZ)])
    events = await heard(audio, FakeEmbedder(), hear=lambda request: next(left))
    assert [(event.text, event.speaker) for event in finals(events)] == [
        ("hello there friend", "1"),
        ("good morning friend", "2"),
    ]


async def test_a_scrap_of_speech_goes_to_whoever_spoke_before() -> None:
    embedder = FakeEmbedder()
    audio = np.concatenate([turn(ANNA_HZ), turn(BEN_HZ), turn(CARA_HZ, 0.2), turn(ANNA_HZ)])
    events = await heard(audio, embedder, hear=lambda request: "hello there")
    assert [event.speaker for event in finals(events)] == ["1", "2", "2", "1"]
    assert len(embedder.pieces) == 3


async def test_a_scrap_at_the_very_start_has_nobody_to_go_to() -> None:
    events = await heard(
        np.concatenate([turn(CARA_HZ, 0.2), turn(ANNA_HZ)]), FakeEmbedder(), hear=lambda request: "hello there"
    )
    assert [event.speaker for event in finals(events)] == [None, "1"]


async def test_only_speech_is_looked_at_and_no_more_than_is_needed() -> None:
    embedder = FakeEmbedder()
    await heard(np.concatenate([silence(1.0), turn(ANNA_HZ, 2.0), turn(ANNA_HZ, 20.0)]), embedder)
    short, *_, last = embedder.pieces
    assert len(short) / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.07)
    for piece in embedder.pieces:  # without the silence before and behind
        assert np.abs(piece[:800]).max() > 0.1
        assert np.abs(piece[-800:]).max() > 0.1
    assert len(last) / SAMPLE_RATE_HZ == pytest.approx(6.0, abs=0.01)


async def test_what_is_shown_before_it_is_certain_has_its_speaker_too() -> None:
    audio = np.concatenate([turn(ANNA_HZ, 3.0), turn(BEN_HZ, 3.0)])
    events = await heard(audio, FakeEmbedder(), latency="low", partials=True, paced=True)
    shown = [event for event in events if isinstance(event, Transcript) and not event.final and event.text]
    assert {event.segment_id: event.speaker for event in shown} == {0: "1", 1: "2"}
    assert {event.speaker for event in shown if event.segment_id == 1} == {"2"}


async def test_while_a_segment_grows_it_is_looked_at_seldom() -> None:
    embedder = FakeEmbedder()
    await heard(turn(ANNA_HZ, 4.5), embedder, latency="low", paced=True)
    assert 2 <= len(embedder.pieces) <= 4
    assert embedder.lengths_s[0] >= 1.0
    assert embedder.lengths_s[-1] == pytest.approx(4.5, abs=0.07)


async def test_whoever_takes_over_without_a_pause_is_found_by_a_later_look() -> None:
    seconds = 50 * WORD_S
    voices = np.concatenate([tone(0.4 * seconds, ANNA_HZ, 0.003), tone(0.6 * seconds, BEN_HZ, 0.003)])
    audio = np.concatenate([spoken(50) + voices, silence(1.0), turn(BEN_HZ, 3.0)])
    events = await heard(audio, FakeEmbedder(), latency="low", paced=True, hear=reader(times=True))
    said = [(event.speaker, event.words[0].text) for event in finals(events) if event.text and event.segment_id == 0]
    labels = [speaker for speaker, _ in said]
    # What was committed keeps its label, and what follows has the right one.
    assert labels == sorted(labels)
    assert set(labels) == {"1", "2"}
    first = next(int(word.strip("w.")) for speaker, word in said if speaker == "2")
    assert 20 <= first < 40


async def test_a_guess_that_was_wrong_is_mended_for_what_follows() -> None:
    embedder = FakeEmbedder()
    embedder.shortest_s = 2.5  # before that, everybody is somebody who is known
    audio = np.concatenate([turn(ANNA_HZ, 4.0), turn(BEN_HZ, 4.0), turn(BEN_HZ, 4.0)])
    events = await heard(audio, embedder, latency="low", paced=True)
    second = [event.speaker for event in finals(events) if event.text and event.segment_id == 1]
    assert second[0] == "1"
    assert second[-1] == "2"
    assert by_segment(events)[2] == {"2"}


async def test_sessions_do_not_share_speakers() -> None:
    embedder = FakeEmbedder()
    assert by_segment(await heard(np.concatenate([turn(ANNA_HZ), turn(BEN_HZ)]), embedder)) == [{"1"}, {"2"}]
    assert by_segment(await heard(turn(BEN_HZ), embedder)) == [{"1"}]


async def test_the_engines_tell_who_tells_speakers_apart() -> None:
    embedder = FakeEmbedder()
    engines = load(embedder, growing)
    try:
        assert engines.describe()["speakers"] == "fake-embedder"
        assert engines.batching["fake-embedder"] == Batching()
        assert "fake-embedder" in engines.depths
        voice = await engines.identify(tone(1.0, BEN_HZ), "s")
        assert voice is not None
        assert voice @ embedder.embed([tone(2.0, BEN_HZ)])[0] == 1
    finally:
        await asyncio.to_thread(engines.close)
    assert embedder.closed
    without = load(None, growing)
    try:
        assert without.describe()["speakers"] == ""
        assert await without.identify(tone(1.0), "s") is None
    finally:
        await asyncio.to_thread(without.close)
