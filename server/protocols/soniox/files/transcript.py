"""A session's events as the tokens of a transcript.

Clients pair what was said with its translation by their places: behind a run of one speaker in one language stands
what became of it, then the next run. So translations are kept until all of a segment is known.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.server.protocols.soniox.messages import Token
from dragoman.server.protocols.soniox.start import Request
from dragoman.server.protocols.soniox.tokens import TokenWriter


@dataclass(slots=True)
class _Run:
    """What one speaker said in one language without a break, up to `stop_s` on the input's clock."""

    speaker: str | None
    language: str
    stop_s: float
    spoken: list[Token]
    translated: list[Token] = field(default_factory=list)


class TranscriptWriter:
    """Events in; at the end, text and tokens."""

    def __init__(self, request: Request) -> None:
        self._writer = TokenWriter(request)
        self._segments: dict[int, list[_Run]] = {}

    def event(self, event: Event) -> None:
        """Take what happened."""
        if isinstance(event, Transcript) and event.final:
            self._spoken(event)
        elif isinstance(event, Translation) and event.segment_id is not None:
            self._translated(event, event.segment_id)

    def written(self) -> tuple[str, list[dict[str, Any]]]:
        """All that was said, and all tokens as they go over the wire."""
        runs = [run for _, segment in sorted(self._segments.items()) for run in segment]
        text = "".join(token.text for run in runs for token in run.spoken)
        tokens = [token for run in runs for token in (*run.spoken, *run.translated)]
        return text, [_plain(token) for token in tokens]

    def _spoken(self, said: Transcript) -> None:
        tokens = self._writer.spoken(said)
        runs = self._segments.setdefault(said.segment_id, [])
        if not tokens:
            return
        if runs and (runs[-1].speaker, runs[-1].language) == (said.speaker, said.language):
            runs[-1].spoken += tokens
            runs[-1].stop_s = said.stop_s
        else:
            runs.append(_Run(said.speaker, said.language, said.stop_s, tokens))

    def _translated(self, clause: Translation, segment_id: int) -> None:
        tokens = self._writer.translated(clause)
        runs = self._segments.get(segment_id)
        if not tokens or not runs:
            return
        middle_s = (clause.start_s + clause.stop_s) / 2
        ours = [run for run in runs if (run.speaker, run.language) == (clause.speaker, clause.source)] or runs
        next((run for run in ours if middle_s <= run.stop_s), ours[-1]).translated += tokens


def _plain(token: Token) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(token)
    del fields["is_final"]  # all are
    return fields
