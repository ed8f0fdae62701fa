"""Why the server ends a session or a connection, as one tree; adapters turn each into their vendor's error.

    Failure
    ├── AuthenticationFailed   no key, a wrong key, or a token that is spent
    ├── BadMessage             the client broke the protocol: `kind`
    ├── MessageTooLarge        one message, or what is no audio in it, over the limit: `limit_bytes`
    ├── TooManySessions        no room, on this server or for one key: `limit`, `retry_after_s`
    ├── SessionTooLong         the session reached its length: `limit_s`
    ├── IdleTooLong            no message for too long: `limit_s`
    ├── OutputNotRead          the client does not read what it is sent: `waiting`
    ├── NotReady               engines are still being loaded, or could not be: `retry_after_s`
    │   └── StateAway          what the fronts share cannot be reached
    ├── ShuttingDown           the server is ending
    └── InternalError          a fault of ours; the log has it under the session's id

What the floors below raise (AudioError, ModelError) reaches adapters as it is. All of them say whose fault they are:
`clients_fault`, if only the client can change it, by sending or asking for something else; and `may_pass`, if the same
may succeed a little later.
"""

from enum import Enum, auto

QUOTED_CHARACTERS = 64


def quoted(text: str) -> str:
    """A client's own text, as much of it as goes back to the client or into the log."""
    return text[:QUOTED_CHARACTERS]


class Failure(Exception):
    """Base; the message is one sentence for the client."""

    clients_fault = False
    may_pass = False


class AuthenticationFailed(Failure):
    """The connection may not be used."""

    clients_fault = True


class Fault(Enum):
    """What kind of protocol break a BadMessage is."""

    SYNTAX = auto()
    """Not what the wire format allows; the connection cannot be understood any more."""
    SETUP = auto()
    """A field of a request has a value that cannot be."""
    MODEL = auto()
    """The named model does not exist, or cannot do what is asked of it."""
    ORDER = auto()
    """A valid message at the wrong time, or for a request that does not exist."""
    AUDIO = auto()
    """Audio that cannot be read from its message."""


class BadMessage(Failure):
    """The client broke the protocol."""

    clients_fault = True

    def __init__(self, message: str, kind: Fault = Fault.SYNTAX) -> None:
        self.kind = kind
        super().__init__(message)


class MessageTooLarge(Failure):
    """One message was over the limit; with `without_audio` it was what is no audio in it."""

    clients_fault = True

    def __init__(self, limit_bytes: int, *, without_audio: bool = False) -> None:
        self.limit_bytes = limit_bytes
        self.without_audio = without_audio
        super().__init__(f"message is larger than {limit_bytes} bytes{' without audio' if without_audio else ''}")


class TooManySessions(Failure):
    """The server is full, or one key has as many sessions as it may have (`of_key`)."""

    may_pass = True

    def __init__(self, limit: int, retry_after_s: float = 10.0, *, of_key: bool = False) -> None:
        self.limit = limit
        self.retry_after_s = retry_after_s
        whose = " of one API key" if of_key else ""
        super().__init__(f"concurrency limit of {limit} sessions{whose} reached; try again in {retry_after_s:g} s")


class SessionTooLong(Failure):
    """The session reached its longest allowed length."""

    clients_fault = True

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(f"session reached its limit of {limit_s:g} s")


class IdleTooLong(Failure):
    """The client said nothing for too long."""

    clients_fault = True

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(f"no message for {limit_s:g} s")


class OutputNotRead(Failure):
    """Output piled up because the client does not read it; `waiting` says how much, as `more than 300 s of audio`."""

    clients_fault = True

    def __init__(self, waiting: str) -> None:
        self.waiting = waiting
        super().__init__(f"{waiting} wait to be read by the client")


class NotReady(Failure):
    """The engines are not there (yet)."""

    may_pass = True

    def __init__(self, reason: str, retry_after_s: float = 5.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"server is not ready: {reason}; try again in {retry_after_s:g} s")


class StateAway(NotReady):
    """What the fronts share cannot be reached, so what needs it cannot be done now; everything else goes on."""

    def __init__(self) -> None:
        super().__init__("what its fronts share cannot be reached")


class ShuttingDown(Failure):
    """The server is ending."""

    may_pass = True

    def __init__(self) -> None:
        super().__init__("server is shutting down")


class InternalError(Failure):
    """Something broke that should not have."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        super().__init__(f"internal error in session {session_id}")
