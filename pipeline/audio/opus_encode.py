"""Ogg Opus out (RFC 7845): 48 kHz mono, packets of 20 ms, pages of at most 100 ms."""

import random
import struct

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.ogg import PageWriter
from dragoman.pipeline.audio.opus_decode import OPUS_RATE_HZ, OpusHead
from dragoman.pipeline.audio.samples import EMPTY, bounded, join

_FRAME_SAMPLES = 960
_PAGE_PACKETS = 5
_OPTIONS = {
    # 'voip' and the highest complexity cost twice the time; for clean synthetic speech neither is worth it.
    "application": "audio",
    "compression_level": "5",
    "frame_duration": "20",
}
_BITS_PER_S = 32_000
_VENDOR = b"dragoman"


class OggOpusEncoder:
    """One Ogg Opus stream. As many samples as go in come out of a decoder that follows the RFC."""

    rate_hz = OPUS_RATE_HZ
    coded = True

    def __init__(self) -> None:
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate = OPUS_RATE_HZ
        self._encoder.layout = "mono"
        self._encoder.format = "flt"
        self._encoder.bit_rate = _BITS_PER_S
        self._encoder.options = dict(_OPTIONS)
        self._encoder.open()
        self._head = OpusHead.parse(bytes(self._encoder.extradata))
        self._pages = PageWriter(serial=random.getrandbits(32))
        tags = b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", 0)
        self._header = self._pages.page([self._head.packet], 0) + self._pages.page([tags], 0)
        self._held = EMPTY
        self._taken = 0
        self._encoded = 0
        self._finished = False

    def header(self) -> bytes:
        return self._header

    def encode(self, samples: Samples) -> bytes:
        """Pages with every complete frame; less than a frame is held back."""
        if self._finished:
            raise RuntimeError("expected no samples after finish()")
        self._taken += len(samples)
        self._held = join([self._held, bounded(samples)])
        pages = []
        while len(self._held) >= _FRAME_SAMPLES:
            packets = self._packets(_PAGE_PACKETS)
            pages.append(self._pages.page(packets, self._encoded))
        return b"".join(pages)

    def finish(self) -> bytes:
        """The last page. Nothing when called again."""
        if self._finished:
            return b""
        self._finished = True
        # Silence pushes the last samples through the encoder's look-ahead; the granule position cuts it off again.
        end = self._taken + self._head.pre_skip
        frames = -(-(end - self._encoded) // _FRAME_SAMPLES)
        silence = np.zeros(frames * _FRAME_SAMPLES - len(self._held), np.float32)
        self._held = join([self._held, silence])
        return self._pages.page(self._packets(frames), end, last=True)

    def _packets(self, most: int) -> list[bytes]:
        packets = []
        for _ in range(min(most, len(self._held) // _FRAME_SAMPLES)):
            block, self._held = self._held[:_FRAME_SAMPLES], self._held[_FRAME_SAMPLES:]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = OPUS_RATE_HZ
            frame.pts = self._encoded
            packets += [bytes(packet) for packet in self._encoder.encode(frame)]
            self._encoded += _FRAME_SAMPLES
        return packets
