"""What `latency = "low" | "balanced" | "quality"` stands for: when words are certain, and when a clause is translated.

Every figure is a trade: what is translated sooner is translated with less of what follows.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Latency = Literal["low", "balanced", "quality"]


@dataclass(frozen=True, slots=True)
class LatencyPolicy:
    """The thresholds of one latency.

    `incremental`: words are committed while they are spoken, by agreement of two hypotheses, instead of at pauses.
    `cadence_s`: new speech between two hypotheses. `comma_words`: a clause of at least so many words ends at a comma
    or the like; `conjunction_words`: and before a conjunction; 0 means never. `max_delay_s`: no certain word waits
    longer than this for the end of its clause, on the clock of the speech. `retranslate_words`: after so many new
    words a growing clause is translated again, where the translator is made for it, and what two translations agree on
    is said; 0 means never.
    """

    incremental: bool
    cadence_s: float
    comma_words: int
    conjunction_words: int
    max_delay_s: float
    retranslate_words: int = 0


POLICIES = MappingProxyType(
    {
        "low": LatencyPolicy(
            True, cadence_s=0.5, comma_words=3, conjunction_words=5, max_delay_s=2.5, retranslate_words=3
        ),
        "balanced": LatencyPolicy(
            True, cadence_s=0.7, comma_words=5, conjunction_words=0, max_delay_s=5.0, retranslate_words=5
        ),
        "quality": LatencyPolicy(False, cadence_s=1.0, comma_words=0, conjunction_words=0, max_delay_s=float("inf")),
    }
)
"""The policy of each latency."""
