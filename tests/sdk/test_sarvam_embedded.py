"""The official `sarvamai` client with real speech and the engines that need no download."""

import base64

import jiwer
import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.ear import Ear
from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.sentences import words_of
from dragoman.server.protocols.sarvam.vad import tuned
from dragoman.testing import RunningServer
from tests.sdk.sarvam_client import Step, Talk, run_sarvam
from tests.sdk.speech import Pcm, as_wav, recording, resampled

pytestmark = pytest.mark.embedded

BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,"
)


def speech(name: str, rate_hz: int = 16000, seconds: float | None = None) -> Pcm:
    samples, recorded_hz = recording(name)
    samples = resampled(samples, recorded_hz, rate_hz)
    return samples[: round(seconds * rate_hz)] if seconds else samples


def turns(samples: Pcm, **query: str) -> int:
    """How many segments the detector hears, with the parameters of a query; judged here, without a server."""
    ear = Ear(make_decoder(pcm(16_000)), SileroDetector(), tuned(query, load_settings().listen))
    _, heard = ear.hear(samples.astype("<i2").tobytes(), len(samples))
    heard += ear.stop(final=False)
    count = sum(isinstance(item, SpeechEnded) for item in heard)
    assert count == sum(isinstance(item, SpeechStarted) for item in heard)
    return count


def steps_of(samples: Pcm, count: int, rate_hz: int = 16000) -> list[Step]:
    """Send all, flush, and receive as many utterances as there are."""
    size = rate_hz // 4
    sent: list[Step] = [("audio", as_wav(samples[at : at + size], rate_hz)) for at in range(0, len(samples), size)]
    return [*sent, ("flush",), ("until", "data", count)]


def error_rate(talk: Talk, reference: str) -> float:
    return float(jiwer.wer(" ".join(words_of(reference)), " ".join(words_of(" ".join(talk.transcripts)))))


def test_english_through_every_mode_of_both_sockets(embedded: RunningServer) -> None:
    samples = speech("two_cities.wav", seconds=8.5)
    plain = {"url": embedded.url, "steps": steps_of(samples, turns(samples))}
    modes = ["translate", "transcribe", "verbatim", "translit", "codemix"]
    jobs = [
        {**plain, "socket": "transcribe", "language_code": "en-IN", "mode": mode, "kind": "async"} for mode in modes
    ]
    jobs += [{**plain, "request_options": {"additional_query_parameters": {"mode": mode}}} for mode in modes]
    talks = run_sarvam("talks", jobs=jobs)
    for talk in talks:
        assert talk.raised is None
        assert error_rate(talk, TWO_CITIES) <= 0.15, talk.transcripts
        assert {data["language_code"] for data in talk.of("data")} == {"en-IN"}
        assert sum(data["metrics"]["audio_duration"] for data in talk.of("data")) > 6


def test_telephone_speech(embedded: RunningServer) -> None:
    count = turns(speech("beckett.wav"))
    steps = steps_of(speech("beckett.wav", 8000), count, 8000)
    talk = run_sarvam("talk", url=embedded.url, steps=steps, sample_rate="8000", vad_signals="true")
    assert error_rate(talk, BECKETT) <= 0.25, talk.transcripts
    assert [event["signal_type"] for event in talk.of("events")] == ["START_SPEECH", "END_SPEECH"] * count


def test_the_client_tunes_the_detector(embedded: RunningServer) -> None:
    samples = speech("two_cities.wav", seconds=17.0)
    queries: list[dict[str, str]] = [
        {},
        {"high_vad_sensitivity": "true"},
        {"negative_frames_count": "60", "negative_frames_window": "60"},
        {"positive_speech_threshold": "1.0", "first_turn_min_speech_frames": "200"},
        {"start_speech_volume_threshold": "0"},
        {"num_initial_ignored_frames": str(10_000 // 32)},
    ]
    counts = [turns(samples, **query) for query in queries]
    usual, sensitive, patient, deaf, gated, late = counts
    assert sensitive > usual > patient >= 1
    assert deaf == gated == 0
    assert 0 < late < usual
    jobs = [
        {"url": embedded.url, "steps": steps_of(samples, count), "kind": kind, "vad_signals": "true", **query}
        for query, count, kind in zip(queries, counts, ["sync", "async"] * 3, strict=True)
    ]
    for talk, count in zip(run_sarvam("talks", jobs=jobs), counts, strict=True):
        assert talk.raised is None
        assert talk.count("data") == count


def test_a_language_that_nobody_here_hears(embedded: RunningServer) -> None:
    steps: list[Step] = [*steps_of(speech("beckett.wav", seconds=1.0), 0), ("rest",)]
    jobs = [
        {"url": embedded.url, "steps": steps, "socket": "transcribe", "language_code": "hi-IN", "kind": kind}
        for kind in ("sync", "async")
    ]
    for talk in run_sarvam("talks", jobs=jobs):
        (error,) = talk.of("error")
        assert error["code"] == "unsupported_language"
        assert "no recogniser for 'hi' is installed" in error["error"]
        assert "dragoman models pull" in error["error"]
        assert talk.closed[0] == 4000


def test_a_whole_recording_and_speech_in_many_languages(embedded: RunningServer) -> None:
    file = as_wav(speech("two_cities.wav", seconds=8.5), 16000)
    said = {"hi-IN": "नमस्ते दुनिया।", "ta-IN": "வணக்கம் உலகம்.", "od-IN": "ନମସ୍କାର", "en-IN": "Good morning."}
    calls = [
        ("speech_to_text.transcribe", {"file": file, "with_timestamps": True}),
        ("speech_to_text.translate", {"file": file}),
        *(("text_to_speech.convert", {"text": text, "language_code": code}) for code, text in said.items()),
    ]
    heard, english, *spoken = run_sarvam("rest", url=embedded.url, calls=calls)
    for one in (heard, english):
        assert jiwer.wer(" ".join(words_of(TWO_CITIES)), " ".join(words_of(one["transcript"]))) < 0.2
        assert (one["language_code"], one["language_probability"]) == ("en-IN", 1.0)
    times = heard["timestamps"]
    assert " ".join(times["words"]) == heard["transcript"]
    assert times["start_time_seconds"] == sorted(times["start_time_seconds"])
    assert 0 < times["end_time_seconds"][-1] <= 8.5
    for answer in spoken:
        data = base64.b64decode(answer["audios"][0])
        assert len(data) - 44 == int.from_bytes(data[40:44], "little")
        samples = np.frombuffer(data[44:], "<i2")
        assert len(samples) > 24_000 / 4
        assert np.abs(samples).max() > 1_000
