import pytest

from dragoman.models.base import Word
from dragoman.models.errors import Overloaded
from dragoman.pipeline.events import Ended, Event, Speech, Transcript, Translation
from dragoman.server.commands import Output
from dragoman.server.held import EVENT_BYTES, HeldEvents, size_bytes
from dragoman.server.protocols.palabra.order import Turns


class FakeRendering:
    """Says nothing."""

    def event(self, event: Event) -> list[Output]:
        return []


def speech(size: int) -> Speech:
    return Speech(b"x" * size, "es", 0.0, 1.0, 0, 1.0, last=True)


def test_what_is_kept_comes_back_in_order_once() -> None:
    held = HeldEvents()
    events = [speech(10), Ended(), Translation("hola", "es", 0.0, 1.0, 0)]
    for event in events:
        held.append(event)
    held.forget(lambda event: isinstance(event, Ended))
    assert list(held.take()) == [events[0], events[2]]
    assert list(held.take()) == []


def test_it_is_bounded_in_bytes_and_room_comes_back() -> None:
    held = HeldEvents(10_000)
    held.append(speech(20_000))  # alone it may have any size
    with pytest.raises(Overloaded):
        held.append(Ended())
    held.forget(lambda event: isinstance(event, Speech))
    for _ in range(10_000 // EVENT_BYTES):
        held.append(Ended())
    with pytest.raises(Overloaded):
        held.append(Ended())
    assert len(list(held.take())) == 10_000 // EVENT_BYTES
    held.append(speech(9_000))


def test_words_and_texts_weigh_something() -> None:
    words = tuple(Word("word", 0.0, 1.0) for _ in range(100))
    long = Transcript("word " * 100, "en", 0.0, 1.0, words=words)
    assert size_bytes(long) > 100 * 100
    assert size_bytes(Translation("x" * 1000, "es", 0.0, 1.0, 0)) > 1000


def test_a_voice_whose_turn_does_not_come_ends_with_an_error_not_with_memory() -> None:
    turns: Turns[FakeRendering] = Turns()
    turns.add(0, FakeRendering())
    turns.add(1, FakeRendering())
    kept = 0
    with pytest.raises(Overloaded):
        for _ in range(1000):
            turns.event(1, speech(1_000_000))
            kept += 1
    assert 30 < kept < 36
