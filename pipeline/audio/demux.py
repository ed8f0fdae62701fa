"""Compressed files in, as they arrive: libav's demuxers and decoders.

A demuxer wants a file to read from and blocks until it has one, so it runs in a thread of its own and reads from a
pipe. Whoever puts bytes into the pipe waits until the thread asks for more; what was decoded by then depends on nothing
but the bytes. How long that may take is for who calls to say: `close`, from any thread, ends the waiting.
"""

import threading
from collections.abc import Mapping

import av

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import Container
from dragoman.pipeline.audio.frames import FrameReader
from dragoman.pipeline.audio.resample import Block, OneRate
from dragoman.pipeline.audio.samples import join

DEMUXERS: Mapping[Container, str] = {
    Container.AAC: "aac",
    Container.AIFF: "aiff",
    Container.AMR: "amr",
    Container.ASF: "asf",
    Container.FLAC: "flac",
    Container.MP3: "mp3",
    Container.OGG: "ogg",
    Container.WEBM: "matroska",
}

_CODECS = frozenset(
    ("aac", "alac", "amr_nb", "amr_wb", "flac", "mp1", "mp2", "mp3", "opus", "speex", "vorbis", "wmav1", "wmav2")
)
"""Codecs that are let in, beside plain samples; the others are not what speech is sent in."""

_OPTIONS = {"probesize": "8192", "analyzeduration": "1"}
"""Look ahead no further than the first frames: libav would wait for five seconds of audio."""

_PIECE_BYTES = 4_096
_MAX_S_PER_PIECE = 120.0
"""A codec can pack hours of silence into a few kilobytes, and so can gaps; nobody who speaks sends so much of it."""
_MAX_SILENT_BYTES = 16 << 20
"""So many bytes without a single sample (pictures, mostly) are enough."""


class DemuxingDecoder:
    """Mono samples at `rate_hz` of the first audio stream of a file. Its thread ends with `finish` or `close`."""

    coded = True

    def __init__(self, container: Container, rate_hz: int) -> None:
        self._pipe = _Pipe()
        self._demuxer = _Demuxer(container, self._pipe)
        self._one_rate = OneRate(rate_hz)
        self._silent_bytes = 0
        self._thread = threading.Thread(target=self._demuxer.run, name="dragoman-demux", daemon=True)
        self._thread.start()

    def __del__(self) -> None:
        self._pipe.close()

    def decode(self, data: bytes) -> Samples:
        """What the bytes hold. Raises BadAudio."""
        blocks = []
        for at in range(0, len(data), _PIECE_BYTES):
            piece = data[at : at + _PIECE_BYTES]
            self._pipe.put(piece)
            found = self._one_rate.process(self._demuxer.take())
            self._silent_bytes = 0 if len(found) else self._silent_bytes + len(piece)
            if self._silent_bytes > _MAX_SILENT_BYTES:
                raise BadAudio(f"there is no audio in the first {_MAX_SILENT_BYTES >> 20} MiB")
            blocks.append(found)
        return join(blocks)

    def finish(self) -> Samples:
        """The rest. Raises BadAudio if there was no audio at all in the bytes."""
        self._pipe.end()
        return join([self._one_rate.process(self._demuxer.take()), self._one_rate.finish()])

    def close(self) -> None:
        """Give up the thread."""
        self._pipe.close()


class _Pipe:
    """Bytes from whoever has them to a reader that blocks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._buffer = bytearray()
        self._complete = False
        self._idle = False
        """The reader waits for bytes, or is done."""
        self._done = False
        self._closed = False

    def put(self, data: bytes) -> None:
        """Give the reader bytes and wait until it asks for more, or is done."""
        with self._changed:
            if not self._done:
                self._buffer += data
                self._wait_for_reader()

    def end(self) -> None:
        """There are no more bytes; wait until the reader is done."""
        with self._changed:
            self._complete = True
            self._wait_for_reader()

    def close(self) -> None:
        """Nobody wants to know any more; does not wait, and lets go of who waits for the reader."""
        with self._changed:
            self._buffer.clear()
            self._complete = self._closed = True
            self._changed.notify_all()

    def read(self, size: int) -> bytes:
        """For the reader: at least one byte, or none at the end."""
        with self._changed:
            while not self._buffer and not self._complete:
                self._idle = True
                self._changed.notify_all()
                self._changed.wait()
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            return data

    @property
    def complete(self) -> bool:
        """Whether the end was reached, or nobody wants to know any more."""
        return self._complete

    def leave(self) -> None:
        """For the reader: it reads no more."""
        with self._changed:
            self._done = True
            self._buffer.clear()
            self._changed.notify_all()

    def _wait_for_reader(self) -> None:
        self._idle = False
        self._changed.notify_all()
        while not (self._idle or self._done or self._closed):
            self._changed.wait()


class _Demuxer:
    """What the thread does."""

    def __init__(self, container: Container, pipe: _Pipe) -> None:
        self._container = container
        self._pipe = pipe
        self._blocks: list[Block] = []
        self._pending_s = 0.0
        self._heard = False
        self._fault: AudioError | None = None

    def run(self) -> None:
        """Decode until the pipe ends; whatever goes wrong is kept for `take`."""
        try:
            self._decode_all()
            if not self._heard:
                self._fault = BadAudio(f"there is no audio in the {self._container} file")
        except AudioError as error:
            self._fault = error
        except (av.FFmpegError, ValueError, IndexError) as error:
            # A file that breaks off at its end is not a fault: what came before counts.
            if not (self._heard and self._pipe.complete):
                self._fault = BadAudio(f"the {self._container} file cannot be read ({_reason(error)})")
        finally:
            self._pipe.leave()

    def take(self) -> list[Block]:
        """What was decoded; only while the thread waits or is done. Raises BadAudio."""
        blocks, self._blocks, self._pending_s = self._blocks, [], 0.0
        if self._fault is not None and not blocks:
            raise self._fault
        return blocks

    def _decode_all(self) -> None:
        with av.open(self._pipe, "r", format=DEMUXERS[self._container], options=_OPTIONS) as file:
            stream = audio_in(file, self._container)
            reader = FrameReader(DEMUXERS[self._container])
            for packet in file.demux(stream):
                try:
                    frames = packet.decode()
                except av.InvalidDataError:
                    continue  # a damaged packet is a gap, as it is for any player
                for frame in frames:
                    self._add(reader.read(frame))

    def _add(self, blocks: list[Block]) -> None:
        self._heard = True
        self._pending_s += sum(len(samples) / rate_hz for rate_hz, samples in blocks)
        if self._pending_s > _MAX_S_PER_PIECE:
            raise BadAudio(f"{_PIECE_BYTES} bytes hold more than {_MAX_S_PER_PIECE:g} s of audio")
        self._blocks += blocks


def audio_in(file: "av.container.InputContainer", called: str) -> "av.AudioStream":
    """The first audio stream of a file, ready to be decoded. Raises BadAudio where there is none that is let in."""
    if not file.streams.audio:
        raise BadAudio(f"there is no audio in the {called} file")
    stream = file.streams.audio[0]
    context = stream.codec_context  # None where libav does not know the codec at all
    codec = context.codec.canonical_name if context is not None else "an unknown codec"
    if codec not in _CODECS and not codec.startswith("pcm_"):
        raise BadAudio(f"the {called} file holds {codec}, which is not supported")
    context.thread_count = 1
    return stream


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
