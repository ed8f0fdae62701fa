"""What the sockets that listen share: sessions in a line, and one end."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended, Event, SpeechStarted
from dragoman.server.commands import Close, Finish, Output, Send
from dragoman.server.failures import ShuttingDown
from dragoman.server.protocols.sarvam.order import Order
from dragoman.server.protocols.sarvam.sessions import SessionsAdapter


@dataclass
class FakeSession:
    key: int
    order: Order = field(default_factory=Order)


class FakeAdapter(SessionsAdapter[FakeSession]):
    """Every message but "end" begins another session; events and the end are told by their names."""

    def parse(self, message: str | bytes) -> object:
        return message

    def _take(self, parsed: object) -> Any:
        if parsed == "end":
            return self._end()
        finished = self._finish()
        self._begin(FakeSession(len(self._running)))
        return finished

    def _render(self, session: FakeSession, event: Event) -> list[Output]:
        return [Send(f"{session.key} {type(event).__name__}")]

    def _farewell(self, error: Exception | None) -> list[Output]:
        return [Send(str(error)), Close(1000)]


def test_what_a_later_session_says_waits_and_the_end_is_told_once_all_have_said_it() -> None:
    adapter = FakeAdapter()
    adapter.receive("a")
    assert adapter.receive("b") == [Finish(0)]
    assert adapter.receive("end") == [Finish(1)]
    assert adapter.receive("c") == []
    assert adapter.event(1, SpeechStarted(0.0)) == []
    assert adapter.event(1, Ended()) == []
    assert adapter.event(0, Ended()) == [Send("1 SpeechStarted"), Send("None"), Close(1000)]


def test_without_sessions_the_end_is_told_at_once() -> None:
    assert FakeAdapter().receive("end") == [Send("None"), Close(1000)]


def test_a_session_that_fails_ends_all_once_the_others_have_said_what_they_heard() -> None:
    adapter = FakeAdapter()
    adapter.receive("a")
    adapter.receive("b")
    assert adapter.failed(1, BadAudio("no")) == []
    assert adapter.failed(1, BadAudio("again")) == ()
    assert adapter.receive("c") == []
    assert adapter.event(0, Ended()) == [Send("bad audio: no"), Close(1000)]


def test_who_waits_for_nothing_is_not_told_why_the_server_ends() -> None:
    assert FakeAdapter().failed(None, ShuttingDown()) == [Close(1000)]
    adapter = FakeAdapter()
    adapter.receive("a")
    assert len(adapter.failed(None, ShuttingDown())) == 2


def test_a_connection_that_is_over_does_not_begin_to_end() -> None:
    adapter = FakeAdapter()
    adapter.receive("end")
    with pytest.raises(RuntimeError, match="expected OPEN or ENDING before ENDING, but it is OVER"):
        adapter._end()
