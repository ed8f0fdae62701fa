"""One client of the vendor's speech-to-speech socket that notes when each message came.

Made to cost little: its messages are encoded beforehand, and of what it receives the audio is never decoded.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from bench.talk import CHUNK_S

PATIENCE_S = 120.0
"""How long the rest may take after the last chunk was sent."""

SETUP = {
    "type": "setup",
    "input_format": "pcm",
    "output_format": "pcm",
    "json_config": {"target_language": "es", "source_times": True},
}


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
    ended early. `began_s` is the first sample on this machine's monotonic clock.
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


async def converse(url: str, messages: Sequence[str], spoken_s: float, *, paced: bool = True) -> Conversation:
    """Speak `messages`, the audio messages of `spoken_s` seconds, to the server at `url`.

    With `paced`, each chunk leaves when its last sample would have been spoken; else all at once.
    """
    conversation = Conversation(spoken_s=spoken_s)
    endpoint = url.replace("http", "ws", 1) + "/api/speech/s2s"
    headers = {"x-api-key": "bench"}
    try:
        async with connect(
            endpoint, additional_headers=headers, compression=None, ping_interval=None, max_size=None
        ) as socket:
            await socket.send(json.dumps(SETUP))
            first = _decode(await socket.recv(decode=False))
            if first.type != "ready":
                conversation.failure = first.message or first.type
                return conversation
            conversation.began_s = monotonic()
            hearing = asyncio.create_task(_hear(socket, conversation))
            with suppress(ConnectionClosed):  # whoever hears knows why
                await _speak(socket, messages, conversation, paced=paced)
            await asyncio.wait_for(hearing, PATIENCE_S)
    except (OSError, TimeoutError, WebSocketException) as error:
        conversation.failure = conversation.failure or f"{type(error).__name__}: {error}"
    return conversation


async def _speak(socket: ClientConnection, messages: Sequence[str], conversation: Conversation, *, paced: bool) -> None:
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
