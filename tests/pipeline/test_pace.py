from itertools import pairwise

import pytest

from dragoman.config.settings import load_settings
from dragoman.pipeline.pace import Pace

SETTINGS = load_settings().speak


def talk(
    length: float, clauses: int, every_s: float = 3.0, max_tempo: float | None = None
) -> list[tuple[float, float]]:
    """Lag and tempo of each clause of a talk whose translation is `length` times as long as its speech."""
    settings = SETTINGS if max_tempo is None else SETTINGS.model_copy(update={"max_tempo": max_tempo})
    pace, found = Pace(settings), []
    for number in range(clauses):
        pace.begin((number + 1) * every_s)
        found.append((pace.lag_s, pace.tempo))
        pace.spoke(pace.gap_s() + every_s * length / pace.tempo)
    return found


def test_a_translation_that_is_not_longer_is_spoken_as_it_is() -> None:
    assert talk(0.9, 50) == [(0.0, 1.0)] * 50


@pytest.mark.parametrize("length", [1.05, 1.1, 1.18])
def test_the_lag_of_a_half_hour_stays_where_it_was_after_a_minute(length: float) -> None:
    lags = [lag_s for lag_s, _ in talk(length, 600)]
    assert max(lags[580:]) <= max(lags[:20]) + 0.5
    assert max(lags) < 4.0


def test_without_the_tempo_the_lag_grows() -> None:
    assert talk(1.18, 600, max_tempo=1.0)[-1][0] > 60


def test_the_tempo_changes_smoothly_and_not_beyond_its_limit() -> None:
    tempos = [tempo for _, tempo in talk(1.6, 100)]
    assert max(tempos) == pytest.approx(SETTINGS.max_tempo)
    assert all(abs(one - two) <= 0.0601 for one, two in pairwise(tempos))


def test_it_slows_down_again_when_the_speaker_pauses() -> None:
    pace = Pace(SETTINGS)
    for number in range(20):
        pace.begin(3.0 * (number + 1))
        pace.spoke(4.5)
    assert pace.tempo == pytest.approx(SETTINGS.max_tempo)
    assert pace.gap_s() == SETTINGS.min_gap_ms / 1000
    for number in range(6):
        pace.begin(200.0 + 10 * number)
        pace.spoke(3.0)
    assert pace.tempo == pytest.approx(1.0)
    assert pace.gap_s() == SETTINGS.gap_ms / 1000


def test_a_clause_inside_a_sentence_follows_closely() -> None:
    pace = Pace(SETTINGS)
    pace.begin(3.0)
    assert pace.gap_s() == SETTINGS.gap_ms / 1000
    assert pace.gap_s(goes_on=True) == SETTINGS.min_gap_ms / 1000


def test_a_clause_is_not_late_before_it_can_be_translated() -> None:
    pace = Pace(SETTINGS)
    pace.begin(3.0, 4.0)
    pace.spoke(2.0)  # until 6
    pace.begin(4.5, 5.5)
    assert pace.lag_s == pytest.approx(0.5)


def test_what_was_sent_at_once_is_paced_as_if_it_had_been_spoken() -> None:
    pace = Pace(SETTINGS)
    for number in range(50):
        pace.begin(3.0 * (number + 1), received_s=1_000.0)
        pace.spoke(2.7)
        assert (pace.lag_s, pace.tempo) == (0.0, 1.0)
