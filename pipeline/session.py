"""One translation session: its stages in one TaskGroup, joined by bounded queues.

    bytes -> decode -> listen -> recognise -> translate -> speak -> encode -> events

Whoever opens a session feeds it bytes and markers and is told events; cancelling `run` ends every stage, and what was
waiting in the engines' queues for this session is not run any more.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from dragoman.config.settings import Settings
from dragoman.models.base import Samples
from dragoman.models.registry import Engines, Plan
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.formats import AudioFormat, Container
from dragoman.pipeline.clock import InputClock
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Event, Transcript
from dragoman.pipeline.items import Clause, End, Flush, SegmentEnd, SpeechChunk, SpokenBlock
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.pipeline.observer import SessionObserver, SilentObserver
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.stages.decode import decode
from dragoman.pipeline.stages.encode import Speaker, encode
from dragoman.pipeline.stages.listen import Listener, listen
from dragoman.pipeline.stages.recognise import recognise
from dragoman.pipeline.stages.speak import speak
from dragoman.pipeline.stages.translate import translate


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a client asked for, in our own words: formats and who says what in which language.

    `partials`: whether transcripts that are not certain yet are wanted. `latency` None: what the operator chose.
    """

    input_format: AudioFormat
    output_format: AudioFormat
    plan: Plan
    partials: bool = False
    latency: Latency | None = None


class Session:
    """Feed it from one task, run it in another.

    `emit` is called on the event loop with every event, in order; it must not block. Raising from it ends the
    session with that exception.
    """

    def __init__(
        self,
        request: SessionRequest,
        engines: Engines,
        settings: Settings,
        offload: Offload,
        *,
        session_id: str,
        emit: Callable[[Event], None],
        observer: SessionObserver | None = None,
    ) -> None:
        self.session_id = session_id
        self.request = request
        self.clock = InputClock()
        self._context = SessionContext(
            session_id,
            request.plan,
            engines,
            settings,
            offload,
            observer or SilentObserver(),
            self.clock,
            emit,
            POLICIES[request.latency or settings.latency],
            request.partials,
        )
        source = request.input_format
        self._coded = source.sniff or source.container is Container.OGG_OPUS
        self._decoder = make_decoder(request.input_format)
        self._listener = Listener(engines.detector, settings.listen)
        self._speaker = Speaker(make_encoder(request.output_format), settings.speak.gap_ms)
        queues = settings.queues
        self._inbox: MeteredQueue[bytes | Flush | End] = MeteredQueue(settings.limits.inbox_bytes)
        self._samples: MeteredQueue[Samples | Flush | End] = MeteredQueue(queues.input_s)
        self._speech: MeteredQueue[SpeechChunk | SegmentEnd | Flush | End] = MeteredQueue(queues.speech_s)
        self._transcripts: MeteredQueue[Transcript | Flush | End] = MeteredQueue(queues.clauses)
        self._clauses: MeteredQueue[Clause | Flush | End] = MeteredQueue(queues.clauses)
        self._blocks: MeteredQueue[SpokenBlock | Flush | End] = MeteredQueue(queues.output_s)

    @property
    def depths(self) -> dict[str, float]:
        """How much waits before each stage: bytes, seconds of audio, or items, as each queue counts."""
        return {
            "decode": self._inbox.weight,
            "listen": self._samples.weight,
            "recognise": self._speech.weight,
            "translate": self._transcripts.weight,
            "speak": self._clauses.weight,
            "encode": self._blocks.weight,
        }

    async def feed(self, data: bytes) -> None:
        """The next bytes of the input; waits while too much is waiting already. Ignored once `run` is over."""
        await self._inbox.put(data, len(data))

    async def flush(self, flush_id: Hashable) -> None:
        """Commit the open segment; `Flushed` follows when everything before has been said."""
        await self._inbox.put(Flush(flush_id), 0)

    async def end(self) -> None:
        """No more input; `Ended` follows when everything has been said."""
        await self._inbox.put(End(), 0)

    async def run(self) -> None:
        """Run every stage until the input has ended and all of it has been said.

        Raises the first exception of a stage (AudioError, ModelError, or whatever `emit` raised) by itself.
        """
        context = self._context
        try:
            async with asyncio.TaskGroup() as stages:
                decoding = decode(context, self._decoder, self._inbox, self._samples, coded=self._coded)
                stages.create_task(decoding, name="decode")
                stages.create_task(listen(context, self._listener, self._samples, self._speech), name="listen")
                stages.create_task(recognise(context, self._speech, self._transcripts), name="recognise")
                stages.create_task(translate(context, self._transcripts, self._clauses), name="translate")
                stages.create_task(speak(context, self._clauses, self._blocks), name="speak")
                stages.create_task(encode(context, self._speaker, self._blocks), name="encode")
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            self._inbox.close()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The stages form a chain: what broke first is the reason, the rest is its echo."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
