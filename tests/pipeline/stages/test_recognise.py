"""Recognition while somebody speaks, on audio whose words can be read out of it."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples
from dragoman.models.registry import Engines
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import fake_engines, s16, silence
from tests.fakes.readable import WORD_S, read, reader, spoken, text
from tests.pipeline.stillness import Stillness


async def heard(
    audio: Samples,
    recognizer: Callable[[RecognitionRequest], str | Hypothesis],
    *,
    latency: Latency = "low",
    paced: bool = True,
    partials: bool = False,
    chunk_s: float = 0.125,
    spoil: Callable[[Engines], None] = lambda engines: None,
    english_for: frozenset[str] = frozenset(),
) -> list[tuple[float, Event]]:
    """The events, each with the length of audio that had been sent by then. `spoil` may change the engines."""
    engines = fake_engines(recognizer)
    spoil(engines)
    events: list[tuple[float, Event]] = []
    sent_s = 0.0

    def emit(event: Event) -> None:
        events.append((sent_s, event))

    plan = replace(engines.plan(target="es"), english_for=english_for)
    request = SessionRequest(pcm(16_000), pcm(16_000), plan, partials=partials, latency=latency)
    with closing(engines), Stillness(engines) as still:
        session = Session(
            request, engines, load_settings(), still.offload, work_clock=still.work_clock, session_id="s", emit=emit
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            step = round(chunk_s * SAMPLE_RATE_HZ) if paced else len(audio)
            for start in range(0, len(audio), step):
                sent_s = min(len(audio), start + step) / SAMPLE_RATE_HZ
                await session.feed(s16(audio[start : start + step]))
                if paced:
                    await still.settled(session)
            await session.end()
    return events


def finals(events: list[tuple[float, Event]]) -> list[tuple[float, Transcript]]:
    return [(at_s, event) for at_s, event in events if isinstance(event, Transcript) and event.final]


def words(events: list[tuple[float, Event]]) -> list[str]:
    return [word.text for _, transcript in finals(events) for word in transcript.words]


@pytest.mark.parametrize("times", [False, True], ids=["without word times", "with word times"])
@pytest.mark.parametrize("sentence", [8, 1000], ids=["sentences", "no sentence ends"])
async def test_a_speaker_who_never_pauses_is_heard_word_by_word(times: bool, sentence: int) -> None:
    recognizer = reader(times=times, sentence=sentence)
    events = await heard(np.concatenate([spoken(100), silence(1.0)]), recognizer)
    said = words(events)
    assert [word.strip(".") for word in said] == [word.strip(".") for word in text(100)]
    # Each word is certain within two cadences and a word, wherever it stands in the forty seconds.
    lags = [at_s - word.stop_s for at_s, transcript in finals(events) for word in transcript.words]
    assert np.percentile(lags, 95) < 2.5
    # A second of speech costs the same however long nobody pauses.
    assert max(recognizer.lengths_s) < 16
    assert sum(recognizer.lengths_s) < 20 * 100 * WORD_S


async def test_clauses_are_translated_while_the_speaker_goes_on() -> None:
    events = await heard(np.concatenate([spoken(40), silence(1.0)]), reader(times=False))
    translated = [(at_s, event) for at_s, event in events if isinstance(event, Translation)]
    assert " ".join(event.text.removeprefix("<es> ") for _, event in translated) == " ".join(text(40))
    assert all(at_s - event.stop_s < 2.5 for at_s, event in translated)


async def test_a_slip_of_the_recogniser_does_not_come_through() -> None:
    recognizer = reader(times=False, slip=5)
    events = await heard(np.concatenate([spoken(60), silence(1.0)]), recognizer)
    assert words(events) == [*text(59), "w59."]


async def test_two_segments() -> None:
    events = await heard(
        np.concatenate([spoken(5), silence(1.0), spoken(5, first=5), silence(1.0)]), reader(times=False, sentence=5)
    )
    assert words(events) == text(10, sentence=5)
    closings = [transcript for _, transcript in finals(events) if transcript.closes]
    assert [transcript.segment_id for transcript in closings] == [0, 1]


async def test_a_file_that_is_sent_at_once_is_recognised_in_few_pieces() -> None:
    recognizer = reader(times=False)
    events = await heard(np.concatenate([spoken(20), silence(1.0)]), recognizer, paced=False)
    assert words(events) == [*text(19), "w19."]
    assert sum(recognizer.lengths_s) < 5 * 20 * WORD_S


async def test_partials_show_what_is_not_certain_and_only_to_those_who_ask() -> None:
    audio = np.concatenate([spoken(12), silence(1.0)])
    events = await heard(audio, reader(times=False), partials=True)
    committed: list[str] = []
    seen = 0
    for _, event in events:
        if isinstance(event, Transcript) and event.final:
            committed += [word.text for word in event.words]
        elif isinstance(event, Transcript) and event.words:
            seen += 1
            supposed = [word.text.strip(".x") for word in event.words]
            assert supposed[0].strip("w") == str(len(committed))
    assert seen > 3
    silent = await heard(audio, reader(times=False))
    assert all(event.final for _, event in silent if isinstance(event, Transcript))


async def test_quality_waits_for_pauses_and_sentence_ends() -> None:
    recognizer = reader(times=False)
    audio = np.concatenate([spoken(12), silence(1.0)])
    events = await heard(audio, recognizer, latency="quality")
    assert len(finals(events)) == 1
    assert len(recognizer.lengths_s) == 1
    events = await heard(audio, reader(times=False), latency="quality", partials=True)
    assert any(isinstance(event, Transcript) and not event.final for _, event in events)


async def test_silence_costs_the_recogniser_nothing() -> None:
    recognizer = reader(times=False)
    await heard(silence(20.0), recognizer)
    assert recognizer.lengths_s == []


@pytest.mark.parametrize("latency", ["low", "quality"])
async def test_the_last_hypothesis_is_the_draft_of_the_next(latency: Latency) -> None:
    reading, asked = reader(times=False, sentence=4), list[RecognitionRequest]()

    def hear(request: RecognitionRequest) -> Hypothesis:
        asked.append(request)
        found = reading(request)
        return replace(found, tokens=tuple(int(word.strip("wx.")) for word in found.text.split()))

    await heard(np.concatenate([spoken(30), silence(1.0)]), hear, latency=latency, partials=True)
    with_draft = [request for request in asked if request.draft]
    assert len(with_draft) > len(asked) / 2
    for request in with_draft:
        # What is still in the audio begins with what the draft begins with.
        heard_now = [int(word.strip("wx.")) for word in read(request.samples, 4).text.split()]
        assert heard_now[0] == request.draft[0]


@pytest.mark.parametrize("latency", ["low", "quality"])
@pytest.mark.parametrize("english_for", [frozenset[str](), frozenset({"en"})], ids=["", "with its own English"])
async def test_the_recogniser_is_told_what_is_a_partial_and_translates_none(
    latency: Latency, english_for: frozenset[str]
) -> None:
    reading, asked = reader(times=False), list[RecognitionRequest]()

    def hear(request: RecognitionRequest) -> Hypothesis:
        asked.append(request)
        return reading(request)

    audio = np.concatenate([spoken(12), silence(1.0)])
    await heard(audio, hear, latency=latency, partials=True, english_for=english_for)
    assert [request.partial for request in asked] == [True] * (len(asked) - 1) + [False]
    assert [request.english_for for request in asked] == [frozenset()] * (len(asked) - 1) + [english_for]
    assert len(asked) > 2


async def test_words_begin_behind_the_audio_that_is_kept_from_before_the_speech() -> None:
    """The recogniser counts the silence in front to the first word."""

    def hear(request: RecognitionRequest) -> Hypothesis:
        first, *others = read(request.samples, times=True).words
        return Hypothesis("", "en", (replace(first, start_s=0.0), *others))

    events = await heard(np.concatenate([silence(1.0), spoken(4), silence(1.0)]), hear, latency="quality")
    (transcript,) = [transcript for _, transcript in finals(events)]
    assert transcript.words[0].start_s == transcript.start_s == pytest.approx(1.0, abs=0.05)
