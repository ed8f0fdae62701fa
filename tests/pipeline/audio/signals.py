"""Sounds and streams that the tests of this folder share."""

import io
from collections.abc import Iterator, Sequence
from itertools import cycle

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.decode import Source, make_decoder
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.audio.samples import join


def tone(rate_hz: int, count: int, hz: float = 440.0, amplitude: float = 0.4) -> Samples:
    """A sine of `count` samples."""
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate_hz)).astype(np.float32)


def cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """`data` in pieces of these sizes, over and over."""
    at = 0
    for size in cycle(sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def decoded(fmt: AudioFormat, data: bytes, rate_hz: int = 16_000, sizes: Sequence[int] = (1 << 30,)) -> Samples:
    """All that a decoder makes of `data`."""
    decoder = make_decoder(fmt, rate_hz)
    blocks = [decoder.decode(piece) for piece in cut(data, sizes)]
    return np.concatenate([*blocks, decoder.finish()])


def taken(source: Source, data: bytes, sizes: Sequence[int] = (1 << 30,)) -> Samples:
    """All samples that a source makes of `data`, whatever their rates."""
    blocks = [block for piece in cut(data, sizes) for block in source.decode(piece)]
    return join([samples for _, samples in [*blocks, *source.finish()]])


def encoded(fmt: AudioFormat, samples: Samples, block: int = 1 << 30) -> bytes:
    """All that an encoder makes of `samples`."""
    encoder = make_encoder(fmt)
    blocks = [encoder.encode(samples[at : at + block]) for at in range(0, len(samples), block)]
    return b"".join([encoder.header(), *blocks, encoder.finish()])


def ffmpeg_ogg(samples: Samples, rate_hz: int, layout: str = "mono", *, inverted: bool = False) -> bytes:
    """The same sound in every channel, encoded and wrapped by FFmpeg; `inverted`: the last one has the wrong sign."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout=layout)
        planes = np.tile(samples, (stream.layout.nb_channels, 1))
        planes[-1] *= -1 if inverted else 1
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        for part in (frame, None):
            for packet in stream.encode(part):
                container.mux(packet)
    return file.getvalue()


def ffmpeg_decoded(data: bytes) -> Samples:
    """What FFmpeg reads from a mono file."""
    with av.open(io.BytesIO(data)) as container:
        blocks = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def loudest(samples: Samples) -> float:
    """Largest magnitude, 0 for no samples."""
    return float(np.abs(samples).max(initial=0))
