"""Sockets of the vendor that are not served."""

import json
from typing import Any

import pytest

from dragoman.server.commands import Close, Send
from dragoman.server.failures import AuthenticationFailed, IdleTooLong, ShuttingDown
from dragoman.server.protocols.gradium.unserved import UnservedAdapter

PATH = "/api/speech/tts"
TEXT = f"{PATH} is not served here; use speech/s2s"


def answer(message: Any) -> dict[str, Any]:
    """What comes back for the first message, right before the Close."""
    adapter = UnservedAdapter(PATH)
    sent, close = adapter.receive(adapter.parse(message if isinstance(message, str | bytes) else json.dumps(message)))
    assert isinstance(sent, Send)
    assert sent.error == 1003
    assert close == Close(1003, TEXT)
    assert adapter.receive(adapter.parse("{}")) == adapter.failed(None, IdleTooLong(5)) == (), "nothing follows"
    told: dict[str, Any] = json.loads(sent.data)
    return told


@pytest.mark.parametrize(
    "message",
    [
        {"type": "setup", "model_name": "stt-translate", "voice_id": "x" * 16, "client_req_id": "r-1"},
        {"type": "setup", "json_config": "{", "client_req_id": "r-1"},
        {"type": "text", "text": "hi", "client_req_id": "r-1"},
        {"type": "audio", "audio": "AAAA", "client_req_id": "r-1"},
        {"type": "end_of_stream", "client_req_id": "r-1"},
        {"type": "flush", "flush_id": 1, "client_req_id": "r-1"},
    ],
)
def test_the_answer_names_the_request_as_far_as_it_is_known(message: dict[str, Any]) -> None:
    told = answer(message)
    assert (told["message"], told["code"]) == (TEXT, 1003)
    # What is no message of speech to speech is not looked into.
    assert told.get("client_req_id") == ("r-1" if message["type"] != "text" else None)


@pytest.mark.parametrize("message", ["", "{", "[]", b"\0", {}, {"type": "setup"}, {"type": "setup", "client_req_id": 1},
                                     {"type": "setup", "client_req_id": "x" * 300}])  # fmt: skip
def test_without_an_id_there_is_none(message: Any) -> None:
    assert answer(message) == {"type": "error", "message": TEXT, "code": 1003}


def test_a_client_that_says_nothing_is_told_soon() -> None:
    adapter = UnservedAdapter(PATH)
    assert adapter.patience_s() == 5.0
    sent, close = adapter.failed(None, IdleTooLong(5.0))
    assert isinstance(sent, Send)
    assert json.loads(sent.data)["message"] == TEXT
    assert close == Close(1003, TEXT)


@pytest.mark.parametrize(
    ("error", "code"), [(AuthenticationFailed("API key is missing"), 1008), (ShuttingDown(), 1011)]
)
def test_who_may_not_come_in_is_told_that(error: Exception, code: int) -> None:
    sent, close = UnservedAdapter(PATH).failed(None, error)
    assert isinstance(sent, Send)
    assert json.loads(sent.data) == {"type": "error", "message": str(error), "code": code}
    assert close == Close(code, str(error))
