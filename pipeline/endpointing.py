"""When speech starts and when a segment of it ends: one state machine over the detector's frame probabilities.

    SILENCE  -- frames over the threshold (and loud enough), as many as it takes -->  SPEECH     Started
    SPEECH   -- silent frames, as many as it takes, or `stop` -------------------->  SILENCE    Stopped

The two thresholds with hysteresis and the count of silent frames follow the way Silero VAD's own iterator is meant to
be used; the shorter pause for long segments is ours, and keeps the lag low when somebody hardly pauses. How much it
takes can be chosen for each session (`ListenSettings`).
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

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
    nothing: a silent stretch goes on being silent, a burst goes on being a burst (unless it must be unbroken).
    """

    def __init__(self, settings: ListenSettings, frame_s: float) -> None:
        def frames(duration_ms: int) -> int:
            return max(1, round(duration_ms / 1000 / frame_s))

        self.activity = Activity.SILENCE
        self._threshold = settings.threshold
        self._negative = min(settings.negative_threshold, settings.threshold)
        self._level = settings.start_level_dbfs
        self._ignored = round(settings.ignore_start_ms / 1000 / frame_s)
        self._unbroken = settings.unbroken_start
        self._min_speech = frames(settings.min_speech_ms)
        self._opening_speech = frames(settings.opening_min_speech_ms or settings.min_speech_ms)
        self._interrupting_speech = frames(settings.interrupt_min_speech_ms or settings.min_speech_ms)
        self._interrupt_within = settings.interrupt_within_ms / 1000 / frame_s
        self._end_silence = frames(settings.end_silence_ms)
        self._window = settings.end_window_ms > 0
        self._recent: deque[bool] = deque(maxlen=max(self._end_silence, frames(settings.end_window_ms)))
        """Which of the open segment's newest frames are silent."""
        self._long_segment = settings.long_segment_s / frame_s
        self._long_silence = min(self._end_silence, frames(settings.long_end_silence_ms))
        self._frame = 0
        self._burst: int | None = None
        self._quiet: int | None = None
        self._start = 0
        self._ended: int | None = None
        """The frame before which the last segment was ended; None before the first."""

    @property
    def wants_level(self) -> bool:
        """Whether the level of a frame matters."""
        return self._level > -inf

    def push(self, probability: float, level_dbfs: float = 0.0) -> Started | Stopped | None:
        """Take the next frame's probability of speech, in [0, 1], and its level in dB under full scale."""
        frame = self._frame
        self._frame += 1
        if frame < self._ignored:
            return None
        if self.activity is Activity.SILENCE:
            return self._in_silence(frame, probability, level_dbfs)
        return self._in_speech(frame, probability)

    def stop(self) -> Stopped | None:
        """End an open segment now (a flush or the end of the input), where its silence began if it had begun."""
        if self.activity is Activity.SILENCE:
            self._burst = None
            return None
        return self._end(self._frame if self._quiet is None else self._quiet)

    def _in_silence(self, frame: int, probability: float, level_dbfs: float) -> Started | None:
        below = self._threshold if self._unbroken else self._negative
        if probability < below or level_dbfs < self._level:
            self._burst = None
        elif probability >= self._threshold and self._burst is None:
            self._burst = frame
        if self._burst is None or frame - self._burst + 1 < self._needed_speech(self._burst):
            return None
        self.activity = Activity.SPEECH
        self._start, self._burst, self._quiet = self._burst, None, None
        self._recent.clear()
        return Started(self._start)

    def _needed_speech(self, burst: int) -> int:
        """How many frames a burst must have to be speech."""
        if self._ended is None:
            return self._opening_speech
        return self._interrupting_speech if burst - self._ended < self._interrupt_within else self._min_speech

    def _in_speech(self, frame: int, probability: float) -> Stopped | None:
        silent = probability < self._negative
        self._recent.append(silent)
        if probability >= self._threshold:
            self._quiet = None
        elif silent and self._quiet is None:
            self._quiet = frame
        if self._quiet is None:
            return None
        is_long = self._quiet - self._start >= self._long_segment
        needed = self._long_silence if is_long else self._end_silence
        found = self._recent.count(True) if self._window else frame - self._quiet + 1
        return self._end(self._quiet) if found >= needed else None

    def _end(self, frame: int) -> Stopped:
        self.activity = Activity.SILENCE
        self._burst = self._quiet = None
        self._ended = self._frame
        return Stopped(frame)
