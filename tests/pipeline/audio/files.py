"""Files of every container, encoded and wrapped by libav where it can."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.formats import Container
from tests.pipeline.audio.amr import amr_file

_ENCODERS = {
    Container.AAC: ("adts", "aac"),
    Container.AIFF: ("aiff", "pcm_s16be"),
    Container.ASF: ("asf", "wmav2"),
    Container.FLAC: ("flac", "flac"),
    Container.MP3: ("mp3", "libmp3lame"),
    Container.OGG: ("ogg", "libopus"),
    Container.WAV: ("wav", "pcm_s16le"),
    Container.WEBM: ("webm", "libopus"),
}
"""Name of the muxer and of the encoder."""

WRITERS = (*_ENCODERS, Container.AMR)
"""What `as_file` can write."""


def as_file(
    container: Container,
    samples: Samples,
    rate_hz: int,
    channels: int = 1,
    codec: str = "",
    muxer: str = "",
    placed: Callable[[float], float] = lambda at_s: at_s,
    *,
    inverted: bool = False,
) -> bytes:
    """Mono samples in every channel of a file; Opus is written at 48 kHz, whatever the rate, and AMR by `amr_file`.

    `placed` says where a packet that begins at some second is to be; `inverted`: the last channel has the wrong sign.
    """
    if container is Container.AMR:
        return amr_file(samples, rate_hz)
    usual, encoder = _ENCODERS[container]
    codec = codec or encoder
    rate = 48_000 if codec == "libopus" else rate_hz
    layout = "stereo" if channels == 2 else "mono"
    file = io.BytesIO()
    with av.open(file, "w", format=muxer or usual) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout, options={"strict": "-2"})
        context = stream.codec_context
        if codec == "flac":
            context.format = "s16"
        if codec == "wmav2":
            context.bit_rate = 64_000
        context.open()
        planes = np.tile(samples, (channels, 1))
        planes[-1] *= -1 if inverted else 1
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.pts, frame.sample_rate, frame.time_base = 0, rate_hz, Fraction(1, rate_hz)
        resampler = av.AudioResampler(context.format.name, layout, rate, frame_size=context.frame_size or 1_024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux([_moved(packet, placed) for packet in stream.encode(piece)])
        out.mux([_moved(packet, placed) for packet in stream.encode(None)])
    return file.getvalue()


def _moved(packet: av.Packet, placed: Callable[[float], float]) -> av.Packet:
    at_s = float(packet.pts * packet.time_base)
    if (place_s := placed(at_s)) != at_s:
        packet.pts = packet.dts = round(place_s / packet.time_base)
    return packet
