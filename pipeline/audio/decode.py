"""Bytes in, mono float32 samples at one rate out."""

from collections.abc import Sequence
from typing import Protocol

from dragoman.models.base import SAMPLE_RATE_HZ, Samples
from dragoman.pipeline.audio.dc import DcBlocker
from dragoman.pipeline.audio.demux import DEMUXERS, DemuxingDecoder
from dragoman.pipeline.audio.errors import BadAudio, UnknownAudio, UnsupportedFormat
from dragoman.pipeline.audio.formats import AudioFormat, Container, ogg_opus, wav
from dragoman.pipeline.audio.opus_decode import OggOpusSource
from dragoman.pipeline.audio.raw import RawSource
from dragoman.pipeline.audio.resample import Block, OneRate
from dragoman.pipeline.audio.riff import MAGICS
from dragoman.pipeline.audio.samples import EMPTY, join
from dragoman.pipeline.audio.sniff import SNIFFED_BYTES, Unknown, sniff
from dragoman.pipeline.audio.wav import WavSource

_MAGIC_BYTES = 4

_OWN = {Container.WAV: wav(), Container.OGG_OPUS: ogg_opus()}
"""What is read by readers of our own; libav reads the other containers, and other codecs in Ogg."""


class Decoder(Protocol):
    """One stream of bytes to samples in [-1, 1]; chunk borders carry no meaning.

    Compressed silence can be hundreds of times longer than its bytes suggest: who bounds the length of a session
    feeds a few KiB at a time and counts what comes out.
    """

    @property
    def coded(self) -> bool:
        """Whether a few bytes may hold much audio, so that decoding them takes long; True until it is known."""
        ...

    def decode(self, data: bytes) -> Samples:
        """What is ready, possibly nothing. Raises BadAudio, after which the decoder is of no more use."""
        ...

    def finish(self) -> Samples:
        """The rest, once the input is complete. Raises BadAudio if it ended within a header."""
        ...

    def close(self) -> None:
        """Nothing more is wanted. May come at any time, and more than once."""
        ...


class Source(Protocol):
    """A decoder whose samples still have the rates of the input."""

    def decode(self, data: bytes) -> Sequence[Block]: ...

    def finish(self) -> Sequence[Block]: ...


def make_decoder(fmt: AudioFormat, rate_hz: int = SAMPLE_RATE_HZ) -> Decoder:
    """A fresh decoder for one stream, giving samples at `rate_hz` without a constant offset.

    Raises UnsupportedFormat, or BadAudio for a raw format of an impossible rate or number of channels.
    """
    return _OffsetFree(_decoder(fmt, rate_hz), rate_hz)


def _decoder(fmt: AudioFormat, rate_hz: int) -> Decoder:
    if fmt.container is Container.ANY or fmt.container in DEMUXERS:
        return _DetectingDecoder(fmt.container, rate_hz)
    decoder = _ResamplingDecoder(_source(fmt), rate_hz, coded=fmt.container.coded)
    return _SniffingDecoder(decoder, rate_hz) if fmt.sniff else decoder


def _source(fmt: AudioFormat) -> Source:
    if fmt.container is Container.WAV:
        return WavSource()
    if fmt.container is Container.OGG_OPUS:
        return OggOpusSource()
    if fmt.rate_hz is None:
        raise UnsupportedFormat(f"{fmt.name} without a sample rate")
    return RawSource(fmt.encoding, fmt.rate_hz, fmt.channels)


class _OffsetFree:
    def __init__(self, decoder: Decoder, rate_hz: int) -> None:
        self._decoder = decoder
        self._blocker = DcBlocker(rate_hz)

    @property
    def coded(self) -> bool:
        return self._decoder.coded

    def decode(self, data: bytes) -> Samples:
        return self._blocker.process(self._decoder.decode(data))

    def finish(self) -> Samples:
        return self._blocker.process(self._decoder.finish())

    def close(self) -> None:
        self._decoder.close()


class _ResamplingDecoder:
    def __init__(self, source: Source, rate_hz: int, *, coded: bool) -> None:
        self.coded = coded
        self._source = source
        self._one_rate = OneRate(rate_hz)

    def decode(self, data: bytes) -> Samples:
        return self._one_rate.process(self._source.decode(data))

    def finish(self) -> Samples:
        return join([self._one_rate.process(self._source.finish()), self._one_rate.finish()])

    def close(self) -> None:
        """Nothing to give up."""


class _SniffingDecoder:
    """Chooses by the first four bytes, or by fewer if there are no more."""

    def __init__(self, fallback: Decoder, rate_hz: int) -> None:
        self._fallback = fallback
        self._rate_hz = rate_hz
        self._head = b""
        self._chosen: Decoder | None = None

    @property
    def coded(self) -> bool:
        return self._chosen is None or self._chosen.coded

    def decode(self, data: bytes) -> Samples:
        if self._chosen is None:
            data = self._head = self._head + data
            if len(data) < _MAGIC_BYTES:
                return EMPTY
            self._chosen = self._choose()
        return self._chosen.decode(data)

    def finish(self) -> Samples:
        if self._chosen is not None:
            return self._chosen.finish()
        self._chosen = self._fallback
        return join([self._chosen.decode(self._head), self._chosen.finish()])

    def close(self) -> None:
        """Nothing to give up."""

    def _choose(self) -> Decoder:
        magic, self._head = self._head[:_MAGIC_BYTES], b""
        if magic in MAGICS:
            return _decoder(wav(), self._rate_hz)
        if magic == b"OggS":
            return _decoder(ogg_opus(), self._rate_hz)
        return self._fallback


class _DetectingDecoder:
    """Looks at the first bytes for a container: the expected one, or any.

    Raises UnknownAudio where any would do and none is found, BadAudio where it is not the expected one.
    """

    def __init__(self, expected: Container, rate_hz: int) -> None:
        self._expected = expected
        self._rate_hz = rate_hz
        self._head = b""
        self._look_at = 0
        self._chosen: Decoder | None = None

    @property
    def coded(self) -> bool:
        return self._chosen is None or self._chosen.coded

    def decode(self, data: bytes) -> Samples:
        if self._chosen is not None:
            return self._chosen.decode(data)
        self._head += data
        # Not at every byte: looking takes longer the more there is to look at.
        if len(self._head) < min(self._look_at, SNIFFED_BYTES):
            return EMPTY
        self._look_at = len(self._head) * 5 // 4
        return self._choose(complete=False)

    def finish(self) -> Samples:
        if self._chosen is None and not self._head:
            return EMPTY
        found = EMPTY if self._chosen is not None else self._choose(complete=True)
        return join([found, self._chosen.finish()]) if self._chosen is not None else found

    def close(self) -> None:
        if self._chosen is not None:
            self._chosen.close()

    def _choose(self, *, complete: bool) -> Samples:
        found = sniff(self._head, self._expected, complete=complete)
        if isinstance(found, Unknown) and not found.final:
            return EMPTY
        if isinstance(found, Unknown) and self._expected is Container.ANY:
            raise UnknownAudio
        if isinstance(found, Unknown) or not _fits(found, self._expected):
            raise BadAudio(f"the input format is {self._expected} but the bytes are something else")
        head, self._head = self._head, b""
        own = _OWN.get(found)
        self._chosen = _decoder(own, self._rate_hz) if own else DemuxingDecoder(found, self._rate_hz)
        return self._chosen.decode(head)


def _fits(found: Container, expected: Container) -> bool:
    return expected in (Container.ANY, found) or (expected, found) == (Container.OGG, Container.OGG_OPUS)
