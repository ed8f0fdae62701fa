"""Each parameter of voice activity detection, from the address to the segments that come of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.config.settings import ListenSettings, load_settings
from dragoman.models.base import Samples
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import Encoding, pcm
from dragoman.pipeline.ear import Ear
from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.items import SpeechChunk
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.sarvam.vad import FRAME_MS, MAX_FRAMES, tuned

FRAME = 512
BASE = load_settings().listen
SPEECH, WEAK, QUIET = 0.9, 0.45, 0.1


class FakeDetector:
    """Gives the probabilities that the test has chosen, frame by frame."""

    name = "fake-vad"
    frame_samples = FRAME

    def __init__(self, probabilities: list[float]) -> None:
        self._left = probabilities

    def stream(self) -> "FakeDetector":
        return self

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        count = len(samples) // FRAME
        given, self._left = self._left[:count], self._left[count:]
        return np.asarray(given, np.float32)

    def close(self) -> None:
        pass


def segments(probabilities: list[float], level: float = 0.1, **query: str) -> list[tuple[int, int | None, int]]:
    """First frame of speech, first frame behind it, and first frame of the audio that is kept, of each segment."""
    ear = Ear(make_decoder(pcm(16_000, Encoding.F32LE)), FakeDetector(list(probabilities)), tuned(query, BASE))
    sound = level * np.resize([1, 1, -1, -1], len(probabilities) * FRAME)  # a constant would be taken for an offset
    _, heard = ear.hear(sound.astype(np.float32).tobytes(), len(probabilities))
    found: list[tuple[int, int | None, int]] = []
    start = kept = 0
    opening = False
    for item in heard:
        if isinstance(item, SpeechStarted):
            start, opening = round(item.at_s * 1000 / FRAME_MS), True
        elif isinstance(item, SpeechChunk) and opening:
            kept, opening = round(item.start_s * 1000 / FRAME_MS), False
            found.append((start, None, kept))
        elif isinstance(item, SpeechEnded):
            found[-1] = (start, round(item.at_s * 1000 / FRAME_MS), kept)
    return found


def spans(probabilities: list[float], **query: Any) -> list[tuple[int, int | None]]:
    return [(start, stop) for start, stop, _ in segments(probabilities, **query)]


def turn(length: int, pause: int = 30) -> list[float]:
    return [SPEECH] * length + [QUIET] * pause


def test_what_is_not_named_is_the_operators() -> None:
    assert tuned({}, BASE) == BASE
    assert tuned({"high_vad_sensitivity": "false", "min_speech_frames": ""}, BASE) == BASE
    other = BASE.model_copy(
        update={"threshold": 0.2, "negative_threshold": 0.1, "min_speech_ms": 10, "opening_min_speech_ms": 20,
                "interrupt_min_speech_ms": 30, "ignore_start_ms": 40, "pre_speech_ms": 50, "start_level_dbfs": -60.0,
                "unbroken_start": True, "end_silence_ms": 60, "end_window_ms": 70, "long_end_silence_ms": 50}
    )  # fmt: skip
    assert tuned({}, other) == other
    # Three frames for the first turn and every other; twelve of silence end one.
    assert spans(turn(2) + turn(3) + turn(8)) == [(32, 35), (65, 73)]
    assert spans(turn(8, 11) + turn(8, 12)) == [(0, 27)]


@pytest.mark.parametrize(
    ("query", "silent", "window"),
    [
        ({"negative_frames_count": "18"}, 18, 24),
        ({"negative_frames_count": "18", "negative_frames_window": "18"}, 18, 18),
        ({"negative_frames_count": "35"}, 35, 35),
        ({"negative_frames_window": "20"}, 12, 20),
        ({"negative_frames_window": "5"}, 5, 5),
        ({"high_vad_sensitivity": "true"}, 2, 2),
        ({"high_vad_sensitivity": "true", "negative_frames_count": "3"}, 3, 3),
        ({"high_vad_sensitivity": "true", "negative_frames_window": "24"}, 2, 24),
    ],
)
def test_what_ends_an_utterance(query: dict[str, str], silent: int, window: int) -> None:
    chosen = tuned(query, BASE)
    ends = chosen.end_silence_ms, chosen.long_end_silence_ms, chosen.end_window_ms
    assert ends == (silent * FRAME_MS, silent * FRAME_MS, window * FRAME_MS)


def test_what_the_vendor_publishes_counts_where_it_is_named() -> None:
    chosen = tuned({"positive_speech_threshold": "0.7", "negative_speech_threshold": "0.45"}, BASE)
    assert (chosen.threshold, chosen.negative_threshold) == (0.7, 0.45)
    assert not chosen.unbroken_start, "only counts say that frames follow each other"


@pytest.mark.parametrize("name", ["min_speech_frames", "first_turn_min_speech_frames", "interrupt_min_speech_frames"])
def test_frames_that_are_counted_follow_each_other(name: str) -> None:
    assert tuned({name: "3"}, BASE).unbroken_start
    broken = [SPEECH] * 7 + [WEAK] + [SPEECH] * 7 + [QUIET] * 30
    assert spans(broken, first_turn_min_speech_frames="8") == []
    assert spans(broken) == [(0, 15)]


def test_positive_speech_threshold() -> None:
    assert spans([WEAK] * 10 + [QUIET] * 30) == []
    assert spans([WEAK] * 10 + [QUIET] * 30, positive_speech_threshold="0.4") == [(0, 10)]
    assert spans(turn(10), positive_speech_threshold="0.95") == []


def test_negative_speech_threshold() -> None:
    assert spans([SPEECH] * 10 + [0.3] * 30) == [(0, 10)]
    assert spans([SPEECH] * 10 + [0.3] * 30, negative_speech_threshold="0.2") == [(0, None)]


def test_min_speech_frames() -> None:
    both = turn(8) + turn(5)
    assert spans(both, min_speech_frames="5") == [(0, 8), (38, 43)]
    assert spans(both, min_speech_frames="6") == [(0, 8)]
    assert spans(turn(8) + turn(1), min_speech_frames="0") == [(0, 8), (38, 39)]


def test_first_turn_min_speech_frames() -> None:
    assert spans(turn(2) + turn(3), first_turn_min_speech_frames="2") == [(0, 2), (32, 35)]
    assert spans(turn(11) + turn(3), first_turn_min_speech_frames="12") == []
    assert spans(turn(1), first_turn_min_speech_frames="0") == [(0, 1)]


def test_negative_frames_count() -> None:
    assert spans(turn(8, 5) + turn(8), negative_frames_count="5") == [(0, 8), (13, 21)]
    assert spans(turn(8, 5) + turn(8), negative_frames_count="6") == [(0, 21)]
    assert spans(turn(8, 40), negative_frames_count="35") == [(0, 8)], "the window grows with the count"
    assert spans(turn(8, 34), negative_frames_count="35") == [(0, None)]


def test_negative_frames_window() -> None:
    # Every fourth frame of the pause is a click.
    clicks = [SPEECH] * 8 + [QUIET, QUIET, QUIET, SPEECH] * 10
    assert spans(clicks, negative_frames_count="18") == [(0, 28)]
    assert spans(clicks, negative_frames_count="19") == [(0, None)]
    assert spans(clicks) == [(0, None)]
    assert spans(clicks, negative_frames_count="6", negative_frames_window="8") == [(0, 12)]
    assert spans(clicks, negative_frames_window="3") == [(0, 8)], "the count gives way to a shorter window"


def test_high_vad_sensitivity() -> None:
    assert spans(turn(8, 2) + turn(8)) == [(0, 18)]
    assert spans(turn(8, 2) + turn(8), high_vad_sensitivity="true") == [(0, 8), (10, 18)]
    assert spans(turn(8, 2) + turn(8), high_vad_sensitivity="False") == [(0, 18)]
    named = {"high_vad_sensitivity": "True", "negative_frames_count": "3", "negative_frames_window": "4"}
    assert spans(turn(8, 2) + turn(8, 3), **named) == [(0, 18)], "what is named counts more than the preset"


def test_start_speech_volume_threshold() -> None:
    # An amplitude of 0.01 is 40 dB under full scale.
    assert spans(turn(8), level=0.01) == [(0, 8)]
    assert spans(turn(8), level=0.01, start_speech_volume_threshold="-45") == [(0, 8)]
    assert spans(turn(8), level=0.01, start_speech_volume_threshold="-39.5") == []


def test_interrupt_min_speech_frames() -> None:
    # Twelve frames of silence end a turn, the next speech comes right behind them.
    close = turn(8, 12) + turn(4)
    assert spans(close) == [(0, 8), (20, 24)]
    assert spans(close, interrupt_min_speech_frames="5") == [(0, 8)]
    assert spans(turn(8, 12) + turn(5), interrupt_min_speech_frames="5") == [(0, 8), (20, 25)]
    late = turn(8, 12 + 32) + turn(4)
    assert spans(late, interrupt_min_speech_frames="5") == [(0, 8), (52, 56)], "a second later nobody is interrupted"
    assert spans(turn(8, 12) + turn(1), interrupt_min_speech_frames="0") == [(0, 8), (20, 21)]


def test_pre_speech_pad_frames() -> None:
    speech = [QUIET] * 20 + turn(8)
    assert segments(speech) == [(20, 28, 10)]
    assert segments(speech, pre_speech_pad_frames="3") == [(20, 28, 17)]
    assert segments(speech, pre_speech_pad_frames="0") == [(20, 28, 20)]
    assert segments(speech, pre_speech_pad_frames="50") == [(20, 28, 0)]


def test_num_initial_ignored_frames() -> None:
    speech = turn(10) + turn(10)
    assert segments(speech, num_initial_ignored_frames="12") == [(40, 50, 30)]
    assert segments(speech, num_initial_ignored_frames="38") == [(40, 50, 38)]
    assert spans(speech, num_initial_ignored_frames="2") == [(2, 10), (40, 50)]


COUNTS = [
    "min_speech_frames",
    "first_turn_min_speech_frames",
    "negative_frames_count",
    "negative_frames_window",
    "interrupt_min_speech_frames",
    "pre_speech_pad_frames",
    "num_initial_ignored_frames",
]
RATIOS = ["positive_speech_threshold", "negative_speech_threshold"]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["-1", "1.5", "x", "1e3", "٣", "99999999", "9" * 50])
def test_counts_that_cannot_be(name: str, value: str) -> None:
    refused(name, {name: value})


@pytest.mark.parametrize("name", RATIOS)
@pytest.mark.parametrize("value", ["-0.1", "1.01", "nan", "inf", "x"])
def test_thresholds_that_cannot_be(name: str, value: str) -> None:
    refused(name, {name: value})


@pytest.mark.parametrize("value", ["1", "nan", "-inf", "loud"])
def test_volumes_that_cannot_be(value: str) -> None:
    refused("start_speech_volume_threshold", {"start_speech_volume_threshold": value})


def test_what_contradicts_itself() -> None:
    refused("negative_frames_count 7", {"negative_frames_count": "7", "negative_frames_window": "6"})
    refused("negative_frames_count", {"negative_frames_count": "0"})
    refused("high_vad_sensitivity", {"high_vad_sensitivity": "yes"})


def refused(name: str, query: dict[str, str]) -> None:
    with pytest.raises(BadMessage, match=name) as caught:
        tuned(query, BASE)
    assert caught.value.kind is Fault.SETUP


texts = (
    st.integers(-3, MAX_FRAMES + 5).map(str)
    | st.floats(-0.2, 1.2).map(str)
    | st.sampled_from(["", " ", "true", "False", "-45", "nan", "1e-3"])
    | st.text(max_size=6)
)
names = [*COUNTS, *RATIOS, "high_vad_sensitivity", "start_speech_volume_threshold"]
queries = st.dictionaries(st.sampled_from(names), texts, max_size=6)
likely = st.fixed_dictionaries(
    {},
    optional={name: st.integers(1, 40).map(str) for name in COUNTS}
    | {name: st.floats(0, 1).map(str) for name in RATIOS},
)


@given(queries | likely)
def test_every_query_is_understood_or_names_the_parameter_that_is_wrong(query: Mapping[str, str]) -> None:
    try:
        chosen = tuned(query, BASE)
    except BadMessage as error:
        assert any(name in str(error) for name in query)
        return
    # What is understood is what the settings allow, however it was put together.
    assert ListenSettings.model_validate(chosen.model_dump()) == chosen
    assert not chosen.end_window_ms or chosen.end_window_ms >= chosen.end_silence_ms


@given(likely, st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]), max_size=200))
def test_segments_follow_each_other_whatever_is_chosen(query: dict[str, str], probabilities: list[float]) -> None:
    try:
        found = segments(probabilities, **query)
    except BadMessage:
        return
    behind = int(query.get("num_initial_ignored_frames", 0))
    for start, stop, kept in found:
        assert behind <= kept <= start
        behind = stop if stop is not None else len(probabilities)
        assert start < behind <= len(probabilities)
