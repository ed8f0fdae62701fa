"""How much was used since the server started, for the vendors' usage endpoints."""

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """Plain counters; only the event loop writes them. Durations are seconds, sizes are characters."""

    sessions: int = 0
    messages_in: int = 0
    messages_out: int = 0
    text_in: int = 0
    text_out: int = 0
    audio_in_s: float = 0.0
    audio_out_s: float = 0.0
