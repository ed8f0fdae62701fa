"""Whether somebody goes on speaking behind the last word."""

import numpy as np
import pytest

from dragoman.models.base import Samples, Word
from dragoman.models.engines.whisper.rest import LEAST_S, rest_from
from tests.models.engines.whisper.whispers import RATE


def sound(*pieces: tuple[float, float]) -> Samples:
    """Noise in pieces of so many seconds and such a level."""
    random = np.random.default_rng(0)
    return np.concatenate([random.normal(0, level, round(s * RATE)) for s, level in pieces]).astype(np.float32)


def until(stop_s: float) -> tuple[Word, ...]:
    return Word("so", 0.0, stop_s / 2), Word("far", stop_s / 2, stop_s)


def test_speech_that_goes_on_begins_at_the_pause() -> None:
    at_s = rest_from(sound((4.0, 0.1), (0.2, 0.001), (3.0, 0.05)), until(3.95))
    assert at_s == pytest.approx(4.1, abs=0.12)


@pytest.mark.parametrize(
    ("behind", "left_out"),
    [
        ([(LEAST_S + 0.3, 0.1)], True),
        ([(LEAST_S - 0.1, 0.1)], False),
        ([(0.4, 0.1), (1.0, 0.001), (0.4, 0.1), (1.0, 0.001), (0.4, 0.1)], True),
        ([(5.0, 0.005)], False),
        ([(5.0, 0.02)], True),
        ([], False),
    ],
    ids=["long", "short", "in pieces", "quiet", "fainter", "nothing"],
)
def test_how_much_is_worth_another_look(behind: list[tuple[float, float]], left_out: bool) -> None:
    assert (rest_from(sound((4.0, 0.1), *behind), until(4.0)) is not None) is left_out


def test_without_word_times_nobody_knows() -> None:
    assert rest_from(sound((9.0, 0.1)), ()) is None
    assert rest_from(sound((9.0, 0.1)), until(0.0)) is None


@pytest.mark.parametrize("seconds", [0.1, 0.101, 3.0])
def test_words_at_the_very_end(seconds: float) -> None:
    assert rest_from(sound((seconds, 0.1)), until(seconds)) is None
