"""What a stream has said and must still say.

Every message carries the tokens that have become final since the last one, then all that are not final now: a client
forgets the non-final ones of before. An endpoint is told once everything of its segment was said, translations
included, and nothing of the next segment is told before it; the same goes for the end of a `finalize`.
"""

from collections import deque
from dataclasses import dataclass

from dragoman.pipeline.events import Ended, Event, Flushed, Recognised, Transcript, Translated, Translation
from dragoman.server.held import HeldEvents
from dragoman.server.protocols.soniox.messages import Result, Token
from dragoman.server.protocols.soniox.start import Request
from dragoman.server.protocols.soniox.tokens import END, FIN, TokenWriter, milliseconds

Told = Transcript | Translation | Translated | Recognised


@dataclass(slots=True)
class _Endpoint:
    """A segment that has ended, and the branches that still have translations of it to tell."""

    segment_id: int
    branches: set[int]


class Stream:
    """Events in, messages out."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._writer = TokenWriter(request)
        self._non_final: list[Token] = []
        self._final_ms = 0
        self._total_ms = 0
        self._endpoint: _Endpoint | None = None
        self._newest = -1
        """The segment that was heard last."""
        self._finalized: deque[int] = deque()
        """The last segment before each `finalize` behind which everything was recognised, but not translated yet."""
        self.tokens = 0
        """Final tokens that were told."""
        self._held = HeldEvents()
        """What belongs to segments behind an endpoint, or behind a `finalize`, that has not been told yet."""

    @property
    def audio_ms(self) -> int:
        """How much of the input has been heard, as far as that was told."""
        return self._total_ms

    def event(self, event: Event) -> list[Result]:
        """The messages that an event makes. Raises Overloaded where too much is held back."""
        match event:
            case Transcript() | Translation() | Translated():
                if isinstance(event, Transcript) and event.final:
                    self._newest = event.segment_id
                return self._tell(event)
            case Recognised():
                told = self._tell(event)
                if event.flush_id is not None:
                    self._finalized.append(self._newest)
                return told
            case Flushed():
                self._advance(event.at_s, final=True)
                if self._finalized:
                    self._finalized.popleft()
                return [self._result([FIN]), *self._release()]
            case Ended():
                self._advance(event.at_s, final=True)
                self._non_final = []
                last = self._result([])
                last.finished = True
                return [last]
            case _:
                return []

    def _tell(self, event: Told) -> list[Result]:
        endpoint = self._endpoint
        if self._waits(event):
            self._held.append(event)
            return []
        if isinstance(event, Transcript):
            return self._transcript(event)
        if isinstance(event, Recognised):
            return self._recognised()
        if isinstance(event, Translation):
            return [self._result(self._writer.translated(event))]
        if endpoint is None or event.segment_id != endpoint.segment_id:
            return []
        endpoint.branches.discard(event.branch)
        return [] if endpoint.branches else self._reach_endpoint()

    def _waits(self, event: Told) -> bool:
        """Whether an event belongs behind something that was not told yet."""
        if isinstance(event, Recognised):  # it is about all that came before it
            return bool(self._held)
        last = self._endpoint.segment_id if self._endpoint is not None else next(iter(self._finalized), None)
        return last is not None and event.segment_id is not None and event.segment_id > last

    def _recognised(self) -> list[Result]:
        """Nothing is supposed any more: what was, and did not become final, came to nothing."""
        shown, self._non_final = self._non_final, []
        return [self._result([])] if shown else []

    def _transcript(self, said: Transcript) -> list[Result]:
        tokens = self._writer.spoken(said)
        self._advance(said.stop_s, final=said.final)
        if not said.final:
            if tokens == self._non_final:
                return []
            self._non_final = tokens
            return [self._result([])]
        rest = self._writer.supposed(said)
        if rest:
            self._advance(said.rest[-1].stop_s, final=False)
        changed, self._non_final = bool(tokens) or rest != self._non_final, rest
        if said.closes and said.paused and self._request.endpoints is not None:
            if not self._request.targets:
                return [self._result([*tokens, END])]
            self._endpoint = _Endpoint(said.segment_id, set(range(len(self._request.targets))))
        return [self._result(tokens)] if changed else []

    def _reach_endpoint(self) -> list[Result]:
        self._endpoint = None
        return [self._result([END]), *self._release()]

    def _release(self) -> list[Result]:
        """What was held back, as far as nothing else holds it."""
        return [result for event in self._held.take() if isinstance(event, Told) for result in self._tell(event)]

    def _advance(self, to_s: float, *, final: bool) -> None:
        self._total_ms = max(self._total_ms, milliseconds(to_s))
        if final:
            self._final_ms = max(self._final_ms, milliseconds(to_s))

    def _result(self, finals: list[Token]) -> Result:
        self.tokens += len(finals)
        return Result(
            tokens=[*finals, *self._non_final],
            final_audio_proc_ms=self._final_ms,
            total_audio_proc_ms=self._total_ms,
        )
