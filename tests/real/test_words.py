"""Real recognisers: what is streamed are the words of the whole recordings, and each has its place in the sound."""

import itertools
from collections.abc import Sequence

import pytest

from dragoman.models.base import Hypothesis, RecognitionRequest, Recognizer
from dragoman.pipeline.latency import Latency
from tests.real.talk import Heard, Recording, errors, hear, recordings

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def whole(recognizer: Recognizer, recording: Recording) -> Hypothesis:
    return recognizer.recognize([RecognitionRequest(recording.samples, recording.language)])[0]


def check(recognizer: Recognizer, chosen: Sequence[Recording], latency: Latency, most: int) -> None:
    """Streamed, at most `most` words more are wrong than in whole recordings, and no end of a recording is missing."""
    streamed_wrong = whole_wrong = 0
    for recording in chosen:
        found = hear(recognizer, recording.samples, latency=latency, source=recording.language)
        expected = whole(recognizer, recording)
        streamed_wrong += errors(recording.text, found.text)
        whole_wrong += errors(recording.text, expected.text)
        check_times(found, len(recording.samples) / 16_000 + 0.8)
        if expected.words:  # estimated ones reach to the end in any case
            assert found.words[-1].stop_s > expected.words[-1].stop_s - 0.5, f"its end is missing: {found.text}"
    assert streamed_wrong <= whole_wrong + most


def check_times(found: Heard, length_s: float) -> None:
    """Word times rise, have a length, and lie within the sound."""
    words = found.words
    assert words
    for word, following in itertools.pairwise(words):
        assert word.start_s <= following.start_s + 1e-6
        assert word.stop_s <= following.start_s + 0.25, f"{word} reaches into {following}"
    assert min(word.start_s for word in words) >= 0.0
    assert max(word.stop_s for word in words) <= length_s
    assert sum(word.stop_s <= word.start_s for word in words) <= max(1, len(words) * 0.05)


@pytest.mark.parametrize(("latency", "number"), [("low", 3), ("balanced", 4), ("quality", 3), ("quality", 4)])
@pytest.mark.parametrize("language", ["en", "es", "fr", "de", "pt"])
def test_base_streams_what_it_says_of_the_whole(base: Recognizer, language: str, latency: Latency, number: int) -> None:
    check(base, recordings(number, languages=[language]), latency, 2)


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@pytest.mark.parametrize("engine", ["tiny_en", "moonshine"])
def test_english_recognisers_stream_what_they_say_of_the_whole(
    engine: str, latency: Latency, request: pytest.FixtureRequest
) -> None:
    most = 5 if engine == "moonshine" else 3  # which hears beginnings worse than what is whole
    check(request.getfixturevalue(engine), recordings(3, 4, languages=["en"]), latency, most)


@pytest.mark.parametrize("engine", ["base", "moonshine"])
def test_quiet_speech_behind_loud_speech_is_heard(engine: str, request: pytest.FixtureRequest) -> None:
    """30 dB: two people at one microphone."""
    recognizer = request.getfixturevalue(engine)
    loud, quiet = recordings(3, 4, languages=["en"])
    found = hear(recognizer, loud.samples, quiet.samples * 10 ** (-30 / 20), latency="quality", source="en")
    alone = errors(quiet.text, whole(recognizer, quiet).text)
    begin_s = len(loud.samples) / 16_000 + 0.4
    behind = " ".join(word.text for word in found.words if word.stop_s > begin_s)
    assert errors(quiet.text, behind) <= alone + 2
