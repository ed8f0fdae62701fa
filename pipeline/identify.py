"""Who speaks in the open segment, for sessions that want to know.

Looked at while the segment grows, by its newest speech, so that words can have their speaker when they are shown or
committed, and settled when it closes. Words that were committed keep theirs. Who takes over without a pause is found
by the next look, some seconds later; until then their words go to whoever spoke before.
"""

import logging

from dragoman.models.base import SAMPLE_RATE_HZ, Samples, Voiceprint
from dragoman.models.errors import ModelError
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.items import SpeechChunk
from dragoman.pipeline.segment import OpenSegment
from dragoman.pipeline.speakers import FULL_S, Speakers

LEAST_S = 0.3
"""Less speech than this is nobody's voice: it goes to whoever spoke before."""

FIRST_S = 1.0
"""Speech before the first look. The next ones come with twice as much, and at the latest FULL_S later."""

SETTLE_S = 4.0
"""From so much speech on, a look at a segment that still goes on is worth remembering: it may have several speakers,
and whoever began it would otherwise be forgotten when another takes over."""

_log = logging.getLogger(__name__)


class Identifier:
    """One session's speakers, as far as they are known. Without the wish or the engine, nobody ever is."""

    def __init__(self, context: SessionContext) -> None:
        self.speaker: str | None = None
        """Who speaks in the open segment, or spoke in the one that was closed last; None while that is open."""
        self._context = context
        embedder = context.engines.embedder if context.speakers else None
        self._speakers = None if embedder is None else Speakers(embedder.threshold, embedder.shortest_s)
        self._heard: OpenSegment | None = None
        self._speech_start_s = 0.0
        self._due_s = FIRST_S
        self._last: tuple[Voiceprint | None, float] = None, 0.0
        """The voice of the segment that ends, and the length of its speech."""
        self._broken = False

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be known."""
        return self._speakers is not None

    def add(self, chunk: SpeechChunk) -> None:
        """Another piece of speech."""
        if self._speakers is None:
            return
        if self._heard is None:
            self._heard = OpenSegment(chunk.start_s)
            self._speech_start_s = chunk.speech_start_s
            self._due_s = FIRST_S
            self.speaker = None
        self._heard.append(chunk.samples)
        if self._heard.duration_s > 2 * FULL_S:
            self._heard.cut(self._heard.duration_s - FULL_S)

    async def look(self, *, said: bool) -> None:
        """Look at the open segment again, if there is enough more of it. `said`: words were committed in it."""
        heard, speakers = self._heard, self._speakers
        if heard is None or speakers is None:
            return
        whole_s = heard.stop_s - self._speech_start_s
        if whole_s < self._due_s:
            return
        speech = self._speech(heard, heard.stop_s)
        voice = await self._identify(speech)
        self._due_s = min(2 * whole_s, whole_s + FULL_S)
        if voice is not None:
            decide = speakers.settle if said and whole_s >= SETTLE_S else speakers.guess
            self.speaker = decide(voice, len(speech) / SAMPLE_RATE_HZ)

    async def hear_out(self, stop_s: float) -> None:
        """The segment ends; its speech stops at `stop_s` on the input clock. To be settled by `close`."""
        heard, self._heard = self._heard, None
        if heard is None:
            return
        speech = self._speech(heard, stop_s)
        speech_s = len(speech) / SAMPLE_RATE_HZ
        self._last = await self._identify(speech) if speech_s >= LEAST_S else None, speech_s

    def close(self, *, said: bool) -> None:
        """Decide whose the segment was that `hear_out` heard. Without words it was nobody's: noise has no label."""
        (voice, speech_s), self._last = self._last, (None, 0.0)
        if self._speakers is None or not said:
            return
        if voice is not None:
            self.speaker = self._speakers.settle(voice, speech_s)
        elif self.speaker is None:
            self.speaker = self._speakers.latest

    def _speech(self, heard: OpenSegment, stop_s: float) -> Samples:
        """The newest speech up to `stop_s`, no more than is needed."""
        start_s = max(heard.start_s, self._speech_start_s, stop_s - FULL_S)
        places = [max(0, round((at_s - heard.start_s) * SAMPLE_RATE_HZ)) for at_s in (start_s, stop_s)]
        return heard.samples[slice(*places)]

    async def _identify(self, speech: Samples) -> Voiceprint | None:
        """The voice, or None where the engine does not give it: words without a speaker are better than none."""
        context = self._context
        try:
            with context.timed("identify"):
                return await context.engines.identify(speech, context.session_id)
        except ModelError as error:
            if not self._broken:
                self._broken = True
                _log.warning("speakers are not told apart: %s", error)
            return None
