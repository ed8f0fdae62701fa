"""How a client of the speech socket behaves, for the tests."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from dragoman.models.errors import NoVoice
from dragoman.pipeline.events import Event, Speech, Translated, Translation
from dragoman.server.commands import Admit, Close, Command, Output, Send
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.speech.adapter import SpeechAdapter
from dragoman.server.protocols.soniox.speech.voices import Choice
from dragoman.server.protocols.soniox.usage import Ledger

CONFIG: dict[str, Any] = {
    "stream_id": "s",
    "model": "tts-rt-v2",
    "language": "en",
    "voice": "Adrian",
    "audio_format": "pcm_s16le",
    "sample_rate": 16_000,
}
KEY = "the-key"


class FakeVoices:
    """Everybody speaks everything but Welsh, and Adrian is `adrian`."""

    def choose(self, name: str | None, language: str | None) -> Choice:
        if language == "cy":
            raise NoVoice("cy", "Install one")
        return Choice(language or "en", name.lower() if name is not None else None)


def admit(key: str | None) -> Grant:
    """Let KEY in."""
    if key != KEY:
        raise AuthenticationFailed("API key is not valid" if key is not None else "API key is missing")
    return Grant(owner="me")


class Talk:
    """A client and its adapter."""

    def __init__(self, grant: Grant | None = Grant(owner="me"), texts_bytes: int = 10_000) -> None:  # noqa: B008
        self.ledger = Ledger()
        self.adapter = SpeechAdapter(grant, FakeVoices(), self.ledger, "r", texts_bytes)
        self.commands: list[Command] = []
        self.closed: int | None = None
        self.asked: list[str | None] = []
        """The keys that were to be looked at."""

    def send(self, message: Any) -> list[dict[str, Any]]:
        """Send a message; what is answered, while commands are kept."""
        raw = message if isinstance(message, str | bytes) else json.dumps(message)
        return self.take(self.adapter.receive(self.adapter.parse(raw)))

    def open(self, stream_id: str = "s", **fields: Any) -> list[dict[str, Any]]:
        return self.send({**CONFIG, "stream_id": stream_id, **fields})

    def text(self, text: str, stream_id: str = "s", *, end: bool = False) -> list[dict[str, Any]]:
        return self.send({"stream_id": stream_id, "text": text, "text_end": end})

    def event(self, key: int, *events: Event) -> list[dict[str, Any]]:
        return [message for event in events for message in self.take(self.adapter.event(key, event))]

    def failed(self, key: int | None, error: Exception) -> list[dict[str, Any]]:
        return self.take(self.adapter.failed(key, error))

    def take(self, outputs: Sequence[Command | Output]) -> list[dict[str, Any]]:
        told = []
        for output in outputs:
            if isinstance(output, Close):
                self.closed = output.code
            elif isinstance(output, Admit):
                told += self._look_at(output.key)
            elif isinstance(output, Send):
                message = json.loads(output.data)
                check(message)
                assert output.error == message.get("error_code")
                told.append(message)
            else:
                self.commands.append(output)
        return told

    def _look_at(self, key: str | None) -> list[dict[str, Any]]:
        self.asked.append(key)
        try:
            return self.take(self.adapter.admitted(admit(key)))
        except AuthenticationFailed as error:
            return self.failed(None, error)


def check(message: dict[str, Any]) -> None:
    """What no client of this wire may be sent is not in the message."""
    assert None not in message.values()
    assert message.get("stream_id") != ""
    assert not (message.get("audio_end") and message.get("terminated"))
    if "audio" in message:
        base64.b64decode(message["audio"], validate=True)
        assert isinstance(message["audio_end"], bool)
    if "error_code" in message:
        assert set(message) - {"stream_id"} == {"error_code", "error_type", "error_message", "request_id"}
    if (found := message.get("timestamps")) is not None:
        assert len({len(entries) for entries in found.values()}) == 1


def spoken(number: int, text: str, start_s: float, stop_s: float, *, last: bool = True) -> list[Event]:
    """A clause of the text with the same number, and its audio."""
    said = Translation(text, "en", 0.0, 0.0, number, text_id=f"{number}")
    audio = bytes(2 * round(16_000 * (stop_s - start_s)))
    return [said, Translated(0, text_id=f"{number}"), Speech(audio, "en", start_s, stop_s, number, stop_s, last)]
