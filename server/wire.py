"""What the vendors' adapters share: JSON and base64 within bounds, whose fault an error is, plain defaults.

Nobody knows what is in a message before it was read, and whoever sends one may have made it to be expensive: millions
of empty lists, nesting without end, names of a megabyte. So its size is looked at first. What is no audio in it is
small (`limits.control_bytes`); only audio as base64 may make it larger, and then everything else is passed over without
being built until it is known that the audio alone is large (`check_size`). What comes back to the client, or is kept,
is bounded field by field (`Id`).
"""

import binascii
import codecs
import contextlib
import re
from collections.abc import Hashable, Sequence
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from dragoman.models.errors import ModelError
from dragoman.server.commands import Command, Key, Output
from dragoman.server.failures import BadMessage, MessageTooLarge

CONTROL_BYTES = 65_536
"""What is no audio in one message, where nobody has set another limit."""
MAX_ID = 256
"""Characters of an id, of a name, or of whatever else a client chooses and gets back."""
Id = Annotated[str, msgspec.Meta(max_length=MAX_ID)]

MAX_CONTAINERS = 4_096
"""Lists and objects in one message. Many more would keep the garbage collector busy, however small the message is."""

_TOLD = 200
"""Characters of what a library says of a fault; it may quote the client."""
_CLOSE_BYTES = 123
_MARK = "\ufeff"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}")
_BLANKS = b" \t\r\n\v\f"

T = TypeVar("T")


class NotJson(ValueError):
    """What was sent is no JSON; the message says why, in a few plain words."""


class WrongKind(NotJson):
    """It is JSON, but not of the kind that was wanted; the message names the field."""


class Carrier(Protocol):
    """A message that carries audio as base64, with nothing looked at but where the audio stands."""

    def sound(self) -> msgspec.Raw:
        """The audio as it stands in the message, quotation marks included; whatever else stands there is none."""
        ...


_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode(text: str | bytes, decoder: msgspec.json.Decoder[T] = _ANY) -> T:
    """Read JSON; a byte order mark in front of it means nothing. Raises NotJson or WrongKind."""
    # Brackets within texts count too; nobody writes so many.
    opening = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    if sum(map(text.count, opening)) > MAX_CONTAINERS:  # type: ignore[arg-type]
        raise NotJson(f"it has more than {MAX_CONTAINERS} lists and objects")
    return scan(text, decoder)


def scan(text: str | bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The same for JSON of which nothing is built, whatever stands in it: `decoder` knows Raw only."""
    mark = _MARK if isinstance(text, str) else codecs.BOM_UTF8
    if text[: len(mark)] == mark:
        text = text[len(mark) :]
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise WrongKind(_plain(error)) from error
    except msgspec.DecodeError as error:
        raise NotJson(_plain(error)) from error
    except RecursionError as error:
        raise NotJson("it is nested too deeply") from error
    except UnicodeError as error:
        raise NotJson("it is not UTF-8") from error


def convert(value: object, kind: type[T]) -> T:
    """What `decode` read, as a value of this kind. Raises WrongKind."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise WrongKind(_plain(error)) from error


def check_size(frame: str | bytes, limit_bytes: int, carrier: msgspec.json.Decoder[Any] | None = None) -> None:
    """Refuse a message that has more than `limit_bytes` without its audio, before anything of it is built.

    Letters that are escaped (`\\u0939`) count as they would stand there otherwise: many clients write all beyond ASCII
    so, and may say as much in Hindi as in English. `carrier` reads the one Carrier that may be larger with its audio;
    None: there is none. Raises MessageTooLarge, and NotJson where a large message is no JSON.
    """
    if 4 * len(frame) <= limit_bytes:
        return
    data = frame if isinstance(frame, bytes) else frame.encode(errors="surrogatepass")
    size = len(data)
    if size <= limit_bytes or (size <= 2 * limit_bytes and size - _escaped(data) <= limit_bytes):
        return
    if carrier is not None:
        with contextlib.suppress(WrongKind):  # another kind of message may not be large
            size -= len(memoryview(scan(frame, carrier).sound()))
    if size > limit_bytes:
        raise MessageTooLarge(limit_bytes, without_audio=True)


def read_object(
    frame: str | bytes, limit_bytes: int, carrier: msgspec.json.Decoder[Any] | None = None
) -> dict[str, Any]:
    """A message that is a JSON object, within the bounds of `check_size`.

    Raises MessageTooLarge, and BadMessage that says in plain words what it is instead.
    """
    try:
        check_size(frame, limit_bytes, carrier)
        fields: Any = decode(frame)
    except NotJson as error:
        raise BadMessage(f"message is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessage("message is not a JSON object")
    return fields


def encode_base64(data: bytes) -> str:
    """Standard alphabet, padded, no line breaks."""
    return binascii.b2a_base64(data, newline=False).decode()


def decode_base64(text: str) -> bytes:
    """Decode base64; the URL-safe alphabet, missing padding and line breaks are understood too. Raises ValueError."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        data = text.encode("ascii").translate(_URL_SAFE, _BLANKS).rstrip(b"=")
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4), strict_mode=True)


def close_reason(text: str) -> str:
    """A close frame holds at most 123 bytes of UTF-8 (RFC 6455, 5.5)."""
    return text.encode()[:_CLOSE_BYTES].decode(errors="ignore")


def answer(
    error: Exception,
    table: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], T]],
    *,
    clients: T,
    ours: T,
    later: T | None = None,
) -> T:
    """What a vendor's table says of an error. What is not in it is `clients` where the client is at fault, and `later`
    (as `ours` where that is None) where the same may succeed soon.

    Everything that nobody knows is `ours`: a client that is told so tries again, and one that is told to change its
    request would look for a mistake that it has not made.
    """
    for kinds, told in table:
        if isinstance(error, kinds):
            return told
    if getattr(error, "clients_fault", False):
        return clients
    return later if later is not None and getattr(error, "may_pass", False) else ours


class BaseAdapter:
    """What most of an adapter's methods are where its wire has nothing of the kind.

    `control_bytes` is the operator's `limits.control_bytes`.
    """

    def __init__(self, control_bytes: int = CONTROL_BYTES) -> None:
        self._control_bytes = control_bytes

    def admitted(self, grant: object) -> Sequence[Command | Output]:
        """No message of this wire brings a key."""
        del grant
        return ()

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """Nothing is said about it."""
        del key, session_id
        return ()

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """There are no texts on this wire."""
        del key, text_id, error
        return ()

    def patience_s(self) -> float | None:
        """As long as the operator lets it."""
        return None


def _plain(error: Exception) -> str:
    """msgspec names the place as `$.field`; clients know the field."""
    return str(error)[:_TOLD].replace("`", "").replace(" - at $.", " in ").replace(" - at $", "")


def _escaped(data: bytes) -> int:
    """By how many bytes escapes make a message longer: six of them stand for three at most."""
    return 3 * len(_ESCAPE.findall(data.replace(b"\\\\", b"")))
