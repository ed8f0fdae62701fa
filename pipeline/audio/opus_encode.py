"""Ogg Opus out (RFC 7845): mono, packets of 20 ms, pages of at most 100 ms. Positions are at 48 kHz, always."""

import random
import struct

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.ogg import PageWriter
from dragoman.pipeline.audio.opus_decode import OPUS_RATE_HZ, OpusHead
from dragoman.pipeline.audio.samples import EMPTY, bounded, join

OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, OPUS_RATE_HZ)
"""What an encoder may be given."""

_FRAMES_PER_S = 50
_PAGE_PACKETS = 5
_OPTIONS = {
    # 'voip' and the highest complexity cost twice the time; for clean synthetic speech neither is worth it.
    "application": "audio",
    "compression_level": "5",
    "frame_duration": "20",
}
_BITS_PER_S = 32_000
_LEAST_BITS_PER_S, _MOST_BITS_PER_S = 6_000, 256_000
_VENDOR = b"dragoman"


class OggOpusEncoder:
    """One Ogg Opus stream. As many samples as go in come out of a decoder that follows the RFC."""

    coded = True

    def __init__(self, rate_hz: int = OPUS_RATE_HZ, bits_per_s: int | None = None) -> None:
        self.rate_hz = rate_hz
        self._frame = rate_hz // _FRAMES_PER_S
        self._scale = OPUS_RATE_HZ // rate_hz
        self._encoder = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate = rate_hz
        self._encoder.layout = "mono"
        self._encoder.format = "flt"
        self._encoder.bit_rate = min(max(bits_per_s or _BITS_PER_S, _LEAST_BITS_PER_S), _MOST_BITS_PER_S)
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
        while len(self._held) >= self._frame:
            packets = self._packets(_PAGE_PACKETS)
            pages.append(self._pages.page(packets, self._encoded * self._scale))
        return b"".join(pages)

    def finish(self) -> bytes:
        """The last page. Nothing when called again."""
        if self._finished:
            return b""
        self._finished = True
        # Silence pushes the last samples through the encoder's look-ahead; the granule position cuts it off again.
        end = self._taken * self._scale + self._head.pre_skip
        frames = -(-(end - self._encoded * self._scale) // (self._frame * self._scale))
        silence = np.zeros(frames * self._frame - len(self._held), np.float32)
        self._held = join([self._held, silence])
        return self._pages.page(self._packets(frames), end, last=True)

    def _packets(self, most: int) -> list[bytes]:
        packets = []
        for _ in range(min(most, len(self._held) // self._frame)):
            block, self._held = self._held[: self._frame], self._held[self._frame :]
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = self.rate_hz
            frame.pts = self._encoded
            packets += [bytes(packet) for packet in self._encoder.encode(frame)]
            self._encoded += self._frame
        return packets
