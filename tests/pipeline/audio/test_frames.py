from fractions import Fraction

import av
import numpy as np
import pytest

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.frames import FrameReader
from tests.pipeline.audio.signals import tone

VALUES = [0.5, -0.25, 0.125, 0.0]


def frame(
    samples: Samples | list[float], at_s: float | None = None, rate_hz: int = 16_000, layout: str = "mono"
) -> av.AudioFrame:
    """Planar floats; each channel is a row."""
    made = av.AudioFrame.from_ndarray(np.atleast_2d(np.asarray(samples, np.float32)), format="fltp", layout=layout)
    made.sample_rate, made.time_base = rate_hz, Fraction(1, 90_000)
    made.pts = None if at_s is None else round(at_s * 90_000)
    return made


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("flt", np.array([VALUES], "<f4")),
        ("dbl", np.array([VALUES], "<f8")),
        ("s16", (np.array([VALUES]) * 2**15).astype("<i2")),
        ("s32", (np.array([VALUES]) * 2**31).astype("<i4")),
        ("u8", (np.array([VALUES]) * 2**7 + 2**7).astype("u1")),
    ],
)
@pytest.mark.parametrize("planar", [False, True])
def test_every_sample_format(name: str, data: np.ndarray, planar: bool) -> None:
    for channels, layout in ((1, "mono"), (2, "stereo")):
        rows = np.tile(data, (channels, 1))
        laid = rows if planar else np.ascontiguousarray(rows.T).reshape(1, -1)
        made = av.AudioFrame.from_ndarray(laid, format=f"{name}p" if planar else name, layout=layout)
        made.sample_rate = 8_000
        ((rate_hz, samples),) = FrameReader("wav").read(made)
        assert rate_hz == 8_000
        assert samples.tolist() == VALUES
        assert samples.dtype == np.float32


@pytest.mark.parametrize(
    "name", ["ogg", "matroska", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mpegts", "asf", "flv"]
)
def test_silence_stands_where_times_leave_a_gap(name: str) -> None:
    reader = FrameReader(name)
    sound = tone(16_000, 320)
    assert len(reader.read(frame(sound, 7.0))) == 1
    assert len(reader.read(frame(sound, 7.02))) == 1
    assert len(reader.read(frame(sound))) == 1
    (rate_hz, silence), (_, samples) = reader.read(frame(sound, 8.06))
    assert (rate_hz, silence.tolist()) == (16_000, [0.0] * 16_000)
    np.testing.assert_array_equal(samples, sound)


@pytest.mark.parametrize("name", ["wav", "mp3", "aac", "flac", "aiff", "caf"])
def test_but_not_where_a_container_has_no_times_of_its_own(name: str) -> None:
    reader = FrameReader(name, 0.0)
    assert [len(reader.read(frame(tone(16_000, 320), at_s))) for at_s in (5.0, 10.0)] == [1, 1]


def test_a_stream_may_begin_later_than_its_container() -> None:
    (_, silence), _ = FrameReader("matroska", 1.0).read(frame(VALUES, 1.5))
    assert len(silence) == 8_000
    assert len(FrameReader("matroska", 1.0).read(frame(VALUES, 1.05))) == 1
    assert len(FrameReader("matroska").read(frame(VALUES, 1.5))) == 1


def test_the_rate_and_the_channels_may_change() -> None:
    reader = FrameReader("aac")
    ((rate_hz, samples),) = reader.read(frame(VALUES))
    assert (rate_hz, len(samples)) == (16_000, 4)
    ((rate_hz, samples),) = reader.read(frame([VALUES, VALUES], rate_hz=32_000, layout="stereo"))
    assert (rate_hz, samples.tolist()) == (32_000, VALUES)


def test_channels_that_cancel_out_are_told_over_many_frames() -> None:
    reader, sound = FrameReader("mp3"), tone(16_000, 16_000)
    frames = [frame([sound[at : at + 100], -sound[at : at + 100]], layout="stereo") for at in range(0, 16_000, 100)]
    heard = np.concatenate([samples for made in frames for _, samples in reader.read(made)])
    np.testing.assert_array_equal(heard[640:], sound[640:])


def test_what_no_honest_file_holds_is_refused() -> None:
    with pytest.raises(BadAudio, match="999 Hz"):
        FrameReader("wav").read(frame(VALUES, rate_hz=999))
