import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.resample import Block, OneRate, Resampler
from tests.pipeline.audio.signals import loudest, tone

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
PAIRS = [(rate, 16_000) for rate in RATES] + [(rate, 48_000) for rate in RATES] + [(16_000, rate) for rate in RATES]


def resampled(samples: Samples, source_hz: int, target_hz: int, block: int) -> Samples:
    resampler = Resampler(source_hz, target_hz)
    blocks = [resampler.process(samples[at : at + block]) for at in range(0, len(samples), block)]
    return np.concatenate([*blocks, resampler.finish()])


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
@pytest.mark.parametrize("tenths", [1, 37])
def test_as_many_seconds_come_out_as_went_in(source_hz: int, target_hz: int, tenths: int) -> None:
    count = source_hz * tenths // 10 + 1
    out = resampled(tone(source_hz, count), source_hz, target_hz, source_hz * 80 // 1000)
    assert abs(len(out) - count * target_hz / source_hz) <= 1


@pytest.mark.parametrize(("source_hz", "target_hz"), PAIRS)
def test_a_sine_stays_that_sine_in_its_place(source_hz: int, target_hz: int) -> None:
    out = resampled(tone(source_hz, source_hz), source_hz, target_hz, source_hz * 20 // 1000)
    middle = slice(target_hz // 10, -target_hz // 10)
    assert loudest((out - tone(target_hz, len(out)))[middle]) < 1e-4


@settings(max_examples=25, deadline=None)
@given(pair=st.sampled_from(PAIRS), block=st.integers(1, 3_000), count=st.integers(0, 9_000))
def test_no_clicks_at_chunk_borders(pair: tuple[int, int], block: int, count: int) -> None:
    samples = tone(pair[0], count)
    whole = resampled(samples, *pair, max(count, 1))
    chunked = resampled(samples, *pair, max(block, count // 50, 1))
    np.testing.assert_allclose(chunked, whole, atol=1e-6)


def test_what_lies_above_the_new_rate_is_filtered_out() -> None:
    out = resampled(tone(48_000, 48_000, hz=11_000), 48_000, 16_000, 3_840)
    assert loudest(out[1_000:-1_000]) < 1e-4


def test_equal_rates_change_nothing() -> None:
    resampler = Resampler(16_000, 16_000)
    samples = tone(16_000, 100)
    assert resampler.process(samples) is samples
    assert resampler.finish().size == 0


@pytest.mark.parametrize("rate_hz", [16_000, 24_000])
def test_the_end_is_the_end(rate_hz: int) -> None:
    resampler = Resampler(rate_hz, 16_000)
    resampler.process(tone(rate_hz, 2_000))
    resampler.finish()
    assert resampler.finish().size == 0
    with pytest.raises(RuntimeError, match="finish"):
        resampler.process(tone(rate_hz, 1))


def test_strided_samples_are_taken_too() -> None:
    samples = tone(24_000, 4_800)
    a, b = Resampler(24_000, 16_000), Resampler(24_000, 16_000)
    np.testing.assert_array_equal(a.process(samples[::2]), b.process(samples[::2].copy()))


def test_blocks_of_many_rates_become_one() -> None:
    rates = [8_000, 8_000, 48_000, 16_000, 44_100]
    blocks: list[Block] = [(rate_hz, tone(rate_hz, rate_hz)) for rate_hz in rates]
    one_rate = OneRate(16_000)
    heard = np.concatenate([one_rate.process(blocks[:3]), one_rate.process(blocks[3:]), one_rate.finish()])
    assert abs(len(heard) - 5 * 16_000) <= 3
    for second in range(5):
        middle = slice(second * 16_000 + 2_000, second * 16_000 + 14_000)
        assert loudest(heard[middle] - tone(16_000, 16_000)[2_000:14_000]) < 1e-3
    assert one_rate.finish().size == 0


def test_blocks_of_one_rate_are_one_stream() -> None:
    sound = tone(24_000, 24_000)
    one_rate, empty = OneRate(16_000), np.zeros(0, np.float32)
    pieces = [one_rate.process([(24_000, sound[at : at + 500]), (8_000, empty)]) for at in range(0, 24_000, 500)]
    whole = resampled(sound, 24_000, 16_000, 24_000)
    np.testing.assert_allclose(np.concatenate([*pieces, one_rate.finish()]), whole, atol=1e-6)
    assert OneRate(16_000).process([]).size == 0
    assert OneRate(16_000).finish().size == 0
