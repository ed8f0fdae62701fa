"""A client of the speech socket that a test plays, without a socket."""

import base64
import json
from typing import Any

from sarvamai.core.pydantic_utilities import parse_obj_as
from sarvamai.types.audio_output import AudioOutput
from sarvamai.types.error_response import ErrorResponse
from sarvamai.types.event_response import EventResponse

from dragoman.pipeline.events import Event, Speech
from dragoman.server.commands import Close, Command, Finish, Open, Output, Say, Send
from dragoman.server.failures import BadMessage, Fault, NotReady
from dragoman.server.protocols.sarvam.speech.adapter import SpeechAdapter

CONFIG = {"target_language_code": "hi-IN", "speaker": "shubh", "output_audio_codec": "linear16"}


class FakeSpeakers:
    """Knows one voice; refuses one; is not ready for one."""

    def voice(self, name: str, language: str) -> str | None:
        if name == "refused":
            raise BadMessage("no such speaker", Fault.SETUP)
        if name == "early":
            raise NotReady("engines are being loaded")
        return name if name == "asha" else None


class Talk:
    """What a client says, and what comes of it."""

    def __init__(self, *, completes: bool = True, model: str | None = None) -> None:
        self.adapter = SpeechAdapter(FakeSpeakers(), completes=completes, model=model)
        self.commands: list[Command] = []
        self.closed: Close | None = None

    def send(self, kind: str, **data: Any) -> list[str]:
        return self.send_raw(json.dumps({"type": kind, "data": data} if data else {"type": kind}))

    def send_raw(self, frame: str | bytes) -> list[str]:
        return self.take(self.adapter.receive(self.adapter.parse(frame)))

    def config(self, **more: Any) -> list[str]:
        return self.send("config", **{**CONFIG, **more})

    def text(self, text: str) -> list[str]:
        return self.send("text", text=text)

    def event(self, key: int, *events: Event) -> list[str]:
        return [one for event in events for one in self.take(self.adapter.event(key, event))]

    def sound(self, key: int, data: bytes = b"ab") -> list[str]:
        return self.event(key, Speech(data, "hi", 0.0, 0.1, 0, 0.1, last=True))

    def take(self, outputs: Any) -> list[str]:
        """What is told, in short. Every message is one that the SDK understands."""
        told = []
        for output in outputs:
            if isinstance(output, Close):
                self.closed = output
            elif isinstance(output, Send):
                told.append(self._short(output))
            else:
                self.commands.append(output)
        return told

    @staticmethod
    def _short(output: Output) -> str:
        assert isinstance(output, Send)
        message = json.loads(output.data)
        parsed: Any = parse_obj_as(AudioOutput | ErrorResponse | EventResponse, message)  # type: ignore[arg-type]
        assert parsed.dict(exclude_none=True) == message
        data = message["data"]
        assert (message["type"] == "error") == (output.error is not None)
        if message["type"] == "audio":
            return f"{data['content_type']} {base64.b64decode(data['audio']).decode()}"
        return data["event_type"] if message["type"] == "event" else f"{data['code']} {data['message']}"

    @property
    def said(self) -> list[tuple[int, str]]:
        return [(one.key, one.given.text) for one in self.commands if isinstance(one, Say)]  # type: ignore[misc]

    @property
    def opened(self) -> list[Open]:
        return [one for one in self.commands if isinstance(one, Open)]

    @property
    def finished(self) -> list[Any]:
        return [one.key for one in self.commands if isinstance(one, Finish)]
