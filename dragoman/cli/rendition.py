"""A whole recording through one session, and what is made of it: audio on the recording's timeline, and subtitles."""

import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np

from dragoman.config.settings import Settings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples
from dragoman.models.plan import Plan
from dragoman.models.registry import Engines
from dragoman.pipeline.audio.decode import Source
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, ogg_opus, pcm, wav
from dragoman.pipeline.audio.frames import FrameReader
from dragoman.pipeline.audio.opus_decode import OggOpusSource
from dragoman.pipeline.audio.resample import Block, OneRate
from dragoman.pipeline.audio.samples import to_int16
from dragoman.pipeline.audio.wav import WavSource
from dragoman.pipeline.events import Event, Speech, SpeechEnded, Translation
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest

OUTPUT_HZ = 48_000
_PIECE_BYTES = 1 << 20
_OUTPUTS: dict[str, AudioFormat] = {".wav": wav(OUTPUT_HZ), ".ogg": ogg_opus(), ".opus": ogg_opus()}


@dataclass(frozen=True, slots=True)
class Recording:
    """A file's audio as 16 kHz mono 16-bit samples, shape (n,)."""

    samples: np.ndarray[tuple[int], np.dtype[np.int16]]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def open_recording(path: Path) -> Recording:
    """Decode a file of any format that FFmpeg reads. Raises BadAudio."""
    one_rate = OneRate(SAMPLE_RATE_HZ)
    try:
        found = _read_by(WavSource(), path) or _read_by(OggOpusSource(), path) or _read(path)
        pieces = [to_int16(one_rate.process(blocks)) for blocks in found]
    except (av.FFmpegError, OSError) as error:
        raise BadAudio(f"cannot read {path}: {error}") from error
    return Recording(np.concatenate([*pieces, to_int16(one_rate.finish())]))


def _read_by(source: Source, path: Path) -> list[Sequence[Block]]:
    """As a client's bytes are read, since FFmpeg reads one of several files joined; nothing if the source cannot."""
    try:
        with path.open("rb") as file:
            pieces = [*map(source.decode, iter(partial(file.read, _PIECE_BYTES), b"")), source.finish()]
    except BadAudio:
        return []
    return pieces if any(pieces) else []


def _read(path: Path) -> Iterator[Sequence[Block]]:
    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise BadAudio(f"{path} holds no audio")
        start_s = None if container.start_time is None else container.start_time / av.time_base
        reader = FrameReader(container.format.name, start_s)
        yield from map(reader.read, container.decode(audio=0))


def check_output(path: Path) -> None:
    """Refuse an output that cannot be written before any work is done. Raises ValueError."""
    if path.suffix.lower() not in _OUTPUTS:
        raise ValueError(f"cannot write {path.name}: use one of {', '.join(_OUTPUTS)}")
    if not path.parent.is_dir():
        raise ValueError(f"folder {path.parent} does not exist")


class Rendition:
    """Runs one session over a recording; keeps clauses and their audio. `progress` is told seconds done."""

    def __init__(self, plan: Plan, engines: Engines, settings: Settings, progress: Callable[[float], None]) -> None:
        self.clauses: list[Translation] = []
        self._plan = plan
        self._engines = engines
        self._settings = settings
        self._progress = progress
        self._audio: dict[int, bytearray] = {}

    async def run(self, recording: Recording) -> None:
        """Feed all of it and wait until all of it is said. Raises ModelError."""
        offload = Offload()
        request = SessionRequest(pcm(SAMPLE_RATE_HZ), pcm(OUTPUT_HZ), self._plan)
        session = Session(request, self._engines, self._settings, offload, session_id="translate", emit=self._hear)
        try:
            await session.feed(recording.samples.tobytes())
            await session.end()
            await session.run()
        finally:
            offload.close()

    def write_audio(self, path: Path) -> None:
        """Write the speech, each clause where it was spoken or right behind the one before."""
        encoder = make_encoder(_OUTPUTS[path.suffix.lower()])
        samples = self._laid_out()
        if path.suffix.lower() == ".wav":
            _write_wav(path, samples)
        else:
            path.write_bytes(encoder.header() + encoder.encode(samples) + encoder.finish())

    def subtitles(self, *, vtt: bool) -> str:
        """Subtitles on the recording's timeline, WebVTT or SubRip."""
        cues = []
        for number, clause in enumerate(self.clauses, 1):
            span = f"{_stamp(clause.start_s, vtt=vtt)} --> {_stamp(clause.stop_s, vtt=vtt)}"
            cues.append(f"{number}\n{span}\n{clause.text}\n")
        return ("WEBVTT\n\n" if vtt else "") + "\n".join(cues)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Translation):
            self.clauses.append(event)
        elif isinstance(event, Speech) and event.clause_id is not None:
            self._audio.setdefault(event.clause_id, bytearray()).extend(event.audio)
        elif isinstance(event, SpeechEnded):
            self._progress(event.at_s)

    def _laid_out(self) -> Samples:
        parts: list[Samples] = []
        position = 0
        for clause in self.clauses:
            begin = max(position, round(clause.start_s * OUTPUT_HZ))
            spoken = np.frombuffer(bytes(self._audio.get(clause.clause_id, b"")), "<i2").astype(
                np.float32
            ) / np.float32(32768)
            parts += [np.zeros(begin - position, np.float32), spoken]
            position = begin + len(spoken)
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _write_wav(path: Path, samples: Samples) -> None:
    # A file, unlike a stream, can state its true length.
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(OUTPUT_HZ)
        file.writeframes(make_encoder(pcm(OUTPUT_HZ)).encode(samples))


def _stamp(seconds: float, *, vtt: bool) -> str:
    """HH:MM:SS with milliseconds, behind a point in WebVTT and a comma in SubRip."""
    total_ms = round(seconds * 1000)
    hours, rest = divmod(total_ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, millis = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{'.' if vtt else ','}{millis:03d}"
