import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.config.settings import ListenSettings, load_settings
from dragoman.models.base import Samples
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import Encoding, ogg_opus, pcm
from dragoman.pipeline.ear import BATCH_FRAMES, Ear, Heard
from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.items import SegmentEnd, SpeechChunk
from tests.fakes.engines import FakeDetector, silence, tone

LISTEN = load_settings().listen


def open_ear(chosen: ListenSettings = LISTEN) -> Ear:
    """An ear for the samples themselves."""
    return Ear(make_decoder(pcm(16_000, Encoding.F32LE)), FakeDetector(), chosen)


def hear(audio: Samples, chunk: int, chosen: ListenSettings = LISTEN, most: int = 6) -> list[Heard]:
    """All of it in pieces of `chunk` samples, no more than `most` frames judged at once."""
    ear, heard = open_ear(chosen), list[Heard]()
    for start in range(0, len(audio), chunk):
        data = audio[start : start + chunk].tobytes()
        while data or ear.due:
            heard += ear.hear(data, most)[1]
            data = b""
    ear.finish()
    return heard + ear.stop(final=True)


def decoded(audio: Samples) -> Samples:
    """What the ear's decoder makes of it."""
    return make_decoder(pcm(16_000, Encoding.F32LE)).decode(audio.tobytes())


def segments(heard: list[Heard]) -> list[tuple[int, Samples]]:
    """Place of the first sample, and samples, of each segment as a recogniser would take it."""
    found: list[tuple[int, Samples]] = []
    chunks: list[SpeechChunk] = []
    for item in heard:
        if isinstance(item, SpeechChunk):
            if chunks:
                expected = chunks[-1].start_s + len(chunks[-1].samples) / 16_000
                assert abs(item.start_s - expected) < 1e-9
            chunks.append(item)
        elif isinstance(item, SegmentEnd):
            start = round(chunks[0].start_s * 16_000)
            keep = round(item.keep_until_s * 16_000)
            found.append((start, np.concatenate([chunk.samples for chunk in chunks])[: keep - start]))
            chunks = []
    assert not chunks
    return found


def test_two_utterances_with_what_is_around_them() -> None:
    audio = np.concatenate([silence(1.0), tone(1.0), silence(1.5), tone(0.5), silence(1.0)])
    heard = hear(audio, 1280)
    events = [item for item in heard if isinstance(item, SpeechStarted | SpeechEnded)]
    assert [type(event) for event in events] == [SpeechStarted, SpeechEnded] * 2
    assert [round(event.at_s, 1) for event in events] == [1.0, 2.0, 3.5, 4.0]
    (first, one), (second, two) = segments(heard)
    clean = decoded(audio)
    assert np.array_equal(one, clean[first : first + len(one)])
    assert np.array_equal(two, clean[second : second + len(two)])
    assert first / 16_000 <= 1.0 - 0.25
    assert (first + len(one)) / 16_000 >= 2.0 + 0.1


def test_the_end_of_the_input_ends_the_segment_with_its_last_sample() -> None:
    audio = np.concatenate([silence(0.5), tone(1.0)])[:-100]
    ((start, samples),) = segments(hear(audio, 1280))
    assert start + len(samples) >= len(audio)


def test_silence_gives_nothing_and_is_not_kept() -> None:
    ear = open_ear()
    for _ in range(100):
        assert ear.hear(silence(1.0).tobytes(), 100) == (1.0, [])
    assert len(ear._held) < 16_000
    assert ear.stop(final=True) == []


def test_speech_at_the_very_start() -> None:
    ((start, samples),) = segments(hear(np.concatenate([tone(1.0), silence(1.0)]), 700))
    assert start == 0
    assert len(samples) >= 16_000


def test_audio_that_is_thrown_away_is_in_no_segment() -> None:
    audio = np.concatenate([tone(1.0), silence(1.0), tone(1.0), silence(1.0)])
    ignoring = LISTEN.model_copy(update={"ignore_start_ms": 2000})
    ((start, samples),) = segments(hear(audio, 700, ignoring))
    assert start == 32_000
    assert len(samples) >= 16_000
    (_, (start, _)) = segments(hear(audio, 700))
    assert start < 32_000


def test_what_is_too_quiet_is_not_heard() -> None:
    audio = np.concatenate([tone(1.0, level=0.02), silence(1.0), tone(1.0, level=0.3), silence(1.0)])
    # The level of a sine is 3 dB under its peak.
    assert len(segments(hear(audio, 700, LISTEN.model_copy(update={"start_level_dbfs": -37.5})))) == 2
    assert len(segments(hear(audio, 700, LISTEN.model_copy(update={"start_level_dbfs": -36.5})))) == 1
    assert len(segments(hear(audio, 700, LISTEN.model_copy(update={"start_level_dbfs": -13.0})))) == 0


def test_the_audio_before_a_burst_is_kept_however_long_the_burst_must_be() -> None:
    audio = np.concatenate([silence(5.0), tone(3.0), silence(1.0)])
    patient = LISTEN.model_copy(update={"opening_min_speech_ms": 2500, "pre_speech_ms": 1000})
    ((start, samples),) = segments(hear(audio, 700, patient))
    assert 3.9 < start / 16_000 <= 4.0
    assert np.array_equal(samples, decoded(audio)[start : start + len(samples)])


pieces = st.lists(st.tuples(st.booleans(), st.integers(1, 20_000)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(pieces, st.integers(1, 30_000), st.integers(1, 70))
def test_chunk_borders_do_not_matter_and_no_sample_is_in_two_segments(
    shape: list[tuple[bool, int]], chunk: int, most: int
) -> None:
    parts = [tone(length / 16_000) if loud else silence(length / 16_000) for loud, length in shape]
    audio = np.concatenate(parts)
    whole = segments(hear(audio, len(audio), most=len(audio)))
    chunked = segments(hear(audio, chunk, most=most))
    assert [start for start, _ in whole] == [start for start, _ in chunked]
    assert all(np.array_equal(one, two) for (_, one), (_, two) in zip(whole, chunked, strict=True))
    end = 0
    for start, samples in whole:
        assert start >= end
        end = start + len(samples)


def test_frames_are_judged_when_there_are_some_of_them_and_no_more_at_once_than_wanted() -> None:
    ear, frame = open_ear(), tone(1.0)[: FakeDetector.frame_samples].tobytes()
    for _ in range(BATCH_FRAMES - 1):
        assert ear.hear(frame, 2)[1] == []
        assert not ear.due
    heard = [ear.hear(frame * 3, 2)[1]]
    while ear.due:
        heard.append(ear.hear(b"", 2)[1])
    lengths = [sum(len(item.samples) for item in found if isinstance(item, SpeechChunk)) for found in heard]
    assert [length // FakeDetector.frame_samples for length in lengths] == [0, 4]  # two to judge, speech from three on
    assert not ear.due


def test_the_format_and_the_rate_are_the_ears_business() -> None:
    ear = Ear(make_decoder(pcm(48_000, Encoding.F32LE, channels=2)), FakeDetector(), LISTEN)
    seconds, _ = ear.hear(np.repeat(tone(3.0), 2).tobytes(), 100)
    assert 0.9 < seconds < 1.0
    assert seconds + ear.finish() == 1.0
    ends = [item for item in ear.stop(final=True) if isinstance(item, SpeechEnded)]
    assert [round(end.at_s, 1) for end in ends] == [1.0]
    assert not ear.coded
    assert Ear(make_decoder(ogg_opus()), FakeDetector(), LISTEN).coded
