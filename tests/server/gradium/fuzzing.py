"""What the fuzzers of this vendor's sockets share: values for fields, and a connection that looks at every answer."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended
from dragoman.server.commands import Abort, Close, Feed, Finish, FlushInput, Open, Say, Send

CODES = {1000, 1001, 1002, 1003, 1008, 1009, 1011}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
ids = st.none() | st.sampled_from(["a", "b", "c", "", "x" * 256, "x" * 257, "x" * 70_000, 10**255, 10**300]) | scalars
formats = st.sampled_from(["pcm", "wav", "opus", "pcm_8000", "ulaw_8000", " pcm ", "mp3"]) | values
frames = st.text() | st.binary() | values.map(json.dumps)


def broken_or(*happenings: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of these events, or a session's failure."""
    return st.one_of(*happenings, st.just(BadAudio("no")))


class Fuzzed:
    """An adapter whose every output has to be one of its socket's messages, a proper close, or a command."""

    def __init__(self, adapter: Any, types: set[str], *, says: bool = False) -> None:
        self.adapter = adapter
        self._types = types
        self._commands = Open | (Say if says else Feed) | FlushInput | Finish | Abort
        self._running: list[Any] = []
        self.told: list[dict[str, Any]] = []

    def receive(self, frame: str | bytes) -> list[Any]:
        """Send a frame; the commands that come of it."""
        return self.check(self.adapter.receive(self.adapter.parse(frame)))

    def set_up(self, setup: dict[str, Any]) -> list[Any]:
        """Send a setup as the first message: it opens a session or is refused, and not both."""
        commands = self.receive(json.dumps(setup))
        assert len(commands) + len(self.told) == 1
        return commands

    def converse(
        self, moves: Iterable[Any], data: st.DataObject, other: Callable[[Any], None] = lambda _: None
    ) -> None:
        """Messages (dicts) and what happens in the sessions, until the socket closes; `other` gets numbers."""
        for move in moves:
            outputs: Any = ()
            if isinstance(move, float):
                other(move)
            elif isinstance(move, dict):
                outputs = self.adapter.receive(self.adapter.parse(json.dumps(move)))
                self._carry_out(self.check(outputs))
            elif self._running:
                key = data.draw(st.sampled_from(self._running))
                outputs = (
                    self.adapter.failed(key, move) if isinstance(move, BadAudio) else self.adapter.event(key, move)
                )
                self.check(outputs)
                if isinstance(move, Ended | BadAudio):
                    self._running.remove(key)
            if any(isinstance(output, Close) for output in outputs):
                return

    def check(self, outputs: Any) -> list[Any]:
        """Look at each; gives the commands."""
        commands = []
        for output in outputs:
            if isinstance(output, Send):
                self._check_message(output)
            elif isinstance(output, Close):
                assert output.code in CODES
                assert len(output.reason.encode()) <= 123
            else:
                assert isinstance(output, self._commands)
                commands.append(output)
        return commands

    def _check_message(self, output: Send) -> None:
        assert isinstance(output.data, str)
        assert len(output.data) < 2000
        fields = json.loads(output.data)
        self.told.append(fields)
        assert fields["type"] in self._types
        assert None not in fields.values()
        assert (output.error is not None) == (fields["type"] == "error")
        if fields["type"] == "error":
            assert fields["code"] in CODES
            assert output.error == fields["code"]
            assert len(fields["message"]) < 1000

    def _carry_out(self, commands: list[Any]) -> None:
        for command in commands:
            if isinstance(command, Open):
                self._running.append(command.key)
                self.check(self.adapter.opened(command.key, "id"))
                continue
            assert command.key in self._running
            if isinstance(command, Abort):
                self._running.remove(command.key)
