"""How a listener keeps up with the speaker: the lag of what is said behind what was heard, and what is done about it.

The listener is taken to play each clause when the one before it has ended, but not before it could be translated; both
on the input clock, so that the same speech gives the same tempo however fast it was sent. The time that the engines
take is not in it: the queues show that.
"""

from dragoman.config.settings import SpeakSettings

CERTAIN_AFTER_S = 1.5
"""Words that are translated while they are spoken are certain by then; in what is sent faster nobody can tell when."""
_RISE_S = 1.0
"""The tempo is at its highest when the lag is this much above the one from which it rises."""
_STEP = 0.06
"""The tempo changes by at most this from clause to clause: a voice that jumps is unpleasant."""


class Pace:
    """One branch's tempo and gaps, clause by clause."""

    def __init__(self, settings: SpeakSettings) -> None:
        self._settings = settings
        self._quiet_from_s = 0.0
        """When the listener will have heard everything, on the input clock."""
        self.tempo = 1.0
        """The factor on the wanted speaking rate for the clause that is to be spoken."""
        self.lag_s = 0.0
        """How long that clause, when it could be said, has to wait until the ones before it have been heard."""

    def begin(self, stop_s: float, received_s: float | None = None) -> None:
        """A clause is to be spoken whose source ended at `stop_s` on the input clock.

        It could be translated when the input had come to `received_s`, if that is known.
        """
        settings = self._settings
        ready_s = stop_s if received_s is None else max(stop_s, min(received_s, stop_s + CERTAIN_AFTER_S))
        self.lag_s = max(0.0, self._quiet_from_s - ready_s)
        self._quiet_from_s = max(self._quiet_from_s, ready_s)
        excess = min(1.0, max(0.0, (self.lag_s - settings.catch_up_after_s) / _RISE_S))
        wanted = 1.0 + (settings.max_tempo - 1.0) * excess
        self.tempo += max(-_STEP, min(_STEP, wanted - self.tempo))

    def gap_s(self, *, goes_on: bool = False) -> float:
        """Silence before the clause: the usual one, less while there is a lag to make up for.

        `goes_on`: the clause stands inside a sentence that was begun already; it has the shortest.
        """
        settings = self._settings
        usual_s, least_s = settings.gap_ms / 1000, min(settings.gap_ms, settings.min_gap_ms) / 1000
        return least_s if goes_on else max(least_s, usual_s - max(0.0, self.lag_s - settings.catch_up_after_s / 2))

    def spoke(self, seconds: float) -> None:
        """So much was said, its gap included."""
        self._quiet_from_s += seconds
