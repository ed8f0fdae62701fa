"""libav's frames to mono samples, in their places."""

import av
import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.formats import check_rate_and_channels
from dragoman.pipeline.audio.mix import Downmix
from dragoman.pipeline.audio.resample import Block
from dragoman.pipeline.audio.samples import bounded
from dragoman.pipeline.audio.timeline import TIMED, Timeline


class FrameReader:
    """The frames of one stream, in order.

    `format_name` is libav's name of the container; `start_s` is where the container begins, if silence is to stand in
    front of a stream that begins later.
    """

    def __init__(self, format_name: str, start_s: float | None = None) -> None:
        self._timed = not TIMED.isdisjoint(format_name.split(","))
        self._timeline = Timeline(start_s)
        self._shape: tuple[int, int] | None = None
        self._downmix: Downmix

    def read(self, frame: "av.AudioFrame") -> list[Block]:
        """The frame's samples, behind the silence that belongs in front of them. Raises BadAudio."""
        shape = rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
        check_rate_and_channels(rate_hz, channels)
        if shape != self._shape:
            self._shape, self._downmix = shape, Downmix(channels, rate_hz)
        gap_s = self._timeline.gap_s(frame.time, frame.samples / rate_hz) if self._timed else 0.0
        samples = self._downmix.mix(_interleaved(frame))
        return (
            [(rate_hz, np.zeros(round(gap_s * rate_hz), np.float32)), (rate_hz, samples)]
            if gap_s
            else [(rate_hz, samples)]
        )


def _interleaved(frame: "av.AudioFrame") -> Samples:
    """Whatever the samples of the frame are, within [-1, 1]."""
    data = frame.to_ndarray()
    if frame.format.is_planar:
        data = data.T
    samples = data.reshape(-1)
    if samples.dtype.kind == "f":
        return bounded(samples)
    scaled: Samples = samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * samples.itemsize))
    if samples.dtype.kind == "u":
        scaled -= np.float32(1)
    return scaled
