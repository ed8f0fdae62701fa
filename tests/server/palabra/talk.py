"""A client of the adapter and the connection around it, without a socket, an engine or a clock."""

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from dragoman.config.settings import load_settings
from dragoman.models.errors import ModelError
from dragoman.pipeline.events import Event, Speech, Transcript, Translated, Translation
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.server.commands import Close, Command, Open, Output, Say, Send
from dragoman.server.protocols.palabra.adapter import PalabraAdapter
from dragoman.server.protocols.palabra.job import Operator
from dragoman.server.protocols.palabra.stt import SttAdapter, parse_query
from dragoman.server.protocols.palabra.voices import Choice
from tests.fakes.hearing import FakeHearing

SETTINGS = load_settings()
OPERATOR = Operator(SETTINGS.listen, "quality")

Message = dict[str, Any]


class FakeAbilities:
    """Knows the voice `nice`; translates everything but into Welsh."""

    def voice(self, voice_id: str, language: str) -> Choice:
        if voice_id.startswith("default_"):
            return Choice(f"{language}-{voice_id}")
        return Choice("nice") if voice_id == "nice" else Choice(None, f"voice '{voice_id}' does not exist")

    def translates(self, source: str, target: str) -> bool:
        return "cy" not in (source, target)


def task(*targets: str, **changes: Any) -> dict[str, Any]:
    """A task as the SDK builds it."""
    built: dict[str, Any] = {
        "input_stream": {
            "content_type": "audio",
            "source": {"type": "ws", "format": "pcm_s16le", "sample_rate": 24000, "channels": 1},
        },
        "output_stream": {"content_type": "audio", "target": {"type": "ws", "format": "pcm_s16le"}},
        "pipeline": {
            "transcription": {"source_language": "en"},
            "translations": [{"target_language": code, "speech_generation": {}} for code in targets or ("es",)],
            "allowed_message_types": [
                "translated_transcription",
                "partial_transcription",
                "validated_transcription",
                "partial_translated_transcription",
            ],
        },
    }
    return built | changes


def text_task(*targets: str, types: tuple[str, ...] = ("translated_transcription",)) -> dict[str, Any]:
    """A task that takes text only, as the vendor's page shows it."""
    pipeline = {
        "transcription": None,
        "translations": [{"target_language": code, "speech_generation": {}} for code in targets or ("es",)],
        "allowed_message_types": list(types),
    }
    return task(input_stream=None, pipeline=pipeline)


def audio(data: bytes = bytes(960)) -> dict[str, str]:
    return {"data": base64.b64encode(data).decode()}


class Talk:
    """One connection. `refuse` is what the next session fails with instead of being opened."""

    def __init__(self, adapter: Any = None) -> None:
        self.now_s = 0.0
        self.adapter = adapter or PalabraAdapter(
            FakeAbilities(), OPERATOR, now=lambda: self.now_s, wall=lambda: 1_700_000_000.0
        )
        self.refuse: Exception | None = None
        self.commands: list[Command] = []
        self.closed: Close | None = None
        self.said: list[Any] = []
        self._hearings: defaultdict[Any, FakeHearing] = defaultdict(FakeHearing)

    def send(self, kind: str, data: Any = None) -> list[Message]:
        """Send a message of the client; what comes back. Commands are in `commands`."""
        return self.send_raw(json.dumps({"message_type": kind, "data": {} if data is None else data}))

    def send_raw(self, frame: str | bytes) -> list[Message]:
        self.commands = []
        told: list[Message] = []
        for output in self.adapter.receive(self.adapter.parse(frame)):
            if isinstance(output, Send | Close):
                told += self._told([output])
                continue
            self.commands.append(output)
            if isinstance(output, Open):
                refused, self.refuse = self.refuse, None
                adapter = self.adapter
                told += self._told(
                    adapter.failed(output.key, refused) if refused is not None else adapter.opened(output.key, "s")
                )
            elif isinstance(output, Say):
                self.said.append(output.given)
        return told

    def event(self, key: Any, *events: Event) -> list[Message]:
        """Something happens in a session; what the client is told."""
        return [
            message
            for event in events
            for message in self._told(self.adapter.event(key, self._hearings[key].told(event)))
        ]

    def fail(self, key: Any, error: Exception) -> list[Message]:
        return self._told(self.adapter.failed(key, error))

    def turn_down(self, key: Any, text_id: str, error: ModelError) -> list[Message]:
        """A text is refused."""
        return self._told(self.adapter.refused(key, text_id, error))

    def _told(self, outputs: Any) -> list[Message]:
        told = []
        for output in outputs:
            assert self.closed is None, "nothing may follow a close"
            if isinstance(output, Close):
                self.closed = output
            else:
                assert isinstance(output, Send)
                assert isinstance(output.data, str)
                message = json.loads(output.data)
                assert (message["message_type"] == "error") == (output.error is not None)
                told.append(message)
        return told

    def kinds(self) -> list[str]:
        return [type(command).__name__ for command in self.commands]


class Listening(SttAdapter):
    """The adapter, with transcripts as a session tells them."""

    def __init__(self, query: dict[str, str], latency: Latency = "quality") -> None:
        super().__init__(parse_query(query), latency)
        self._hearing = FakeHearing(POLICIES[latency])

    def event(self, key: Any, event: Event) -> Sequence[Output]:
        return super().event(key, self._hearing.told(event))


def heard(
    text: str, segment_id: int = 0, start_s: float = 0.0, *, language: str = "en", closes: bool = True
) -> Transcript:
    return Transcript(text, language, start_s, start_s + 1.0, segment_id=segment_id, complete=closes, closes=closes)


def supposed(text: str, start_s: float = 0.0) -> Transcript:
    return Transcript(text, "en", start_s, start_s + 1.0, final=False)


def translated(
    text: str,
    clause_id: int = 0,
    branch: int = 0,
    *,
    start_s: float = 0.0,
    length_s: float = 1.0,
    text_id: str | None = None,
) -> Translation:
    stop_s = start_s + length_s
    return Translation(text, "es", start_s, stop_s, clause_id, branch=branch, text_id=text_id, source="en")


def spoken(samples: int, clause_id: int = 0, branch: int = 0, *, last: bool = True) -> Speech:
    return Speech(bytes([1, 2]) * samples, "es", 0.0, 0.0, clause_id, 0.0, last, branch)


def done(text_id: str, branch: int = 0) -> Translated:
    return Translated(branch, text_id=text_id)


def error(message: Message) -> tuple[str, str]:
    assert message["message_type"] == "error"
    return message["data"]["code"], message["data"]["desc"]


def status(event: str, command: str = "set_task", task_status: str = "running") -> Message:
    return {
        "message_type": "task_status",
        "data": {"command": command, "event": event, "task_status": task_status},
    }


def opened(talk: Talk) -> Open:
    (command,) = (command for command in talk.commands if isinstance(command, Open))
    return command


def started(*targets: str, **changes: Any) -> Talk:
    talk = Talk()
    assert talk.send("set_task", task(*targets, **changes)) == [status("started")]
    return talk


def say(talk: Talk, text: str = "Hello.", language: str = "en", *, translate: bool = True) -> list[dict[str, Any]]:
    return talk.send("tts_task", {"text": text, "language": language, "translate_text": translate})
