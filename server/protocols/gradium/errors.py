"""Which code and text a failure gets on this wire. The WebSocket close code equals the error's code."""

from dragoman.models.errors import RouteError, UnknownVoice
from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault, MessageTooLarge, OutputNotRead, TooManySessions, quoted

PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
POLICY = 1008
TOO_LARGE = 1009
SERVER_FAULT = 1011
GOING_AWAY = 1001

_FAULTS = {
    Fault.SYNTAX: POLICY,
    Fault.SETUP: POLICY,
    Fault.AUDIO: POLICY,
    Fault.MODEL: UNSUPPORTED,
    Fault.ORDER: PROTOCOL_ERROR,
}
_CODES = ((MessageTooLarge, TOO_LARGE), (TooManySessions, POLICY), (OutputNotRead, SERVER_FAULT))


def error_of(error: Exception) -> tuple[int, str]:
    """Code and message for what ended a request.

    Clients retry on 1011, so only what may pass by itself gets it; everything that the client must change, and every
    limit, is 1008. An unknown voice is 1011 with the vendor's own words, because clients look for them.
    """
    if isinstance(error, BadMessage):
        return _FAULTS[error.kind], str(error)
    if isinstance(error, UnknownVoice):
        return SERVER_FAULT, f"Embeddings not found for {quoted(error.voice_id)}"
    return wire.answer(error, _CODES, clients=POLICY, ours=SERVER_FAULT), str(error)


def lasting_error_of(error: Exception) -> tuple[int, str]:
    """As `error_of`, for the sockets of recognition and synthesis, whose clients try again on all codes but two: what
    nobody installed here stays so."""
    code, message = error_of(error)
    return (UNSUPPORTED if isinstance(error, RouteError) else code), message
