"""Ogg Opus in (RFC 7845): pages to packets to 48 kHz mono samples.

libopus decodes the packets; pages, pre-skip, end trimming and gaps are ours. A demuxer wants a file to read from and
would block until it has one. Measured: libav's, in a thread as in `demux.py`, is no later, but of a second of speech in
pages and pieces of 20 ms it makes 2.6 ms of processor time and a hundred switches of threads, where this makes 1.9 ms
and none; it refuses pages without a granule position, and sees a gap one packet late.
"""

import struct
from dataclasses import dataclass

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import check_rate_and_channels
from dragoman.pipeline.audio.mix import Downmix
from dragoman.pipeline.audio.ogg import NO_GRANULE, Page, PageReader
from dragoman.pipeline.audio.resample import Block
from dragoman.pipeline.audio.samples import EMPTY, join
from dragoman.pipeline.audio.timeline import Timeline

OPUS_RATE_HZ = 48_000
"""Opus counts and decodes at this rate, whatever its encoder was given."""

_MAX_PACKET_BYTES = 61_440
"""Larger audio packets may be refused (RFC 7845, section 6)."""

_OTHER_CODECS = {
    b"\x01vorbis": "Vorbis",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
    b"\x80theora": "Theora",
    b"fishead\0": "Skeleton",
}


class OggOpusSource:
    """Mono samples of the first Opus stream in an Ogg file; chained files are read one after another."""

    def __init__(self) -> None:
        self._reader = PageReader()
        self._timeline = Timeline()
        self._stream: _OpusStream | None = None
        self._codecs: list[str] = []
        self._in_heads = False
        self._touched = False

    def decode(self, data: bytes) -> list[Block]:
        """What the completed pages hold. Raises BadAudio."""
        self._touched = self._touched or bool(data)
        return [(OPUS_RATE_HZ, samples) for page in self._reader.feed(data) for samples in self._page(page)]

    def finish(self) -> list[Block]:
        """Nothing. Raises BadAudio if there was no complete Opus header, unless there was no byte at all."""
        if self._touched:
            self._require_opus().require_headers()
        return []

    def _page(self, page: Page) -> list[Samples]:
        if page.first:
            self._begin(page)
            return []
        self._in_heads = False
        stream = self._require_opus()
        return stream.samples(page) if page.serial == stream.serial else []

    def _begin(self, page: Page) -> None:
        """A stream's first page. Those of all streams of a file (or of a link of a chain) come together."""
        if not self._in_heads:
            self._in_heads, self._stream, self._codecs = True, None, []
        head = page.packets[0] if page.packets else b""
        if not head.startswith(b"OpusHead"):
            names = (name for magic, name in _OTHER_CODECS.items() if head.startswith(magic))
            self._codecs.append(next(names, "an unknown codec"))
        elif self._stream is None:
            self._timeline.restart()
            self._stream = _OpusStream(page.serial, OpusHead.parse(head), self._timeline)

    def _require_opus(self) -> "_OpusStream":
        if self._stream is None:
            found = ", ".join(self._codecs) or "no beginning of a stream"
            raise BadAudio(f"expected Opus in the Ogg stream but found {found}")
        return self._stream


@dataclass(frozen=True, slots=True)
class OpusHead:
    """The identification header (RFC 7845, section 5.1) as far as it concerns us; `packet` is all of it."""

    channels: int
    pre_skip: int
    packet: bytes

    @classmethod
    def parse(cls, packet: bytes) -> "OpusHead":
        """Raises BadAudio."""
        if len(packet) < 19:
            raise BadAudio("the Opus header is too short")
        version, channels, pre_skip, _, _, family = struct.unpack_from("<BBHIhB", packet, 8)
        check_rate_and_channels(OPUS_RATE_HZ, channels)
        if version >> 4 or family not in (0, 1, 255):
            raise BadAudio(f"the Opus header has an unknown version ({version}) or channel mapping ({family})")
        return cls(channels, pre_skip, packet)


class _OpusStream:
    """One logical stream: assembles packets, decodes them, cuts both ends, fills gaps."""

    def __init__(self, serial: int, head: OpusHead, timeline: Timeline) -> None:
        self.serial = serial
        self._head = head
        self._timeline = timeline
        self._downmix = Downmix(head.channels, OPUS_RATE_HZ)
        self._skip = head.pre_skip
        self._decoder: av.AudioCodecContext | None = None
        self._part: bytes | None = None
        self._tags_seen = False
        self._granule: int | None = None

    def require_headers(self) -> None:
        if not self._tags_seen:
            raise BadAudio("the input ended within the headers of an Ogg Opus stream")

    def samples(self, page: Page) -> list[Samples]:
        """Of the packets that end on a page, behind the silence that its granule position leaves in front of them."""
        blocks = []
        for packet in self._packets(page):
            if self._tags_seen:
                blocks.append(self._decode(packet))
            elif packet.startswith(b"OpusTags"):
                self._tags_seen = True
            else:
                raise BadAudio("the second packet of the Ogg stream is not an Opus comment header")
        found = join(blocks)
        silence = self._silence(len(found), page.granule)
        return [silence, self._after_pre_skip(self._trimmed(found, page))]

    def _silence(self, count: int, granule: int) -> Samples:
        """What belongs in front of so many samples if they end there. They do so before the stream's end is trimmed."""
        at_s = None if granule == NO_GRANULE else (granule - count) / OPUS_RATE_HZ
        gap_s = self._timeline.gap_s(at_s, count / OPUS_RATE_HZ) if count else 0.0
        return np.zeros(round(gap_s * OPUS_RATE_HZ), np.float32)

    def _packets(self, page: Page) -> list[bytes]:
        """The packets that end on this page. Of a packet whose beginning was never seen, nothing."""
        if not page.packets:
            return []
        parts = list(page.packets)
        part, self._part = self._part, None
        if page.continued and part is None:
            del parts[0]
        elif page.continued and part is not None:
            # The comment header may be of any size, but we only need to know that it is there.
            parts[0] = part + parts[0][: max(_MAX_PACKET_BYTES + 1 - len(part), 0)]
        if page.unfinished and parts:
            self._part = parts.pop()
        return parts

    def _decode(self, packet: bytes) -> Samples:
        if not packet:
            return EMPTY  # malformed, and libav would take it for the end of the stream
        if len(packet) > _MAX_PACKET_BYTES:
            raise BadAudio("an Opus packet is too large")
        try:
            if self._decoder is None:
                self._decoder = _libopus(self._head)
            frames = self._decoder.decode(av.Packet(packet))
        except av.FFmpegError as error:
            raise BadAudio("an Opus packet cannot be decoded") from error
        return join([self._downmix.mix(frame.to_ndarray().reshape(-1)) for frame in frames])

    def _trimmed(self, samples: Samples, page: Page) -> Samples:
        """Without what its last page's granule position cuts off the end of a stream (RFC 7845, section 4.4)."""
        if page.granule == NO_GRANULE or not self._tags_seen:
            return samples
        start = self._granule
        if start is None:
            # A stream may be recorded from the middle of another, so its positions need not begin at 0.
            start = max(page.granule - len(samples), 0)
        self._granule = page.granule
        if page.last and page.granule >= start:
            return samples[: page.granule - start]
        return samples

    def _after_pre_skip(self, samples: Samples) -> Samples:
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        return samples[skipped:]


def _libopus(head: OpusHead) -> "av.AudioCodecContext":
    """A decoder that gives interleaved float32. Raises av.FFmpegError."""
    decoder = av.CodecContext.create("libopus", "r")
    # Whether libav itself drops the pre-skip depends on its version; told 0, it never does.
    decoder.extradata = head.packet[:10] + bytes(2) + head.packet[12:]
    decoder.options = {"request_sample_fmt": "flt"}
    decoder.open()
    return decoder
