"""When speech starts and when a segment of it ends: one state machine over the detector's frame probabilities.

The two thresholds with hysteresis and the count of silent frames follow the way Silero VAD's own iterator is meant to
be used; the shorter pause for long segments is ours, and keeps the lag low when somebody hardly pauses.
"""

from dataclasses import dataclass
from enum import Enum, auto

from dragoman.config.settings import ListenSettings


class Activity(Enum):
    """Where the speaker is."""

    SILENCE = auto()
    SPEECH = auto()


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at `frame` (the first frame over the threshold)."""

    frame: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The segment ended at `frame` (the first frame of the silence that ended it)."""

    frame: int


class Endpointer:
    """Feed it one probability per frame; it tells when a segment starts and stops.

    Frames are counted from 0 from the start of the session. A probability between the two thresholds changes
    nothing: a silent stretch goes on being silent, a burst goes on being a burst.
    """

    def __init__(self, settings: ListenSettings, frame_s: float) -> None:
        self.activity = Activity.SILENCE
        self._threshold = settings.threshold
        self._negative = min(settings.negative_threshold, settings.threshold)
        self._min_speech = max(1, round(settings.min_speech_ms / 1000 / frame_s))
        self._end_silence = max(1, round(settings.end_silence_ms / 1000 / frame_s))
        self._long_segment = settings.long_segment_s / frame_s
        self._long_silence = min(self._end_silence, max(1, round(settings.long_end_silence_ms / 1000 / frame_s)))
        self._frame = 0
        self._burst: int | None = None
        self._quiet: int | None = None
        self._start = 0

    def push(self, probability: float) -> Started | Stopped | None:
        """Take the next frame's probability of speech, in [0, 1]."""
        frame = self._frame
        self._frame += 1
        if self.activity is Activity.SILENCE:
            return self._in_silence(frame, probability)
        return self._in_speech(frame, probability)

    def stop(self) -> Stopped | None:
        """End an open segment now (a flush or the end of the input), where its silence began if it had begun."""
        if self.activity is Activity.SILENCE:
            self._burst = None
            return None
        return self._end(self._frame if self._quiet is None else self._quiet)

    def _in_silence(self, frame: int, probability: float) -> Started | None:
        if probability < self._negative:
            self._burst = None
        elif probability >= self._threshold and self._burst is None:
            self._burst = frame
        if self._burst is None or frame - self._burst + 1 < self._min_speech:
            return None
        self.activity = Activity.SPEECH
        self._start, self._burst, self._quiet = self._burst, None, None
        return Started(self._start)

    def _in_speech(self, frame: int, probability: float) -> Stopped | None:
        if probability >= self._threshold:
            self._quiet = None
        elif probability < self._negative and self._quiet is None:
            self._quiet = frame
        if self._quiet is None:
            return None
        is_long = self._quiet - self._start >= self._long_segment
        needed = self._long_silence if is_long else self._end_silence
        return self._end(self._quiet) if frame - self._quiet + 1 >= needed else None

    def _end(self, frame: int) -> Stopped:
        self.activity = Activity.SILENCE
        self._burst = self._quiet = None
        return Stopped(frame)
