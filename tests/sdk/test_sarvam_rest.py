"""The REST calls of the official `sarvamai` client, sync and async, against a server with the scripted engines."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.pipeline.audio.formats import Container
from dragoman.testing import RunningServer, running_server
from tests.pipeline.audio.files import as_file
from tests.sdk.sarvam_client import run_sarvam
from tests.sdk.speech import as_wav, bursts

KINDS = ["sync", "async"]
SCRIPT = "@hi मेरा फ़ोन नंबर 42 है। | en: My phone number is 42.\n@hi नमस्ते | en: Hello\n"
TWO = as_wav(bursts(2, 16_000), 16_000)
MP3 = as_file(Container.MP3, (bursts(2, 16_000) / 32_768).astype(np.float32), 16_000)


@pytest.fixture(scope="module")
def hindi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which somebody says two sentences in Hindi."""
    script: Path = tmp_path_factory.mktemp("script") / "hindi.txt"
    script.write_text(SCRIPT, encoding="utf-8")
    with running_server(environment={"DRAGOMAN_ENGINES__SCRIPT": str(script)}) as server:
        yield server
        assert "Traceback" not in server.log()


def call(server: RunningServer, kind: str, *calls: tuple[str, dict[str, Any]], **more: Any) -> list[Any]:
    """What the calls give, without the ids of requests, which are there."""
    answers: list[Any] = run_sarvam("rest", url=server.url, calls=list(calls), kind=kind, **more)
    for answer in answers:
        if isinstance(answer, dict):
            assert answer.pop("request_id")
    return answers


@pytest.mark.parametrize("kind", KINDS)
def test_recordings(hindi: RunningServer, kind: str) -> None:
    plain, translated, latin, timed, english = call(
        hindi,
        kind,
        ("speech_to_text.transcribe", {"file": TWO}),
        ("speech_to_text.transcribe", {"file": TWO, "mode": "translate", "model": "saaras:v3"}),
        ("speech_to_text.transcribe", {"file": TWO, "mode": "translit", "language_code": "hi-IN"}),
        ("speech_to_text.transcribe", {"file": TWO, "with_timestamps": True, "keyterms": ["Delhi"]}),
        (
            "speech_to_text.translate",
            {"file": MP3, "prompt": "x"},
        ),
    )
    text = "मेरा फ़ोन नंबर 42 है। नमस्ते"
    assert plain == {
        "transcript": text, "language_code": "hi-IN", "language_probability": 1.0, "timestamps": None,
        "diarized_transcript": None,
    }  # fmt: skip
    assert translated["transcript"] == english["transcript"] == "My phone number is 42. Hello"
    assert (translated["language_code"], english["language_code"]) == ("hi-IN", "hi-IN")
    assert latin["transcript"] == "mera fon nambar 42 hai. namaste"
    assert latin["language_probability"] is None
    assert timed["timestamps"]["words"] == ["मेरा फ़ोन नंबर 42 है।", "नमस्ते"]
    assert len(timed["timestamps"]["start_time_seconds"]) == len(timed["timestamps"]["end_time_seconds"]) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_with_a_recording_is_said_once(hindi: RunningServer, kind: str) -> None:
    for answer, expected in zip(
        call(
            hindi,
            kind,
            ("speech_to_text.transcribe", {"file": b"no audio"}),
            ("speech_to_text.transcribe", {"file": TWO, "model": "whisper"}),
            ("speech_to_text.translate", {"file": b""}),
        ),
        [
            ("UnprocessableEntityError", 422, "unprocessable_entity_error"),
            ("BadRequestError", 400, "invalid_request_error"),
            ("UnprocessableEntityError", 422, "unprocessable_entity_error"),
        ],
        strict=True,
    ):
        name, status, body, asked = answer
        assert (name, status, body["error"]["code"], asked) == (*expected, 1)
        assert body["error"]["message"]
        assert body["error"]["request_id"]


@pytest.mark.parametrize("kind", KINDS)
def test_texts(hindi: RunningServer, kind: str) -> None:
    to_english = {"source_language_code": "auto", "target_language_code": "en-IN"}
    translated, roman, native, latin, language, nothing = call(
        hindi,
        kind,
        ("text.translate", {"input": "नमस्ते", **to_english}),
        ("text.translate", {"input": "नमस्ते", **to_english, "target_language_code": "ta-IN", "output_script": "roman"}),
        (
            "text.transliterate",
            {"input": "mera naam", "source_language_code": "en-IN", "target_language_code": "hi-IN"},
        ),
        ("text.transliterate", {"input": "मेरा नाम", **to_english, "spoken_form": True}),
        ("text.identify_language", {"input": "माझे नाव राहुल आहे"}),
        ("text.identify_language", {"input": "42"}),
    )
    assert translated == {"translated_text": "Hello", "source_language_code": "hi-IN"}
    assert roman["translated_text"] == "[ta] namaste"
    assert native == {"transliterated_text": "मेरा नाम", "source_language_code": "en-IN"}
    assert latin == {"transliterated_text": "mera nam", "source_language_code": "hi-IN"}
    assert language == {"language_code": "mr-IN", "script_code": "Deva"}
    assert nothing == {"language_code": None, "script_code": None}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_with_a_text_is_said_once(hindi: RunningServer, kind: str) -> None:
    pair = {"source_language_code": "en-IN", "target_language_code": "hi-IN"}
    long, unknown, unserved = call(
        hindi,
        kind,
        ("text.translate", {"input": "x" * 1_001, **pair}),
        ("text.translate", {"input": "x", **pair, "target_language_code": "xx-IN"}),
        ("text.translate", {"input": "x", **pair, "target_language_code": "ml-IN"}),
    )
    for answer in (long, unknown, unserved):
        name, status, body, asked = answer
        assert (name, status, body["error"]["code"], asked) == ("BadRequestError", 400, "invalid_request_error", 1)
    assert "no translator for en→ml" in unserved[2]["error"]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key(kind: str) -> None:
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret-one"}) as server:
        ((name, status, body, asked),) = call(server, kind, ("speech_to_text.transcribe", {"file": TWO}), key="wrong")
        assert (name, status, asked) == ("ForbiddenError", 403, 1)
        assert body["error"]["code"] == "invalid_api_key_error"
        (found,) = call(server, kind, ("speech_to_text.transcribe", {"file": TWO}), key="secret-one")
        assert found["transcript"] == "Good morning. How are you today?"
        assert "secret" not in server.log()


@pytest.mark.parametrize("kind", KINDS)
def test_jobs_are_refused_once(hindi: RunningServer, kind: str) -> None:
    """They would be repeated on a status of 5xx."""
    names = ("speech_to_text_job.create_job", "speech_to_text_translate_job.create_job")
    for answer in call(hindi, kind, *((name, {}) for name in names)):
        _, status, body, asked = answer
        assert (status, body["error"]["code"], asked) == (404, "not_found_error", 1)
        assert "is not served by this server" in body["error"]["message"]
