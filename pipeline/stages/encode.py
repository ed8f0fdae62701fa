"""encode: samples become the client's output format, and get their places on the output clock."""

from collections.abc import Iterator

import numpy as np

from dragoman.models.base import Samples
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.audio.resample import Resampler
from dragoman.pipeline.branch_state import BranchState
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Speech
from dragoman.pipeline.items import Clause, End, Flush, SpokenBlock, TextEnd
from dragoman.pipeline.markers import Markers
from dragoman.pipeline.queues import MeteredQueue

PIECE_S = 0.32
"""Audio goes out in pieces of this length: long enough to cost little, short enough to be played while more comes."""

INLINE_S = 0.5
"""A block of plain samples this short is encoded faster than a thread is woken for it; and so is the end of any."""


class BranchEncoder:
    """One session's output clock, resampler and encoder: of one file, or of several, one behind the other.

    Blocks for signal processing: what is not `quick` is to be pushed in a worker. Raises as `make_encoder`.
    """

    def __init__(self, fmt: AudioFormat, branch: int = 0) -> None:
        self._branch = branch
        self._format = fmt
        self._begin()
        self._rate_hz = self._encoder.rate_hz
        self._resampler: Resampler | None = None
        self._position = 0
        self._clause: Clause | None = None
        self._clause_start_s = self._clause_stop_s = 0.0

    def _begin(self) -> None:
        """A new file."""
        self._encoder = make_encoder(self._format)
        self._header = self._encoder.header()
        self._touched = False
        """Whether the file has any sample."""

    def quick(self, block: SpokenBlock) -> bool:
        """Whether encoding the block takes no time worth speaking of."""
        return len(block.samples) <= (0.0 if self._encoder.coded else INLINE_S * block.rate_hz)

    def push(self, block: SpokenBlock) -> list[Speech]:
        """Encode the next block of a clause; the blocks of two clauses never mix."""
        begins = block.clause is not self._clause
        self._clause = block.clause
        parts: list[Samples] = []
        if begins and self._position and len(block.samples):
            parts.append(np.zeros(round(block.gap_s * self._rate_hz), np.float32))
        if begins:
            gap_s = sum(map(len, parts)) / self._rate_hz
            self._clause_start_s = self._position / self._rate_hz + gap_s
        self._clause_stop_s = self._clause_start_s + block.clause_length_s
        if self._resampler is None:
            self._resampler = Resampler(block.rate_hz, self._rate_hz)
        parts.append(self._resampler.process(block.samples))
        if block.last:
            parts.append(self._resampler.finish())
            self._resampler = None
        return list(self._pieces(np.concatenate(parts), block))

    def cut(self, block: SpokenBlock) -> Speech | None:
        """The end of an interrupted clause, if any of it was said."""
        if block.clause is not self._clause:
            return None
        self._clause, self._resampler = None, None
        at_s = self._position / self._rate_hz
        clause = block.clause
        return Speech(b"", clause.language, at_s, at_s, clause.clause_id, at_s, last=True, branch=self._branch)

    def end_text(self, end: TextEnd, epoch: int) -> list[Speech]:
        """The silence behind a given text, and the end of its file; `epoch` is the branch's."""
        pieces = []
        if end.pause_s and end.epoch == epoch:
            start_s = self._position / self._rate_hz
            audio = self._written(np.zeros(round(end.pause_s * self._rate_hz), np.float32))
            here_s = self._position / self._rate_hz
            pieces.append(Speech(audio, "", start_s, here_s, None, here_s, False, self._branch, end.text_id))
        if end.ends_stream:
            tail = self._encoder.finish() if self._touched else b""
            at_s = self._position / self._rate_hz
            pieces.append(Speech(tail, "", at_s, at_s, None, at_s, True, self._branch, end.text_id))
            self._begin()
        return pieces

    def finish(self, *, empty: bool) -> Speech | None:
        """What the container needs at its end; also its header if nothing was said, unless nothing was heard."""
        if not self._touched and (empty or self._position):
            return None
        tail = (b"" if empty else self._take_header()) + self._encoder.finish()
        if not tail:
            return None
        at_s = self._position / self._rate_hz
        return Speech(tail, "", at_s, at_s, None, at_s, last=True, branch=self._branch)

    def _written(self, samples: Samples) -> bytes:
        """The next samples of the file, behind its header."""
        self._touched = self._touched or bool(len(samples))
        self._position += len(samples)
        return self._take_header() + self._encoder.encode(samples) if len(samples) else b""

    def _take_header(self) -> bytes:
        header, self._header = self._header, b""
        return header

    def _pieces(self, samples: Samples, block: SpokenBlock) -> Iterator[Speech]:
        step = round(PIECE_S * self._rate_hz)
        clause = block.clause
        if block.last:
            self._clause_stop_s = (self._position + len(samples)) / self._rate_hz
        starts = range(0, len(samples), step) if len(samples) else (range(1) if block.last else range(0))
        for start in starts:
            piece = samples[start : start + step]
            start_s = self._position / self._rate_hz
            audio = self._written(piece)
            last = block.last and start + step >= len(samples)
            here_s = self._position / self._rate_hz
            yield Speech(
                audio, clause.language, start_s, here_s, clause.clause_id, self._clause_stop_s, last, self._branch
            )


async def encode(
    context: SessionContext,
    branch: BranchState,
    encoder: BranchEncoder,
    inbox: MeteredQueue[SpokenBlock | TextEnd | Flush | End],
    markers: Markers,
) -> None:
    """Run until the end marker."""
    sounded = -1
    while True:
        item = await inbox.get()
        if isinstance(item, SpokenBlock):
            if item.clause.epoch != branch.epoch:
                # Nothing more is heard of an interrupted clause; whoever waits for its end is told once.
                if item.last and (cut := encoder.cut(item)) is not None:
                    context.emit(cut)
                continue
            with context.timed("encode"):
                # Nothing but the clause's end may wait behind it: the next ones would follow without a pause.
                if encoder.quick(item) and len(inbox) <= 1:
                    pieces = encoder.push(item)
                else:
                    pieces = await context.offload.run(encoder.push, item)
            _tell(context, pieces)
            if pieces and pieces[0].audio and item.clause.clause_id != sounded:
                sounded = item.clause.clause_id
                stop_s = item.clause.stop_s
                if stop_s is not None and (delay_s := context.clock.delay_since(stop_s)) is not None:
                    context.observer.clause_delay(delay_s)
            continue
        if isinstance(item, TextEnd):
            _tell(context, await context.offload.run(encoder.end_text, item, branch.epoch))
            continue
        if isinstance(item, End) and (tail := encoder.finish(empty=context.clock.received_s == 0)) is not None:
            context.emit(tail)
        markers.reached(item)
        if isinstance(item, End):
            return


def _tell(context: SessionContext, pieces: list[Speech]) -> None:
    for piece in pieces:
        context.emit(piece)
        context.observer.audio_out(piece.stop_s - piece.start_s)
