"""Transcripts that are written by hand become such as a session tells them."""

from dataclasses import replace

from dragoman.pipeline.clauses import ClauseSplitter
from dragoman.pipeline.events import Event, Transcript
from dragoman.pipeline.latency import POLICIES, LatencyPolicy
from dragoman.pipeline.timing import estimate_words


class FakeHearing:
    """Adds words and clauses to one session's transcripts; takes other events as they are."""

    def __init__(self, policy: LatencyPolicy = POLICIES["quality"]) -> None:
        self._clauses = ClauseSplitter(policy)

    def told(self, event: Event, *, by_phrases: bool = True) -> Event:
        """The event as the session would have told it."""
        return self.heard(event, by_phrases=by_phrases) if isinstance(event, Transcript) else event

    def heard(self, said: Transcript, *, by_phrases: bool = True) -> Transcript:
        """The transcript with its words, and with the clauses that are complete with it."""
        words = said.words or estimate_words(said.text, said.start_s, said.stop_s, said.language)
        if not said.final:
            return replace(said, words=words)
        clauses = self._clauses.push(words, said.language, closes=said.complete, by_phrases=by_phrases)
        return replace(said, words=words, clauses=tuple(clauses), growing=self._clauses.pending)
