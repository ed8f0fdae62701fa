"""Conversations that never took place."""

from dragoman.bench.client import Arrival, Conversation, Message


def conversation(*clauses: tuple[str, float, float, float], sound_s: float = 0.5, failure: str = "") -> Conversation:
    """One with a clause for each text, start and stop of its source, and the time when its text and sound came.

    Each sound lasts `sound_s`.
    """
    arrivals = []
    for number, (text, start_s, stop_s, at_s) in enumerate(clauses):
        place_s = number * sound_s
        message = Message("text", text, source_start_s=start_s, source_stop_s=stop_s)
        arrivals += [Arrival(at_s, message), Arrival(at_s, Message("audio", start_s=place_s, stop_s=place_s + sound_s))]
    return Conversation(
        100.0, spoken_s=20.0, finished_s=20.0, ended_s=20.5, latest_s=0.01, failure=failure, arrivals=arrivals
    )
