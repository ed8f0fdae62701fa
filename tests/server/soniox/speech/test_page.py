"""docs/soniox-speech.md says every error of this socket with its code and type, and nothing that is never told."""

from collections.abc import Iterator
from typing import Any

from dragoman.models import errors as model_errors
from dragoman.pipeline.audio import errors as audio_errors
from dragoman.server import failures
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.models import SPEECH_MODELS
from dragoman.server.protocols.soniox.speech.formats import NAMES, RATES_HZ
from dragoman.server.protocols.soniox.speech.voices import GENDERS
from tests.server.soniox.speech.talk import CONFIG, Talk
from tests.test_docs import SAMPLES, code_spans, is_rendering, page, rows

ELSEWHERE = (
    failures.BadMessage,
    audio_errors.AudioError,
    model_errors.NoRecognizer,
    model_errors.NoTranslator,
    model_errors.UnknownVoice,
    model_errors.VoiceMismatch,
)
"""Of what is heard or translated, and of voices that are replaced."""

BY_REST = ["text is missing", "body is not JSON: it is nested too deeply", "invalid request: Expected str in text"]
CONVERSATIONS: list[list[Any]] = [
    ["{"],
    [{}],
    [{"stream_id": "s", "text": "x" * 70_000}],
    [{"stream_id": "s", "text": "x"}],
    [{"stream_id": "s", "cancel": "x"}],
    [CONFIG, CONFIG],
    [CONFIG, {"stream_id": "s", "text": 1}],
    [CONFIG, {"stream_id": "s", "text": "A.", "text_end": True}, {"stream_id": "s", "text": "B."}],
    [CONFIG, *({"stream_id": "s", "text": f"{'word ' * 900}end. A"} for _ in range(3))],
    [{**CONFIG, "stream_id": f"{number}"} for number in range(6)],
    *(
        [{**CONFIG, **fields}]
        for fields in (
            {"model": None},
            {"model": "x"},
            {"model": 1},
            {"audio_format": None},
            {"audio_format": "x"},
            {"sample_rate": 1},
            {"bitrate": 1},
            {"language": "cy"},
            {"api_key": "wrong"},
        )
    ),
]


def told() -> Iterator[tuple[int, str, str]]:
    """Every error that there is, as far as it can be made here."""
    for sample in SAMPLES:
        if not isinstance(sample, ELSEWHERE):
            yield error_of(sample)
    for text in (
        *BY_REST,
        "language 'qq' is not a supported language code",
        "text cannot be spoken: no such sounds",
        "the API key came in a header and as a subprotocol: send it once",
    ):
        yield error_of(failures.BadMessage(text, failures.Fault.SETUP))
    for text in ("unknown, expired or already used", "for transcribe_websocket, not for tts_rt"):
        yield error_of(failures.AuthenticationFailed(f"temporary API key is {text}"))
    for messages in CONVERSATIONS:
        talk = Talk()
        answers = [answer for message in messages for answer in talk.send(message)]
        (found,) = (answer for answer in answers if "error_code" in answer)
        yield found["error_code"], found["error_type"], found["error_message"]
    talk = Talk(Grant(5.0))
    talk.open()
    talk.text("Hello.", end=True)
    found, _ = talk.failed(0, failures.SessionTooLong(5.0))
    yield found["error_code"], found["error_type"], found["error_message"]


def test_every_error_is_documented_with_its_code_and_type() -> None:
    elsewhere = ("token is", "origin", "host")
    errors = [error for error in told() if not error[2].startswith(elsewhere)]
    documented = [cells for cells in rows(page("soniox-speech.md")) if len(cells) == 4 and cells[0].isdigit()]
    patterns = [(int(code), code_spans(kind)[0], code_spans(message)[0]) for code, kind, message, _ in documented]

    def fits(error: tuple[int, str, str], pattern: tuple[int, str, str]) -> bool:
        return error[:2] == pattern[:2] and is_rendering(error[2], pattern[2])

    assert [error for error in errors if not any(fits(error, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fits(error, pattern) for error in errors)] == []


def test_the_page_names_what_there_is() -> None:
    text = " ".join(page("soniox-speech.md").split())
    assert all(f"`{name}`" in text for name in (*NAMES, *SPEECH_MODELS))
    assert all(f"{rate}" in text for rate in RATES_HZ)
    assert all(name.title() in text for name in GENDERS)
