"""docs/soniox.md says every error with its code and type, and nothing that is never told."""

from collections.abc import Iterator
from typing import Any

from dragoman.models import errors as model_errors
from dragoman.server import failures
from dragoman.server.protocols.soniox.adapter import SILENCE_S, START_S, STREAM_S
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.endpoints import DEFAULT_DELAY_MS, EAGERNESS, PATIENCE, SHORTEST_MS, STEP
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.formats import FILES
from dragoman.server.protocols.soniox.models import MODELS
from tests.server.soniox.wire import KEY, START, adapter, error_in, opened, send
from tests.test_docs import SAMPLES, code_spans, is_rendering, page, rows

ELSEWHERE = (failures.IdleTooLong, model_errors.NoVoice, model_errors.UnknownVoice, model_errors.VoiceMismatch)
"""Told in other words, or about voices, of which this wire has none."""

TRANSLATION = {"type": "one_way", "target_language": "es"}
STARTS: list[tuple[Grant | None, Any]] = [
    (None, START),
    (None, {**START, "api_key": "wrong"}),
    (Grant(), {**START, "api_key": KEY}),
    (Grant(), b"audio"),
    (Grant(), ""),
    (Grant(), "{"),
    (Grant(), "&"),
    (Grant(), {**START, "novelty": "x" * 70_000}),
    *(
        (Grant(), {**START, **fields})
        for fields in (
            {"model": None},
            {"model": "x"},
            {"model": 1},
            {"audio_format": None},
            {"audio_format": "x"},
            {"sample_rate": 0},
            {"num_channels": 0},
            {"language_hints": ["x"]},
            {"language_hints": ["en", "en"]},
            {"context": "x" * 10_001},
            {"context": {"terms": 1}},
            {"client_reference_id": "x" * 257},
            {"max_endpoint_delay_ms": 1},
            {"endpoint_sensitivity": 2},
            {"endpoint_latency_adjustment_level": 9},
            {"model": "stt-rt-v4", "endpoint_sensitivity": 0.5},
            {"translation": 1},
            {"translation": {"type": 1}},
            {"translation": {}},
        )
    ),
]
"""First messages that are answered with an error."""
LATER = ["{}", '{"type": "x"}', ""]
"""Messages behind a start that are."""


def told() -> Iterator[tuple[int, str, str]]:
    """Every error that there is, as far as it can be made here."""
    for sample in SAMPLES:
        if not isinstance(sample, (*ELSEWHERE, failures.BadMessage)):
            yield error_of(sample)
    twice = "the API key came in a header and as a subprotocol: send it once"
    yield error_of(failures.BadMessage(twice, failures.Fault.SETUP))
    for text in ("unknown, expired or already used", "for tts_rt, not for transcribe_websocket"):
        yield error_of(failures.AuthenticationFailed(f"temporary API key is {text}"))
    for grant, message in STARTS:
        yield error_in(send(adapter(grant), message))
    for message in LATER:
        one = adapter()
        opened(one)
        yield error_in(send(one, message)[1:])
    yield error_in(adapter().failed(None, failures.IdleTooLong(20)))
    one = adapter(Grant(5.0))
    opened(one)
    yield error_in(one.failed("stream", failures.SessionTooLong(5.0)))
    one = adapter()
    opened(one)
    yield error_in(one.failed(None, failures.IdleTooLong(20)))


def documented() -> list[tuple[int, str, str]]:
    found = [cells for cells in rows(page("soniox.md")) if len(cells) == 4 and cells[0].isdigit()]
    return [(int(code), code_spans(kind)[0], code_spans(message)[0]) for code, kind, message, _ in found]


def test_every_error_is_documented_with_its_code_and_type() -> None:
    errors, patterns = list(told()), documented()

    def known(error: tuple[int, str, str]) -> bool:
        return any(error[:2] == found[:2] and is_rendering(error[2], found[2]) for found in patterns)

    assert [error for error in errors if not known(error)] == []
    unused = [
        found
        for found in patterns
        if not any(error[:2] == found[:2] and is_rendering(error[2], found[2]) for error in errors)
    ]
    assert unused == []


def test_the_page_has_the_figures_of_the_code() -> None:
    text = " ".join(page("soniox.md").split())
    assert f"{PATIENCE:.0%}".replace("%", " %") + f" of it ({DEFAULT_DELAY_MS * PATIENCE:g} ms of the default" in text
    assert f"the default {DEFAULT_DELAY_MS})" in text
    assert f"down to {EAGERNESS * 100:g} %" in text
    assert f"less {STEP * 100:g} % for each" in text
    assert f"never under {SHORTEST_MS} ms" in text
    assert f"A stream lasts {STREAM_S / 60:g} minutes" in text
    assert f"for {SILENCE_S:g} s (or" in text
    assert f"started {START_S:g} s after" in text
    assert all(f"`{name}`" in text for name in (*FILES, *MODELS))
