"""listen: voice activity detection and endpointing cut the audio into segments of speech."""

from math import inf, log10

import numpy as np

from dragoman.config.settings import ListenSettings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples, VoiceActivityDetector
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.endpointing import Activity, Endpointer, Started, Stopped
from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.items import End, Expect, Flush, SegmentEnd, SpeechChunk
from dragoman.pipeline.queues import MeteredQueue

BATCH_FRAMES = 4
"""Frames that are judged together (128 ms with Silero): waking the detector costs more than a frame does."""

Heard = SpeechStarted | SpeechEnded | SpeechChunk | SegmentEnd


class Listener:
    """Samples in, speech out; all the state of one session's listening. Blocks for a model: call it in a worker."""

    def __init__(self, detector: VoiceActivityDetector, settings: ListenSettings) -> None:
        self._stream = detector.stream()
        self._frame = detector.frame_samples
        self._endpointer = Endpointer(settings, self._frame / SAMPLE_RATE_HZ)
        self._before = round(settings.pre_speech_ms / 1000 * SAMPLE_RATE_HZ)
        self._after = round(settings.post_speech_ms / 1000 * SAMPLE_RATE_HZ)
        burst_ms = max(settings.min_speech_ms, settings.opening_min_speech_ms, settings.interrupt_min_speech_ms)
        self._keep = self._before + round(burst_ms / 1000 * SAMPLE_RATE_HZ) + self._frame
        self._new: list[Samples] = []
        self._new_length = 0
        self._held = np.zeros(0, np.float32)
        self._base = 0
        """Place of the first held sample."""
        self._seen = 0
        """Samples that the detector has judged."""
        self._started_s = 0.0
        """Where the open segment's speech began, on the input clock."""
        self._sent = round(settings.ignore_start_ms / 1000 * SAMPLE_RATE_HZ)
        """Everything before this place was either sent or given up; no sample goes into two segments."""

    def add(self, samples: Samples) -> bool:
        """Take samples without judging them (this does not block); True when enough of them wait to be judged."""
        self._new.append(samples)
        self._new_length += len(samples)
        return self._base + len(self._held) + self._new_length - self._seen >= BATCH_FRAMES * self._frame

    def judge(self) -> list[Heard]:
        """Judge what was added, in whole frames; what is left over waits for the next call."""
        self._held = np.concatenate([self._held, *self._new])
        self._new, self._new_length = [], 0
        new = self._held[self._seen - self._base :]
        whole = len(new) - len(new) % self._frame
        if not whole:
            return []
        heard: list[Heard] = []
        probabilities = self._stream.probabilities(new[:whole])
        levels = self._levels(new[:whole]) if self._endpointer.wants_level else [0.0] * len(probabilities)
        for probability, level in zip(probabilities, levels, strict=True):
            self._seen += self._frame
            change = self._endpointer.push(float(probability), level)
            if isinstance(change, Started):
                self._sent = max(self._sent, self._base, change.frame * self._frame - self._before)
                self._started_s = change.frame * self._frame / SAMPLE_RATE_HZ
                heard.append(SpeechStarted(self._started_s))
            elif change is not None:
                heard += self._end(change)
        heard += self._speech()
        self._forget()
        return heard

    def stop(self, *, final: bool) -> list[Heard]:
        """End the open segment now; `final` also judges the incomplete last frame, padded with silence."""
        heard = self.judge()
        left = len(self._held) - (self._seen - self._base)
        if final and left:
            self.add(np.zeros(self._frame - left, np.float32))
            heard += self.judge()
        change = self._endpointer.stop()
        return heard + (self._end(change, paused=False) if change else [])

    def _levels(self, samples: Samples) -> list[float]:
        """Root mean square of each frame, in dB under full scale; -inf where there is nothing."""
        power = np.square(samples).reshape(-1, self._frame).mean(axis=1)
        return [10 * log10(value) if value > 0 else -inf for value in power.tolist()]

    def _speech(self) -> list[Heard]:
        if self._endpointer.activity is Activity.SILENCE or self._seen <= self._sent:
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
        speaking = self._endpointer.activity is Activity.SPEECH
        useless = (self._seen - self._base) - self._keep - (SAMPLE_RATE_HZ if speaking else 0)
        if useless > 0:
            self._held = self._held[useless:]
            self._base += useless


async def listen(
    context: SessionContext,
    listener: Listener,
    inbox: MeteredQueue[Samples | Expect | Flush | End],
    outbox: MeteredQueue[SpeechChunk | SegmentEnd | Expect | Flush | End],
) -> None:
    """Run until the end marker."""
    while True:
        item = await inbox.get()
        if isinstance(item, Expect):
            await outbox.put(item, 0)
            continue
        with context.timed("listen"):
            if isinstance(item, Flush | End):
                heard = await context.offload.run(listener.stop, final=isinstance(item, End))
            else:
                heard = await context.offload.run(listener.judge) if listener.add(item) else []
        for found in heard:
            if isinstance(found, SpeechStarted | SpeechEnded):
                context.emit(found)
            else:
                seconds = len(found.samples) / SAMPLE_RATE_HZ if isinstance(found, SpeechChunk) else 0
                await outbox.put(found, seconds)
        if isinstance(item, Flush | End):
            await outbox.put(item, 0)
        if isinstance(item, End):
            return
