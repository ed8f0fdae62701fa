"""MP4 and its kin (M4A, QuickTime): files whose table of contents may stand at the end, so they are read from disk.

Nothing of it works on a stream: where the samples are, only the whole file says. What is read is therefore turned into
plain samples in front of a session, piece by piece.
"""

from collections.abc import Iterator
from typing import BinaryIO, Protocol

import av

from dragoman.models.base import Samples
from dragoman.pipeline.audio.demux import audio_in
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, pcm
from dragoman.pipeline.audio.frames import FrameReader
from dragoman.pipeline.audio.resample import OneRate
from dragoman.pipeline.audio.samples import to_int16

HEAD_BYTES = 12
_DEMUXER = "mov"
_BRANDED = b"ftyp"


def is_mp4(head: bytes) -> bool:
    """Whether a file with these first HEAD_BYTES is one (ISO/IEC 14496-12, 4.3)."""
    return head[4:8] == _BRANDED


class Source(Protocol):
    """What is read from front to back."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        ...


def readable(file: BinaryIO, sound: AudioFormat, rate_hz: int) -> tuple[Source, AudioFormat]:
    """What a session can hear of a file from its first byte on, and the format of that: the file itself and `sound`, or
    the samples of an MP4 at `rate_hz`. It blocks, and so does what is returned; the file must allow to seek.
    """
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return (Mp4Reader(file, rate_hz), pcm(rate_hz)) if is_mp4(head) else (file, sound)


class Mp4Reader:
    """The first audio stream of a file as mono 16-bit little-endian samples at `rate_hz`. All of it blocks.

    The file must allow to seek. Nothing but it is read, whatever its references say.
    """

    def __init__(self, file: BinaryIO, rate_hz: int) -> None:
        self._file = file
        self._one_rate = OneRate(rate_hz)
        self._found = bytearray()
        self._blocks = self._decode()

    def read(self, size: int) -> bytes:
        """At most `size` bytes of samples, none at the end. Raises BadAudio."""
        while len(self._found) < size and (block := next(self._blocks, None)) is not None:
            self._found += block
        taken = bytes(self._found[:size])
        del self._found[:size]
        return taken

    def _decode(self) -> Iterator[bytes]:
        heard = False
        try:
            with av.open(self._file, "r", format=_DEMUXER) as container:
                stream = audio_in(container, "mp4")
                reader = FrameReader(_DEMUXER)
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except av.InvalidDataError:
                        continue  # a damaged packet is a gap, as it is for any player
                    for frame in frames:
                        heard = True
                        yield _bytes(self._one_rate.process(reader.read(frame)))
                yield _bytes(self._one_rate.finish())
        except (av.FFmpegError, ValueError, IndexError) as error:
            if not heard:
                raise BadAudio(f"the mp4 file cannot be read ({type(error).__name__})") from error
        if not heard:
            raise BadAudio("there is no audio in the mp4 file")


def _bytes(samples: Samples) -> bytes:
    return to_int16(samples).astype("<i2", copy=False).tobytes()
