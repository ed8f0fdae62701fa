"""One session's ear: a client's bytes in, pieces of speech out.

Decoder, resampler, voice activity detection and endpointing in one, without I/O. What is slow here (a codec, a model)
blocks; where that is done is the business of `stages/hear.py`.
"""

from math import inf, log10

import numpy as np

from dragoman.config.settings import ListenSettings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples, VoiceActivityDetector
from dragoman.pipeline.audio.decode import Decoder
from dragoman.pipeline.endpointing import Activity, Endpointer, Started, Stopped
from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.items import SegmentEnd, SpeechChunk

BATCH_FRAMES = 4
"""Frames are judged when so many wait (128 ms with Silero): a call of the detector costs more than a frame."""

Heard = SpeechStarted | SpeechEnded | SpeechChunk | SegmentEnd


class Ear:
    """All the state of one session's hearing. It may be called from any thread, but only by one at a time."""

    def __init__(self, decoder: Decoder, detector: VoiceActivityDetector, settings: ListenSettings) -> None:
        self._decoder = decoder
        self._stream = detector.stream()
        self._frame = detector.frame_samples
        self._endpointer = Endpointer(settings, self._frame / SAMPLE_RATE_HZ)
        self._before = round(settings.pre_speech_ms / 1000 * SAMPLE_RATE_HZ)
        self._after = round(settings.post_speech_ms / 1000 * SAMPLE_RATE_HZ)
        burst_ms = max(settings.min_speech_ms, settings.opening_min_speech_ms, settings.interrupt_min_speech_ms)
        self._keep = self._before + round(burst_ms / 1000 * SAMPLE_RATE_HZ) + self._frame
        self._new: list[Samples] = []
        self._length = 0
        """Samples that came in, at 16 kHz; the newest of them are in `_new`."""
        self._held = np.zeros(0, np.float32)
        self._base = 0
        """Place of the first held sample."""
        self._seen = 0
        """Samples that the detector has judged."""
        self._started_s = 0.0
        """Where the open segment's speech began, on the input clock."""
        self._sent = round(settings.ignore_start_ms / 1000 * SAMPLE_RATE_HZ)
        """Everything before this place was either sent or given up; no sample goes into two segments."""

    @property
    def coded(self) -> bool:
        """Whether a few bytes may hold much audio, so that taking them takes long."""
        return self._decoder.coded

    @property
    def due(self) -> bool:
        """Whether enough frames wait to be judged."""
        return self._waiting >= BATCH_FRAMES

    @property
    def speaking(self) -> bool:
        """Whether a segment is open."""
        return self._endpointer.activity is Activity.SPEECH

    def hear(self, data: bytes, most: int) -> tuple[float, list[Heard]]:
        """Take the next bytes, possibly none, and judge what is due, but no more than `most` frames.

        Gives the seconds of audio in the bytes, and what was heard. Raises BadAudio or EngineFailed; after that the ear
        is of no more use.
        """
        seconds = self._add(self._decoder.decode(data))
        return seconds, self._judge(min(self._waiting, most)) if self.due else []

    def finish(self) -> float:
        """There are no more bytes: take what the decoder held back, in seconds of audio. Raises BadAudio."""
        return self._add(self._decoder.finish())

    def stop(self, *, final: bool = False, paused: bool = False) -> list[Heard]:
        """Judge all frames that wait and end the open segment now.

        `final` also judges the incomplete last frame, padded with silence. `paused`: it ends as if the speaker had
        paused. Raises EngineFailed.
        """
        heard = self._judge(self._waiting)
        left = self._length - self._seen
        if final and left:
            self._add(np.zeros(self._frame - left, np.float32))
            heard += self._judge(1)
        change = self._endpointer.stop()
        return heard + (self._end(change, paused=paused) if change else [])

    def close(self) -> None:
        """Nothing more is wanted. May come at any time, from any thread, and more than once."""
        self._decoder.close()

    @property
    def _waiting(self) -> int:
        return (self._length - self._seen) // self._frame

    def _add(self, samples: Samples) -> float:
        if len(samples):
            self._new.append(samples)
            self._length += len(samples)
        return len(samples) / SAMPLE_RATE_HZ

    def _judge(self, frames: int) -> list[Heard]:
        if self._new:
            self._held = np.concatenate([self._held, *self._new])
            self._new.clear()
        if not frames:
            return []
        start = self._seen - self._base
        new = self._held[start : start + frames * self._frame]
        heard: list[Heard] = []
        probabilities = self._stream.probabilities(new)
        levels = self._levels(new) if self._endpointer.wants_level else [0.0] * frames
        for probability, level in zip(probabilities.tolist(), levels, strict=True):
            self._seen += self._frame
            change = self._endpointer.push(probability, level)
            if isinstance(change, Started):
                self._sent = max(self._sent, self._base, change.frame * self._frame - self._before)
                self._started_s = change.frame * self._frame / SAMPLE_RATE_HZ
                heard.append(SpeechStarted(self._started_s))
            elif change is not None:
                heard += self._end(change)
        heard += self._speech()
        self._forget()
        return heard

    def _levels(self, samples: Samples) -> list[float]:
        """Root mean square of each frame, in dB under full scale; -inf where there is nothing."""
        power = np.square(samples).reshape(-1, self._frame).mean(axis=1)
        return [10 * log10(value) if value > 0 else -inf for value in power.tolist()]

    def _speech(self) -> list[Heard]:
        if not self.speaking or self._seen <= self._sent:
            return []
        chunk = self._chunk(self._seen)
        self._sent = self._seen
        return [chunk]

    def _chunk(self, until: int) -> SpeechChunk:
        piece = self._held[self._sent - self._base : until - self._base]
        return SpeechChunk(piece, self._sent / SAMPLE_RATE_HZ, self._started_s)

    def _end(self, change: Stopped, *, paused: bool = True) -> list[Heard]:
        stop = change.frame * self._frame
        keep_until = min(stop + self._after, self._seen)
        heard: list[Heard] = []
        if keep_until > self._sent:
            heard.append(self._chunk(keep_until))
        # What was sent beyond the end is silence, and the recogniser is told to drop it; the next segment may have it.
        self._sent = keep_until
        heard.append(SegmentEnd(stop / SAMPLE_RATE_HZ, keep_until / SAMPLE_RATE_HZ, paused))
        heard.append(SpeechEnded(stop / SAMPLE_RATE_HZ))
        return heard

    def _forget(self) -> None:
        useless = (self._seen - self._base) - self._keep - (SAMPLE_RATE_HZ if self.speaking else 0)
        if useless > 0:
            self._held = self._held[useless:]
            self._base += useless
