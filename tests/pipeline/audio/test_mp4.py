"""Files whose table of contents stands at their end: read whole, or refused in a few words."""

import contextlib
import io
import random
from fractions import Fraction

import av
import numpy as np
import pytest

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.mp4 import HEAD_BYTES, Mp4Reader, is_mp4

RATE = 16_000


def m4a(seconds: float = 2.0, codec: str = "aac", rate_hz: int = 44_100) -> bytes:
    """A tone as FFmpeg writes it, its table of contents last."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = (0.5 * np.sin(2 * np.pi * 440 * times) * 32_767).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        for start in range(0, len(tone), 1_024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1_024], format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def read_all(data: bytes, size: int = 5_000) -> bytes:
    reader = Mp4Reader(io.BytesIO(data), RATE)
    pieces = []
    while piece := reader.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    return b"".join(pieces)


def test_a_tone_is_read_to_its_end_however_it_is_cut() -> None:
    data = m4a()
    assert is_mp4(data[:HEAD_BYTES])
    assert data.rfind(b"moov") > data.rfind(b"mdat")
    samples = np.frombuffer(read_all(data), "<i2")
    assert abs(len(samples) - 2 * RATE) < 3_000
    spectrum = np.abs(np.fft.rfft(samples[RATE // 2 : RATE + RATE // 2].astype(float)))
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert read_all(data, 1_000_000) == samples.tobytes()


def test_a_codec_that_nobody_sends_speech_in_is_refused() -> None:
    with pytest.raises(BadAudio, match="holds ac3, which is not supported"):
        read_all(m4a(codec="ac3"))


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x18ftypM4A ", m4a()[:4_000], b"\0\0\0\x18ftyp" + b"\xff" * 5_000])
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(BadAudio, match="mp4 file"):
        read_all(data)


def test_what_is_none() -> None:
    for head in (b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"ftyp\0\0\0\0"):
        assert not is_mp4(head)


def test_files_that_are_broken_anywhere() -> None:
    good, dice = m4a(0.5), random.Random(4)
    for _ in range(200):
        broken = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(broken))
            broken[place : place + dice.randint(0, 4)] = dice.randbytes(dice.randint(0, 4))
        with contextlib.suppress(BadAudio):
            assert len(read_all(bytes(broken), 65_536)) < 100 * len(good)
