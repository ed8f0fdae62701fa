import numpy as np

from dragoman.pipeline.audio.samples import EMPTY, bounded, join, to_int16


def test_join_puts_blocks_one_after_another() -> None:
    block = np.ones(2, np.float32)
    assert join([]) is EMPTY
    assert join([block]) is block
    assert join([block, EMPTY, block]).tolist() == [1, 1, 1, 1]
    assert join([block, block]).dtype == np.float32


def test_bounded_makes_anything_safe_and_leaves_its_argument_alone() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 1e300, 0.5])
    assert bounded(wild).tolist() == [0, 1, -1, 1, 0.5]
    assert bounded(wild).dtype == np.float32
    assert np.isnan(wild[0])
    signalling = np.array([0x7FF4000000000000, 0xFFF4000000000000], np.uint64).view(np.float64)
    assert bounded(signalling).tolist() == [0, 0]
    assert bounded(np.array([0x7FA00000], np.uint32).view(np.float32)).tolist() == [0]


def test_to_int16_clips_and_rounds_to_nearest() -> None:
    samples = np.array([1.0, -1.0, 2.0, -3e38, 0.6 / 32_768, -0.6 / 32_768, 0.4 / 32_768, np.nan], np.float32)
    assert to_int16(samples).tolist() == [32_767, -32_768, 32_767, -32_768, 1, -1, 0, 0]


def test_to_int16_gives_back_every_16_bit_value() -> None:
    values = np.arange(-32_768, 32_768).astype(np.int16)
    assert np.array_equal(to_int16(values.astype(np.float32) / np.float32(32_768)), values)
