"""What a session tells whoever counts: the metrics of a server, a benchmark, or nobody."""

from typing import Protocol


class SessionObserver(Protocol):
    """Called on the event loop; must return at once. Figures are seconds where nothing else is said."""

    def audio_in(self, seconds: float) -> None:
        """Decoded audio came in."""
        ...

    def given(self, stage: str, characters: int) -> None:
        """A stage takes up so many characters of a text that was given instead of speech."""
        ...

    def audio_out(self, seconds: float) -> None:
        """Encoded audio went out."""
        ...

    def stage_time(self, stage: str, seconds: float) -> None:
        """One item spent this long in a stage, waiting for its engine included."""
        ...

    def clause_delay(self, seconds: float) -> None:
        """Time from the arrival of a clause's last sound to the first sound of its translation."""
        ...

    def speech_lag(self, seconds: float) -> None:
        """How long a clause waits, for one who listens, until the clauses before it have been heard (`pace.py`)."""
        ...


class SilentObserver:
    """Counts nothing."""

    def audio_in(self, seconds: float) -> None:
        del seconds

    def given(self, stage: str, characters: int) -> None:
        del stage, characters

    def audio_out(self, seconds: float) -> None:
        del seconds

    def stage_time(self, stage: str, seconds: float) -> None:
        del stage, seconds

    def clause_delay(self, seconds: float) -> None:
        del seconds

    def speech_lag(self, seconds: float) -> None:
        del seconds
