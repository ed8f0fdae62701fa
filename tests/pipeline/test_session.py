import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import numpy as np
import pytest

from dragoman.config.settings import Settings, load_settings
from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.models.errors import EngineFailed, NoTranslator
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.audio.formats import AudioFormat, ogg_opus, pcm, wav
from dragoman.pipeline.events import Ended, Event, Flushed, Speech, SpeechEnded, SpeechStarted, Transcript, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import (
    FakeDetector,
    FakeRecognizer,
    FakeSynthesizer,
    FakeTranslator,
    fake_engines,
    fake_voice,
    s16,
    silence,
    tone,
)
from tests.pipeline.stillness import Stillness

UTTERANCE = np.concatenate([tone(1.0), silence(1.0)])


@asynccontextmanager
async def opened(
    engines: Engines,
    *,
    target: str | None = "es",
    source_format: AudioFormat | None = None,
    output_format: AudioFormat | None = None,
    settings: Settings | None = None,
    emit: Callable[[Event], None] | None = None,
    latency: Latency = "quality",
    offload: Offload | None = None,
) -> AsyncIterator[tuple[Session, list[Event]]]:
    events: list[Event] = []
    offload = offload or Offload()
    request = SessionRequest(
        source_format or pcm(16_000), output_format or pcm(48_000), engines.plan(target=target), latency=latency
    )
    try:
        yield (
            Session(
                request,
                engines,
                settings or load_settings(),
                offload,
                session_id="s",
                emit=emit or events.append,
            ),
            events,
        )
    finally:
        offload.close()
        engines.close()


async def hear(session: Session, *audio: np.ndarray, flush: bool = False) -> None:
    for piece in audio:
        await session.feed(s16(piece))
        if flush:
            await session.flush(len(piece))
    await session.end()
    await session.run()


def of(kind: type, events: list[Event]) -> list:  # type: ignore[type-arg]
    return [event for event in events if isinstance(event, kind)]


async def test_a_word_travels_through_all_stages() -> None:
    async with opened(fake_engines()) as (session, events):
        await hear(session, UTTERANCE, UTTERANCE)
    assert [type(event) for event in events if isinstance(event, SpeechStarted | SpeechEnded)] == (
        [SpeechStarted, SpeechEnded] * 2
    )
    assert [transcript.text for transcript in of(Transcript, events)] == ["hello there"] * 2
    translations = of(Translation, events)
    assert [translation.text for translation in translations] == ["<es> hello there"] * 2
    assert [translation.clause_id for translation in translations] == [0, 1]
    assert translations[0].start_s == 0.0
    assert translations[1].start_s == pytest.approx(2.0, abs=0.04)
    assert 0.9 < translations[0].stop_s < 1.1
    assert isinstance(events[-1], Ended)


async def test_the_output_clock_abuts_and_tells_the_truth() -> None:
    async with opened(fake_engines()) as (session, events):
        await hear(session, UTTERANCE, UTTERANCE)
    speech = of(Speech, events)
    assert speech[0].start_s == 0
    assert all(one.stop_s == two.start_s for one, two in pairwise(speech))
    assert sum(len(piece.audio) for piece in speech) == round(speech[-1].stop_s * 48_000) * 2
    assert [piece.clause_id for piece in speech if piece.last] == [0, 1]
    spoken_s = len("<es> hello there") * 0.1
    gap_s = speech[-1].stop_s - 2 * spoken_s
    assert 0.029 < gap_s < 0.121  # less than the usual one where the second clause has to wait for the first
    assert speech[-1].clause_stop_s == speech[-1].stop_s


async def test_translation_comes_before_its_speech() -> None:
    async with opened(fake_engines()) as (session, events):
        await hear(session, *[UTTERANCE] * 5)
    said: set[int] = set()
    for event in events:
        if isinstance(event, Translation):
            said.add(event.clause_id)
        elif isinstance(event, Speech) and event.clause_id is not None:
            assert event.clause_id in said


async def test_a_pivot_and_no_target() -> None:
    async with opened(fake_engines(), target="pt") as (session, events):
        await hear(session, UTTERANCE)
    assert of(Translation, events)[0].text == "<pt> <es> hello there"
    async with opened(fake_engines(), target=None) as (session, events):
        await hear(session, UTTERANCE)
    (translation,) = of(Translation, events)
    assert (translation.text, translation.language) == ("hello there", "en")


def polyglot(heard: list[Hypothesis]) -> tuple[Engines, FakeRecognizer]:
    """Hears these in turn; only English becomes Portuguese."""
    left = iter(heard)
    recognizer = FakeRecognizer(lambda request: next(left), ["en", "fr", "de"], ["fr", "de"])
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[recognizer],
        translators=[FakeTranslator("en", "pt")],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice("pt"), fake_voice("en")]),
    )
    return engines, recognizer


async def test_the_first_language_that_is_heard_surely_stays() -> None:
    engines, recognizer = polyglot(
        [
            Hypothesis("Oui.", "fr", language_confidence=0.3, english="Yes."),
            Hypothesis("Ja.", "de", language_confidence=0.9, english="Yes."),
            Hypothesis("Gut.", "de", english="Good."),
        ]
    )
    async with opened(engines, target="pt") as (session, events):
        await hear(session, UTTERANCE, UTTERANCE, UTTERANCE)
    assert [request.language for request in recognizer.requests] == [None, None, "de"]
    assert [transcript.language for transcript in of(Transcript, events)] == ["fr", "de", "de"]


async def test_the_language_may_change_where_the_operator_lets_it() -> None:
    engines, recognizer = polyglot([Hypothesis("Ja.", "de", language_confidence=0.9, english="Yes.")] * 2)
    settings = load_settings(overrides={"recognise": {"lock_language": False}})
    async with opened(engines, target="pt", settings=settings) as (session, _):
        await hear(session, UTTERANCE, UTTERANCE)
    assert [request.language for request in recognizer.requests] == [None, None]


async def test_the_recognisers_own_english_goes_on_where_there_is_no_translator() -> None:
    engines, recognizer = polyglot([Hypothesis("Ja. Gut.", "de", english="Yes. Good.")])
    async with opened(engines, target="pt") as (session, events):
        await hear(session, UTTERANCE)
    assert recognizer.requests[0].english_for == {"fr", "de"}
    assert [transcript.text for transcript in of(Transcript, events)] == ["Ja. Gut."]
    assert [translation.text for translation in of(Translation, events)] == ["<pt> Yes.", "<pt> Good."]


async def test_a_language_that_nobody_translates_is_told() -> None:
    engines, _ = polyglot([Hypothesis("Ja.", "de")])
    async with opened(engines, target="pt") as (session, _):
        with pytest.raises(NoTranslator, match="de→pt"):
            await hear(session, UTTERANCE)


async def test_the_length_of_a_clause_in_several_blocks_is_estimated_until_its_last() -> None:
    async with opened(fake_engines()) as (session, events):
        await hear(session, UTTERANCE)
    speech = of(Speech, events)
    assert all(piece.clause_stop_s >= piece.stop_s for piece in speech)
    assert speech[0].clause_stop_s == pytest.approx(len("<es> hello there") * 0.065)
    assert speech[-1].clause_stop_s == speech[-1].stop_s


async def test_each_sentence_is_a_clause() -> None:
    async with opened(fake_engines(lambda _: "One two. Three four? Five.")) as (session, events):
        await hear(session, UTTERANCE)
    assert [translation.text for translation in of(Translation, events)] == [
        "<es> One two.",
        "<es> Three four?",
        "<es> Five.",
    ]
    assert len([piece for piece in of(Speech, events) if piece.last]) == 3


async def test_flush_commits_what_is_open_and_is_said_behind_it() -> None:
    async with opened(fake_engines()) as (session, events):
        await hear(session, tone(0.5), tone(0.5), flush=True)
    kinds = [type(event) for event in events if isinstance(event, Flushed | Ended) or getattr(event, "last", False)]
    assert kinds == [Speech, Flushed, Speech, Flushed, Ended]


async def test_silence_and_nothing_at_all() -> None:
    async with opened(fake_engines(), output_format=wav(48_000)) as (session, events):
        await hear(session, silence(3.0))
    header, ended = events
    assert isinstance(header, Speech)
    assert header.audio[:4] == b"RIFF"
    assert header.clause_id is None
    assert isinstance(ended, Ended)
    async with opened(fake_engines(), output_format=wav(48_000)) as (session, events):
        await hear(session)
    assert events == [Ended()]
    async with opened(fake_engines(), output_format=ogg_opus()) as (session, events):
        await hear(session)
    assert events == [Ended()]


async def test_a_recogniser_that_hears_nothing_says_nothing() -> None:
    async with opened(fake_engines(lambda _: "  ")) as (session, events):
        await hear(session, UTTERANCE)
    assert not of(Transcript, events)
    assert isinstance(events[-1], Ended)


async def test_speech_without_a_pause_is_committed_at_28_seconds_at_the_latest() -> None:
    async with opened(fake_engines(lambda _: "endless talk")) as (session, events):
        await hear(session, tone(70.0))
    transcripts = of(Transcript, events)
    assert len(transcripts) >= 3
    assert all(transcript.stop_s - transcript.start_s <= 28.0 for transcript in transcripts)
    assert all(one.stop_s == two.start_s for one, two in pairwise(transcripts))
    assert transcripts[-1].stop_s == pytest.approx(70.0, abs=0.05)


async def test_a_finished_sentence_inside_a_long_segment_is_committed_before_the_pause() -> None:
    # Ten words take five seconds; the gap behind each sentence is too short for a pause.
    sentence = np.concatenate([tone(4.9), silence(0.1)])

    def hear_sentences(request: RecognitionRequest) -> str:
        count = round(len(request.samples) / 16_000 / 0.5)
        return " ".join(f"word{number % 10}" + ("." if number % 10 == 9 else "") for number in range(count))

    engines = fake_engines(hear_sentences)
    with Stillness(engines) as still:
        async with opened(engines, offload=still.offload) as (session, events), asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            for _ in range(5):
                await session.feed(s16(sentence))
                await still.settled(session)
            await session.end()
    transcripts = of(Transcript, events)
    assert len(transcripts) >= 3
    assert all(transcript.text.endswith("word9.") for transcript in transcripts[:-1])
    words = " ".join(transcript.text for transcript in transcripts).split()
    assert len(words) == 50
    assert transcripts[0].stop_s < 15


async def test_bytes_that_are_not_the_format_end_the_session_with_the_reason() -> None:
    async with opened(fake_engines(), source_format=wav()) as (session, _):
        await session.feed(b"this is not a RIFF file" * 10)
        await session.end()
        with pytest.raises(AudioError, match="RIFF"):
            await session.run()


async def test_an_engine_that_breaks_ends_the_session_with_its_reason() -> None:
    def broken(_: RecognitionRequest) -> str:
        raise ZeroDivisionError("inside")

    async with opened(fake_engines(broken)) as (session, _):
        with pytest.raises(EngineFailed, match="fake-recognizer"):
            await hear(session, UTTERANCE)


async def test_a_listener_that_raises_ends_the_session() -> None:
    def refuse(_: Event) -> None:
        raise RuntimeError("enough")

    async with opened(fake_engines(), emit=refuse) as (session, _):
        with pytest.raises(RuntimeError, match="enough"):
            await hear(session, UTTERANCE)


async def test_input_is_bounded() -> None:
    async with opened(fake_engines()) as (session, _):
        limit = load_settings().limits.inbox_bytes
        await session.feed(bytes(limit))
        waiting = asyncio.create_task(session.feed(b"xx"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        assert session.depths["hear"] == limit + 2
        waiting.cancel()


def test_plans_that_cannot_be() -> None:
    engines = fake_engines()
    with pytest.raises(NoTranslator):
        engines.plan(target="de")
    engines.close()
