"""What `latency = "low" | "balanced" | "quality"` stands for: when words are certain, and when a clause is translated.

Every figure is a trade: what is translated sooner is translated with less of what follows.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dragoman.config.settings import ListenSettings

Latency = Literal["low", "balanced", "quality"]


@dataclass(frozen=True, slots=True)
class LatencyPolicy:
    """The thresholds of one latency.

    `incremental`: words are committed while they are spoken, by agreement of two hypotheses, instead of at pauses;
    `trusts`: or at once, where the recogniser itself is sure of them. `cadence_s`: new speech between two hypotheses.

    A clause of at least `comma_words` words ends at a comma or the like, one of `conjunction_words` before a
    conjunction, one of `phrase_words` before any phrase, unless the translator is one that translates growing clauses
    again; 0 means never. `max_delay_s`: no certain word waits longer than this for the end of its clause, on the clock
    of the speech. `retranslate_words`: after so many new words a growing clause is translated again, where the
    translator is made for it, and what two translations agree on is said; 0 means never.

    `engine_share`: a session that could ask without end asks about words that are not certain yet for this share of the
    time at most, as time passes for who waits for the answers: a slow recogniser, or one with many sessions, has the
    rest for what ends.

    `pause_share`: the pauses that end a segment are this much of what the operator chose.
    """

    incremental: bool
    cadence_s: float
    comma_words: int
    conjunction_words: int
    max_delay_s: float
    retranslate_words: int = 0
    phrase_words: int = 0
    trusts: bool = False
    engine_share: float = 0.4
    pause_share: float = 1.0

    def listening(self, operator: ListenSettings) -> ListenSettings:
        """How a session listens whose client did not choose the pauses itself."""
        pauses = ("end_silence_ms", "long_end_silence_ms")
        return operator.model_copy(
            update={name: max(1, round(getattr(operator, name) * self.pause_share)) for name in pauses}
        )


POLICIES = MappingProxyType(
    {
        "low": LatencyPolicy(
            True,
            cadence_s=0.35,
            comma_words=3,
            conjunction_words=3,
            max_delay_s=2.0,
            retranslate_words=3,
            phrase_words=4,
            trusts=True,
            engine_share=0.5,
            pause_share=0.75,
        ),
        "balanced": LatencyPolicy(
            True,
            cadence_s=0.7,
            comma_words=5,
            conjunction_words=6,
            max_delay_s=3.5,
            retranslate_words=5,
            phrase_words=7,
            trusts=True,
        ),
        "quality": LatencyPolicy(False, cadence_s=1.0, comma_words=0, conjunction_words=0, max_delay_s=float("inf")),
    }
)
"""The policy of each latency."""
