"""How a client of this wire behaves, for the tests: what it sends, and what it makes of what it is sent."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dragoman.config.settings import load_settings
from dragoman.server.commands import Admit, Close, Command, Open, Output, Send
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.credentials import Grant

START: dict[str, Any] = {
    "model": "stt-rt-v5",
    "audio_format": "pcm_s16le",
    "sample_rate": 16_000,
    "num_channels": 1,
}
"""The least that a start message holds."""
KEY = "the-key"
ANYBODY = Grant()
LISTEN = load_settings().listen
SIGNS = ("<end>", "<fin>")


def admit(key: str | None) -> Grant:
    """Let KEY in."""
    if key is None:
        raise AuthenticationFailed("API key is missing")
    if key != KEY:
        raise AuthenticationFailed("API key is not valid")
    return Grant()


def adapter(grant: Grant | None = ANYBODY) -> SonioxAdapter:
    """An adapter of a connection that came with a key, or (None) without."""
    return SonioxAdapter(grant, LISTEN, "r1")


def send(one: SonioxAdapter, message: str | bytes | Mapping[str, Any]) -> Sequence[Command | Output]:
    """What the adapter makes of a message."""
    return looked_at(one, one.receive(one.parse(message if isinstance(message, str | bytes) else json.dumps(message))))


def looked_at(one: SonioxAdapter, actions: Sequence[Command | Output]) -> Sequence[Command | Output]:
    """What comes of them once a connection has looked at the key that they want to be looked at, if they do."""
    if len(actions) != 1 or not isinstance(actions[0], Admit):
        return actions
    try:
        return one.admitted(admit(actions[0].key))
    except AuthenticationFailed as error:
        return one.failed(None, error)


def opened(one: SonioxAdapter, **fields: Any) -> Open:
    """Send a start message, which must open a session."""
    (command,) = send(one, {**START, **fields})
    assert isinstance(command, Open)
    assert not one.opened(command.key, "session")
    return command


def told(outputs: Iterable[Command | Output]) -> list[dict[str, Any]]:
    """The messages among what an adapter gave."""
    return [json.loads(output.data) for output in outputs if isinstance(output, Send)]


def error_in(outputs: Sequence[Command | Output]) -> tuple[int, str, str]:
    """The error, of which there must be exactly one, right before the Close."""
    *_, sent, close = outputs
    assert isinstance(sent, Send)
    assert close == Close(1000)
    (message,) = told(outputs)
    assert set(message) == {"tokens", "error_code", "error_type", "error_message", "request_id"}
    assert message["tokens"] == []
    assert message["request_id"]
    assert sent.error == message["error_code"]
    return message["error_code"], message["error_type"], message["error_message"]


class Replay:
    """Reads messages as a client does, and fails where one breaks a rule of the wire."""

    def __init__(self, *, translates: bool = True) -> None:
        self.finals: list[dict[str, Any]] = []
        self.non_finals: list[dict[str, Any]] = []
        self.signs: list[str] = []
        self.finished = False
        self.error: dict[str, Any] | None = None
        self._translates = translates
        self._final_ms = self._total_ms = 0

    def take(self, message: Mapping[str, Any]) -> None:
        """The next message."""
        assert not self.finished, "a message behind the last"
        assert self.error is None, "a message behind the error"
        assert None not in message.values()
        if "error_code" in message:
            self.error = dict(message)
            return
        assert set(message) <= {"tokens", "final_audio_proc_ms", "total_audio_proc_ms", "finished"}
        final_ms, total_ms = message["final_audio_proc_ms"], message["total_audio_proc_ms"]
        assert isinstance(final_ms, int)
        assert isinstance(total_ms, int)
        assert self._final_ms <= final_ms <= total_ms
        assert self._total_ms <= total_ms
        self._final_ms, self._total_ms = final_ms, total_ms
        self.non_finals = []
        for token in message["tokens"]:
            self._token(token)
        self.finished = message.get("finished", False)
        if self.finished:
            assert message["tokens"] == []
        if any(token["text"] == "<end>" for token in message["tokens"]):
            assert message["tokens"][-1]["text"] == "<end>"

    def _token(self, token: dict[str, Any]) -> None:
        assert None not in token.values()
        if token["text"] in SIGNS:
            assert token == {"text": token["text"], "is_final": True}
            if token["text"] == "<end>":
                assert not self.non_finals
                assert self.text("translation") or self.text("original") or self.text("none") or self.text(None)
            self.signs.append(token["text"])
            self.finals.append(token)
            return
        assert token["text"].strip()
        assert 0 <= token["confidence"] <= 1
        status = token.get("translation_status")
        assert (status is not None) == self._translates
        if status == "translation":
            assert token["is_final"]
            assert not {"start_ms", "end_ms"} & set(token)
            assert token["source_language"] != token["language"]
            assert any(
                spoken.get("translation_status") == "original" and spoken["language"] == token["source_language"]
                for spoken in self.finals
            ), "a translation before what it translates"
        else:
            assert "source_language" not in token
            assert 0 <= token["start_ms"] <= token["end_ms"]
        if token["is_final"]:
            assert not self.non_finals, "a final token behind one that is not"
            self.finals.append(token)
        else:
            self.non_finals.append(token)

    def text(self, status: str | None) -> str:
        """All final tokens of a status, one after another."""
        return "".join(
            token["text"]
            for token in self.finals
            if token["text"] not in SIGNS and token.get("translation_status") == status
        )

    @property
    def spoken(self) -> str:
        """Everything that was said."""
        return "".join(
            token["text"]
            for token in self.finals
            if token["text"] not in SIGNS and token.get("translation_status") != "translation"
        )

    @property
    def utterances(self) -> list[tuple[str, str]]:
        """What was said, and its translation, from sign to sign."""
        found = [("", "")]
        for token in self.finals:
            said, translated = found[-1]
            if token["text"] in SIGNS:
                found.append(("", ""))
            elif token.get("translation_status") == "translation":
                found[-1] = (said, translated + token["text"])
            else:
                found[-1] = (said + token["text"], translated)
        return [(said.strip(), translated.strip()) for said, translated in found]


def replay(messages: Iterable[Mapping[str, Any]], *, translates: bool = True) -> Replay:
    """A client that has read all these messages."""
    client = Replay(translates=translates)
    for message in messages:
        client.take(message)
    return client
