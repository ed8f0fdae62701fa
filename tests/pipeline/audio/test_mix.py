import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.mix import Downmix
from tests.pipeline.audio.signals import loudest, tone

RATE_HZ = 16_000
BLOCK = 320
VOICE = tone(RATE_HZ, 3 * RATE_HZ, hz=300.0) * (np.sin(np.arange(3 * RATE_HZ) / 2_000) > 0)
NOISE = (np.random.default_rng(1).standard_normal((4, 3 * RATE_HZ)) * 0.003).astype(np.float32)


def mixed(*channels: Samples, sizes: tuple[int, ...] = (1 << 30,), rate_hz: int = RATE_HZ) -> Samples:
    """Pieces of so many frames, over and over."""
    frames = np.stack(channels, axis=1).astype(np.float32)
    downmix, blocks, at, number = Downmix(len(channels), rate_hz), [], 0, 0
    while at < len(frames):
        piece = frames[at : at + sizes[number % len(sizes)]]
        blocks.append(downmix.mix(piece.reshape(-1)))
        at, number = at + len(piece), number + 1
    return np.concatenate(blocks)


def test_one_channel_is_left_alone() -> None:
    assert Downmix(1, RATE_HZ).mix(VOICE) is VOICE


def test_it_is_the_mean_of_the_channels() -> None:
    mono = Downmix(2, RATE_HZ).mix(np.array([1, 0, -0.5, 0.5, 0.25, 0.75], np.float32))
    assert mono.tolist() == [0.5, 0.0, 0.5]
    assert mono.dtype == np.float32
    np.testing.assert_allclose(mixed(*np.ones((3, 1_000))), np.ones(1_000), rtol=1e-6)


@pytest.mark.parametrize(
    "channels",
    [
        (VOICE, VOICE),
        (VOICE, 0 * VOICE),
        (NOISE[0], VOICE + NOISE[1]),
        (VOICE, 0.5 * VOICE),
        (VOICE, -0.2 * VOICE),
        (NOISE[0], NOISE[1]),
        (VOICE, *NOISE[:3]),
        (VOICE, np.roll(VOICE, 13)),
        (VOICE, np.roll(VOICE, RATE_HZ)),
        (VOICE, 0.4 * VOICE, 0 * VOICE, 0 * VOICE, -0.3 * VOICE, 0 * VOICE),
        (VOICE + 0.3, VOICE - 0.3),
    ],
)
def test_it_stays_the_mean_where_channels_do_not_cancel_out(channels: tuple[Samples, ...]) -> None:
    np.testing.assert_allclose(mixed(*channels), np.mean(channels, axis=0), atol=1e-6)


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ((VOICE, -VOICE), VOICE),
        ((-VOICE, VOICE), -VOICE),
        ((VOICE, -0.8 * VOICE), VOICE),
        ((0.6 * VOICE, -VOICE), -VOICE),
        ((VOICE + 0.2, 0.2 - VOICE), VOICE + 0.2),
        ((VOICE - 0.3, 0.1 - VOICE), VOICE - 0.3),
        ((VOICE + NOISE[0], NOISE[1] - 0.9 * VOICE), VOICE + NOISE[0]),
        ((VOICE, -VOICE, 0 * VOICE, 0 * VOICE), VOICE),
        ((0.2 * VOICE, 0.8 * VOICE, -VOICE), -VOICE),
    ],
)
def test_the_louder_channel_is_taken_where_they_do(channels: tuple[Samples, ...], expected: Samples) -> None:
    sounds = np.flatnonzero(np.abs(VOICE) > 0.01)[0] // BLOCK * BLOCK
    heard = mixed(*channels)
    # One block tells it, and over the next one the channel comes in.
    np.testing.assert_array_equal(heard[sounds + 2 * BLOCK :], expected[sounds + 2 * BLOCK :].astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=4), turns=st.integers(1, 5), rate_hz=st.just(11_025))
def test_chunk_borders_change_no_bit(sizes: list[int], turns: int, rate_hz: int) -> None:
    sign = np.where(np.arange(len(VOICE)) // (len(VOICE) // turns) % 2, 1, -1)
    channels = (VOICE + NOISE[0], sign * VOICE + NOISE[1])
    sizes = [*sizes, 2_000]
    np.testing.assert_array_equal(
        mixed(*channels, sizes=tuple(sizes), rate_hz=rate_hz), mixed(*channels, rate_hz=rate_hz)
    )


@pytest.mark.parametrize("second", [-1.0, -0.9, 1.0, 0.0])
def test_nothing_clicks_when_the_choice_changes(second: float) -> None:
    """The wrong way round for a second, then otherwise, then again."""
    sound = tone(RATE_HZ, 30 * RATE_HZ, hz=200.0)
    factor = np.where(np.arange(len(sound)) // (10 * RATE_HZ) == 1, second, -1.0)
    heard = mixed(sound, factor * sound)
    steps = np.abs(np.diff(heard))
    assert steps.max() < 1.3 * np.abs(np.diff(sound)).max()
    for middle in (5, 14, 21, 25):
        assert loudest(heard[middle * RATE_HZ : (middle + 1) * RATE_HZ]) > 0.45 * loudest(sound)


def test_a_pause_does_not_undo_the_choice() -> None:
    """In which something that does not cancel out is heard, but much more quietly."""
    pause = np.zeros(8 * RATE_HZ, np.float32)
    hum = tone(RATE_HZ, len(pause) + 2 * len(VOICE), hz=100.0, amplitude=0.002)
    voice = np.concatenate([VOICE, pause, VOICE])
    heard = mixed(voice + hum, hum - voice)
    behind = len(VOICE) + len(pause)
    np.testing.assert_array_equal(heard[behind:], (voice + hum)[behind:])


def test_nothing_at_all() -> None:
    assert mixed(0 * VOICE, 0 * VOICE).tolist() == [0.0] * len(VOICE)
    assert Downmix(2, RATE_HZ).mix(np.zeros(0, np.float32)).size == 0
