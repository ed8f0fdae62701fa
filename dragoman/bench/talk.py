"""What the clients say: recordings joined with pauses, as the vendor's plain `pcm` input (24 kHz, 16-bit mono)."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Samples

RATE_HZ = 24_000
CHUNK_S = 0.08
PAUSE_S = 1.2
"""Between two recordings, and longer than any pause that the server waits for."""

Pcm = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Talk:
    """16-bit mono samples at 24 kHz, shape (n,), and what they are called in the report."""

    name: str
    samples: Pcm

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ

    def first(self, seconds: float) -> "Talk":
        """The talk cut off after `seconds`, wherever that is in a word; itself if it is not longer."""
        if seconds >= self.duration_s:
            return self
        return Talk(f"{self.name}, first {seconds:g} s", self.samples[: round(seconds * RATE_HZ)])

    def between(self, start_s: float, stop_s: float) -> "Talk":
        """What is said between two places."""
        piece = self.samples[round(start_s * RATE_HZ) : round(stop_s * RATE_HZ)]
        return Talk(f"{self.name}, {start_s:.1f} to {stop_s:.1f} s", piece)

    def turned(self, at_s: float) -> "Talk":
        """The talk from `at_s` to its end, then from its beginning to there."""
        return Talk(f"{self.name}, from {at_s:.1f} s", np.roll(self.samples, -round(at_s * RATE_HZ)))

    def chunks(self) -> Iterator[bytes]:
        """Pieces of 80 ms; the last one may be shorter."""
        step = round(CHUNK_S * RATE_HZ)
        for start in range(0, len(self.samples), step):
            yield self.samples[start : start + step].tobytes()

    def messages(self) -> list[str]:
        """The `audio` messages of the chunks, encoded once so that sending costs the clients little."""
        return list(self.encoded())

    def encoded(self) -> Iterator[str]:
        """The same one by one, for talks that are too long to be held twice."""
        for chunk in self.chunks():
            yield f'{{"type":"audio","audio":"{base64.b64encode(chunk).decode()}"}}'

    def for_models(self) -> Samples:
        """The samples at 16 kHz, as detectors and recognisers take them."""
        floats = self.samples.astype(np.float32) / 32768
        return np.asarray(soxr.resample(floats, RATE_HZ, SAMPLE_RATE_HZ), np.float32)


def packaged_recordings() -> list[Path]:
    """The recordings that come with the recogniser: 10 s with pauses, and 44 s read almost without."""
    assets = Path(str(resources.files("moonshine_voice"))) / "assets"
    return [assets / "beckett.wav", assets / "two_cities.wav"]


def read_recording(path: Path) -> Pcm:
    """The samples of a file of any format that FFmpeg reads, at 24 kHz. Raises OSError or av.FFmpegError."""
    resampler = av.AudioResampler("s16", "mono", RATE_HZ)
    with av.open(str(path)) as container:
        frames = [out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(frames)


def join(paths: Sequence[Path]) -> Talk:
    """The recordings one after the other, with a silent pause behind each."""
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.int16)
    pieces = [piece for path in paths for piece in (read_recording(path), pause)]
    return Talk(" + ".join(path.name for path in paths), np.concatenate(pieces))
