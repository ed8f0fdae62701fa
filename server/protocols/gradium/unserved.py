"""The vendor's sockets that are not served here. Who opens one is told so in a form that its client shows."""

from collections.abc import Sequence

from dragoman.server.commands import Close, Command, Key, Output, Send
from dragoman.server.failures import IdleTooLong
from dragoman.server.protocols.gradium.errors import UNSUPPORTED, error_of
from dragoman.server.protocols.gradium.messages import Error
from dragoman.server.protocols.gradium.parsing import parse
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

PATIENCE_S = 5.0
"""A client that says nothing is told after this long."""


class UnservedAdapter(BaseAdapter):
    """server.commands.Adapter for such a socket: its first message, usually a setup, gets the answer.

    The code is 1003, on which no client of the vendor's tries again, and the answer names the request.
    """

    protocol = "gradium"

    def __init__(self, path: str, control_bytes: int = CONTROL_BYTES) -> None:
        super().__init__(control_bytes)
        self._text = f"{path} is not served here; use speech/s2s"
        self._over = False

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Answer the first message, whatever it is."""
        return self._answer(getattr(parsed, "client_req_id", None))

    def event(self, key: Key, event: object) -> Sequence[Output]:
        """There are no sessions."""
        del key, event
        return ()

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why the connection ends: as a rule because nothing is here."""
        del key
        return self._answer(None) if isinstance(error, IdleTooLong) else self._tell(*error_of(error), None)

    def patience_s(self) -> float | None:
        """Not long."""
        return PATIENCE_S

    def _answer(self, client_req_id: str | None) -> Sequence[Output]:
        return self._tell(UNSUPPORTED, self._text, client_req_id)

    def _tell(self, code: int, text: str, client_req_id: str | None) -> Sequence[Output]:
        if self._over:
            return ()
        self._over = True
        error = Error(message=text, code=code, client_req_id=client_req_id)
        return [Send(error.to_json(), error=code), Close(code, close_reason(text))]
