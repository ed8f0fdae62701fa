import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.dc import CUTOFF_HZ, DcBlocker
from tests.pipeline.audio.signals import loudest, tone

RATE_HZ = 16_000
NOISE = (np.random.default_rng(1).standard_normal(50_000) * 0.1 + 0.2).astype(np.float32)


def blocked(samples: Samples, rate_hz: int = RATE_HZ) -> Samples:
    return DcBlocker(rate_hz).process(samples)


def level_db(hz: float, rate_hz: int = RATE_HZ) -> float:
    heard = blocked(tone(rate_hz, 2 * rate_hz, hz=hz), rate_hz)[rate_hz:]
    return float(20 * np.log10(loudest(heard) / 0.4))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_it_is_the_filter_that_it_says(rate_hz: int) -> None:
    pole = np.exp(-2 * np.pi * CUTOFF_HZ / rate_hz)
    expected, before, last = [], float(NOISE[0]), 0.0
    for sample in NOISE.tolist():
        last = (1 + pole) / 2 * (sample - before) + pole * last
        before = sample
        expected.append(last)
    np.testing.assert_allclose(blocked(NOISE, rate_hz), expected, atol=1e-6)


@pytest.mark.parametrize("offset", [1.0, -0.5, 0.01])
def test_an_offset_is_gone_from_the_first_sample_on(offset: float) -> None:
    assert loudest(blocked(np.full(50_000, offset, np.float32))) < 1e-7


@pytest.mark.parametrize("offset", [0.7, -0.3])
def test_an_offset_that_comes_later_is_gone_soon(offset: float) -> None:
    voice = tone(RATE_HZ, 3 * RATE_HZ, amplitude=0.02)
    late = voice + offset * (np.arange(len(voice)) >= RATE_HZ).astype(np.float32)
    heard = blocked(late)
    np.testing.assert_allclose(heard[RATE_HZ + 2_400 :], blocked(voice)[RATE_HZ + 2_400 :], atol=1e-6)


def test_voices_stay_and_what_lies_below_goes() -> None:
    assert level_db(85) == pytest.approx(0, abs=0.3)
    for hz in (200, 1_000, 3_400, 7_900):
        assert level_db(hz) == pytest.approx(0, abs=0.1)
    assert level_db(CUTOFF_HZ) == pytest.approx(-3, abs=0.05)
    assert level_db(2) < -19
    assert level_db(85, 48_000) == pytest.approx(level_db(85), abs=0.05)


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=5))
def test_chunk_borders_change_no_bit(sizes: list[int]) -> None:
    blocker, pieces, at = DcBlocker(RATE_HZ), list[Samples](), 0
    while at < len(NOISE):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(blocker.process(NOISE[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(pieces), blocked(NOISE))


def test_an_hour_is_as_a_second() -> None:
    """The sums do not grow."""
    blocker, piece = DcBlocker(RATE_HZ), np.tile(NOISE, 20)
    last = [blocker.process(piece) for _ in range(60)][-1]
    assert loudest(last[RATE_HZ:] - blocked(piece)[RATE_HZ:]) < 1e-6


def test_what_goes_beyond_full_scale_is_bounded() -> None:
    square = np.where(np.arange(8_000) // 400 % 2, 1.0, -1.0).astype(np.float32)
    heard = blocked(square)
    assert loudest(heard) == 1
    assert heard.dtype == np.float32
    assert square.tolist() == np.where(np.arange(8_000) // 400 % 2, 1.0, -1.0).tolist()


def test_nothing_at_all() -> None:
    blocker = DcBlocker(RATE_HZ)
    assert blocker.process(np.zeros(0, np.float32)).size == 0
    assert blocker.process(NOISE[:1]).tolist() == [0.0]
