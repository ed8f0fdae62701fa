"""What endpoint settings mean here.

The vendor's model judges from what is said whether the speaker is done, and `max_endpoint_delay_ms` is the longest that
it may take. Here an endpoint is a pause, and how long a pause is part of that delay: PATIENCE of it usually, all of it
with the lowest sensitivity, EAGERNESS of it with the highest; each level of latency adjustment takes a STEP off.
"""

from dataclasses import dataclass

from dragoman.config.settings import ListenSettings
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.soniox.messages import Start
from dragoman.server.protocols.soniox.models import Model

DEFAULT_DELAY_MS = 2_000
DELAYS_MS = (500, 3_000)
SENSITIVITIES = (-1.0, 1.0)
LEVELS = (0, 3)

PATIENCE = 0.4
EAGERNESS = 0.2
STEP = 0.15
SHORTEST_MS = 200
"""A shorter silence than this is part of many words."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Valid endpoint settings."""

    delay_ms: int = DEFAULT_DELAY_MS
    sensitivity: float = 0.0
    level: int = 0

    @property
    def pause_ms(self) -> int:
        """The silence after which the speaker is taken to be done."""
        towards = EAGERNESS if self.sensitivity > 0 else 1.0
        share = PATIENCE + (towards - PATIENCE) * abs(self.sensitivity)
        return max(SHORTEST_MS, round(self.delay_ms * share * (1 - STEP * self.level)))

    def listening(self, settings: ListenSettings) -> ListenSettings:
        """The operator's way of listening with these endpoints; however long somebody talks, a pause is as long."""
        return settings.model_copy(update={"end_silence_ms": self.pause_ms, "long_end_silence_ms": self.pause_ms})


def parse_endpoints(start: Start, model: Model) -> Endpoints:
    """Read the settings. Raises BadMessage naming the field that is wrong."""
    delay, sensitivity = start.max_endpoint_delay_ms, start.endpoint_sensitivity
    level = start.endpoint_latency_adjustment_level
    for name, value, (low, high) in (
        ("max_endpoint_delay_ms", delay, DELAYS_MS),
        ("endpoint_sensitivity", sensitivity, SENSITIVITIES),
        ("endpoint_latency_adjustment_level", level, LEVELS),
    ):
        if value is not None and not low <= value <= high:
            raise BadMessage(f"{name} must be from {low:g} to {high:g}", Fault.SETUP)
        if value is not None and name != "max_endpoint_delay_ms" and not model.tunes_endpoints:
            raise BadMessage(f"{name} is not supported by the model {model.model_id}", Fault.SETUP)
    return Endpoints(DEFAULT_DELAY_MS if delay is None else delay, sensitivity or 0.0, level or 0)
