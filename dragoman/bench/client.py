"""One client of the vendor's speech-to-speech socket that notes when each message came.

Made to cost little: of what it receives the audio is never decoded.
"""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from dragoman.bench.talk import CHUNK_S

PATIENCE_S = 120.0
"""How long the rest may take after the last chunk was sent; for what was sent at once also as long as it is."""

INPUT_FORMAT = "pcm"
OUTPUT_FORMAT = "pcm"


class SessionFailed(RuntimeError):
    """A session that should have worked did not; the message says why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for. `latency` empty: as the server is set; `source` empty: the server finds out."""

    target: str = "es"
    source: str = ""
    latency: str = ""
    voice_id: str = ""
    key: str = "bench"

    def setup(self) -> str:
        """The setup message."""
        config: dict[str, object] = {"target_language": self.target, "source_times": True}
        config |= {"source_language": self.source} if self.source else {}
        config |= {"latency": self.latency} if self.latency else {}
        voice = {"voice_id": self.voice_id} if self.voice_id else {}
        formats = {"input_format": INPUT_FORMAT, "output_format": OUTPUT_FORMAT}
        return json.dumps({"type": "setup", **formats, **voice, "json_config": config})


SPANISH = Wish()


class Message(msgspec.Struct):
    """What is read of a server message. `start_s` and `stop_s` are on the output clock, source times on the input's."""

    type: str
    text: str = ""
    start_s: float = 0.0
    stop_s: float = 0.0
    source_start_s: float | None = None
    source_stop_s: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message and when it came, in seconds from the moment the stream's first sample was spoken."""

    at_s: float
    message: Message


@dataclass(slots=True)
class Conversation:
    """One session as its client saw it. Times are seconds from the first spoken sample.

    `spoken_s` is the length of what was sent, `finished_s` when `end_of_stream` was sent, `ended_s` when the server's
    came; `latest_s` is by how much the latest chunk left too late. `failure` tells why there was no session, or why it
    ended early. `began_s` is the first sample on this machine's monotonic clock; 0 where there was no session.
    """

    began_s: float = 0.0
    spoken_s: float = 0.0
    finished_s: float = 0.0
    ended_s: float = 0.0
    latest_s: float = 0.0
    failure: str = ""
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def last_sound_s(self) -> float:
        """When the last audio came; when `end_of_stream` was sent if there was none later."""
        sounds = [arrival.at_s for arrival in self.arrivals if arrival.message.type == "audio"]
        return max([self.finished_s, *sounds[-1:]])


_decode = msgspec.json.Decoder(Message).decode


def endpoint_of(url: str) -> str:
    """The socket's address for a base URL as clients take it, with or without `/api`. Raises ValueError."""
    scheme, rest = url.split("://", 1) if "://" in url else ("http", url)
    kinds = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
    if scheme not in kinds or not urlsplit(f"//{rest}").hostname:
        raise ValueError(f"'{url}' is no address of a server: give one like http://127.0.0.1:8000")
    return f"{kinds[scheme]}://{rest.rstrip('/').removesuffix('/api')}/api/speech/s2s"


async def converse(
    url: str, messages: Iterable[str], spoken_s: float, *, paced: bool = True, wish: Wish = SPANISH
) -> Conversation:
    """Speak `messages`, the audio messages of `spoken_s` seconds, to the server at `url`.

    With `paced`, each chunk leaves when its last sample would have been spoken; else all at once.
    """
    conversation = Conversation(spoken_s=spoken_s)
    headers = {"x-api-key": wish.key}
    try:
        async with connect(
            endpoint_of(url), additional_headers=headers, compression=None, ping_interval=None, max_size=None
        ) as socket:
            await socket.send(wish.setup())
            first = _decode(await asyncio.wait_for(socket.recv(decode=False), PATIENCE_S))
            if first.type != "ready":
                conversation.failure = first.message or first.type
                return conversation
            conversation.began_s = monotonic()
            hearing = asyncio.create_task(_hear(socket, conversation))
            with suppress(ConnectionClosed):  # whoever hears knows why
                await _speak(socket, messages, conversation, paced=paced)
            await asyncio.wait_for(hearing, PATIENCE_S + (0.0 if paced else spoken_s))
    except (OSError, TimeoutError, WebSocketException, msgspec.DecodeError) as error:
        conversation.failure = conversation.failure or f"{type(error).__name__}: {error}"
    return conversation


async def _speak(socket: ClientConnection, messages: Iterable[str], conversation: Conversation, *, paced: bool) -> None:
    began_s = conversation.began_s
    for number, message in enumerate(messages):
        if paced and number:
            # The first chunk leaves at once: its first sample was spoken one chunk before, which is time zero.
            due_s = began_s + number * CHUNK_S
            await asyncio.sleep(max(0.0, due_s - monotonic()))
            conversation.latest_s = max(conversation.latest_s, monotonic() - due_s)
        await socket.send(message, text=True)
    await socket.send('{"type":"end_of_stream"}')
    conversation.finished_s = monotonic() - began_s + CHUNK_S


async def _hear(socket: ClientConnection, conversation: Conversation) -> None:
    zero_s = conversation.began_s - CHUNK_S
    with suppress(ConnectionClosed):
        async for data in socket:
            at_s = monotonic() - zero_s
            message = _decode(data)
            if message.type == "error":
                conversation.failure = message.message
            elif message.type == "end_of_stream":
                conversation.ended_s = at_s
            else:
                conversation.arrivals.append(Arrival(at_s, message))
    if not conversation.ended_s and not conversation.failure:
        conversation.failure = "closed before its end"
