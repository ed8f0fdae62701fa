"""What a start message asks for, and what is told where it cannot be."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soniox.types.api import RealtimeSTTHeaderFormat, RealtimeSTTRawFormat

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import Container, Encoding
from dragoman.server.commands import Open
from dragoman.server.protocols.soniox.endpoints import Endpoints
from dragoman.server.protocols.soniox.formats import FILES, RAW, input_format
from tests.server.soniox.wire import LISTEN, START, adapter, error_in, opened, send


def test_the_least() -> None:
    command = opened(adapter())
    assert command.input_format.encoding is Encoding.S16LE
    assert (command.input_format.rate_hz, command.input_format.channels) == (16_000, 1)
    assert command.output_format is None
    assert (command.source, command.targets, command.candidates, command.keywords) == (None, (), frozenset(), ())
    assert (command.locks_language, command.partials, command.listen) == (False, True, None)
    assert command.limit_s == 300 * 60


def test_everything() -> None:
    command = opened(
        adapter(),
        model="stt-rt-preview",
        language_hints=["en", "fr"],
        language_hints_strict=True,
        context={
            "general": [{"key": "domain", "value": "Health"}],
            "text": "A visit",
            "terms": ["Zyrtec", " Zyrtec", "𝐙𝐲𝐫𝐭𝐞𝐜", "", "Celebrex", "Cafe\u0301"],
            "translation_terms": [{"source": "stro\u00adke", "target": "i\u0301ctus"}],
            "more": 1,
        },
        enable_speaker_diarization=True,
        enable_language_identification=True,
        enable_endpoint_detection=True,
        max_endpoint_delay_ms=1_000,
        endpoint_sensitivity=-1.0,
        endpoint_latency_adjustment_level=0,
        enable_non_final_tokens=False,
        max_non_final_tokens_duration_ms=700,
        client_reference_id="x" * 256,
        translation={"type": "two_way", "language_a": "en", "language_b": "es"},
        unheard_of=[1],
    )
    assert command.candidates == {"en", "es", "fr"}
    assert command.keywords == ("Zyrtec", "Celebrex", "Café")
    assert command.targets == (TargetWish(by_source={"en": "es", "es": "en"}, speaks=False, terms={"stroke": "íctus"}),)
    assert not command.partials
    assert command.listen is not None
    assert (command.listen.end_silence_ms, command.listen.long_end_silence_ms) == (1_000, 1_000)
    assert command.listen.threshold == LISTEN.threshold


@pytest.mark.parametrize("context", ["names: Zyrtec", {}, {"general": {"a": "b"}, "translation_terms": {"a": "b"}}])
def test_contexts_of_older_clients(context: Any) -> None:
    assert opened(adapter(), context=context).keywords == ()


def test_null_counts_as_absent() -> None:
    fields = dict.fromkeys(["language_hints", "context", "translation", "enable_endpoint_detection", "api_key"])
    assert opened(adapter(), **fields) == opened(adapter())


def test_every_format_of_the_sdk_has_a_decoder() -> None:
    named = {*get_args(RealtimeSTTHeaderFormat), *get_args(RealtimeSTTRawFormat), "auto"}
    assert named <= {*FILES, *RAW}
    for name in named:
        make_decoder(input_format(name, 44_100, 2)).close()
    assert opened(adapter(), audio_format="auto").input_format.container is Container.ANY
    assert opened(adapter(), audio_format="pcm_s8be").input_format.encoding is Encoding.S8
    law = opened(adapter(), audio_format="mulaw", sample_rate=11_025, num_channels=3).input_format
    assert (law.encoding, law.rate_hz, law.channels) == (Encoding.ULAW, 11_025, 3)
    flac = {"model": "stt-rt-v3", "audio_format": "flac"}
    assert isinstance(send(adapter(), flac)[0], Open)


LONG = {"terms": ["a" * 6_000], "text": "b" * 4_001}


@pytest.mark.parametrize(
    ("fields", "kind", "named"),
    [
        ({"model": None}, "invalid_request", "model is missing"),
        ({"model": "stt-rt-v2"}, "model_not_available", "unknown model 'stt-rt-v2': use one of stt-rt-v6"),
        ({"model": 5}, "invalid_request", "in model"),
        ({"audio_format": None}, "invalid_request", "audio_format is missing"),
        ({"audio_format": "s16le"}, "invalid_request", "unsupported audio_format 's16le': use one of aac"),
        ({"audio_format": 1}, "invalid_request", "in audio_format"),
        ({"sample_rate": None}, "invalid_request", "sample_rate must be given for pcm_s16le"),
        ({"sample_rate": 10}, "invalid_request", "sample_rate must be"),
        ({"sample_rate": "16000"}, "invalid_request", "in sample_rate"),
        ({"num_channels": None}, "invalid_request", "num_channels must be given for pcm_s16le"),
        ({"num_channels": 0}, "invalid_request", "num_channels must be"),
        ({"language_hints": ["en", "english"]}, "invalid_request", "language_hints holds 'english'"),
        ({"language_hints": ["en", "es", "en"]}, "invalid_request", "language_hints holds en twice"),
        ({"language_hints": "en"}, "invalid_request", "in language_hints"),
        ({"language_hints_strict": "yes"}, "invalid_request", "in language_hints_strict"),
        ({"context": "x" * 10_001}, "invalid_request", "context is longer than 10000 characters"),
        ({"context": LONG}, "invalid_request", "context is longer than 10000 characters"),
        ({"context": ["x"]}, "invalid_request", "in context"),
        ({"context": {"terms": "x"}}, "invalid_request", "in terms"),
        ({"context": {"general": [{"key": "a"}]}}, "invalid_request", "general"),
        ({"enable_speaker_diarization": 1}, "invalid_request", "in enable_speaker_diarization"),
        ({"max_endpoint_delay_ms": 499}, "invalid_request", "max_endpoint_delay_ms must be from 500 to 3000"),
        ({"max_endpoint_delay_ms": 3_001}, "invalid_request", "max_endpoint_delay_ms must be from 500 to 3000"),
        ({"endpoint_sensitivity": 1.5}, "invalid_request", "endpoint_sensitivity must be from -1 to 1"),
        ({"endpoint_latency_adjustment_level": 4}, "invalid_request", "adjustment_level must be from 0 to 3"),
        ({"model": "stt-rt-v4", "endpoint_sensitivity": 0}, "invalid_request", "endpoint_sensitivity is not supported"),
        (
            {"model": "stt-rt-v3", "endpoint_latency_adjustment_level": 1},
            "invalid_request",
            "endpoint_latency_adjustment_level is not supported by the model stt-rt-v3",
        ),
        ({"client_reference_id": "x" * 257}, "invalid_request", "client_reference_id is longer than 256 characters"),
        ({"translation": "es"}, "invalid_request", "translation must be an object"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], kind: str, named: str) -> None:
    code, found, text = error_in(send(adapter(), {**START, **fields}))
    assert (code, found) == (400, kind)
    assert named in text


@pytest.mark.parametrize(
    ("endpoints", "pause_ms"),
    [
        (Endpoints(), 800),
        (Endpoints(500), 200),
        (Endpoints(3_000), 1_200),
        (Endpoints(2_000, -1.0), 2_000),
        (Endpoints(2_000, -0.5), 1_400),
        (Endpoints(2_000, 1.0), 400),
        (Endpoints(2_000, 0.0, 1), 680),
        (Endpoints(2_000, 0.0, 3), 440),
        (Endpoints(500, 1.0, 3), 200),
    ],
)
def test_how_long_a_pause_is(endpoints: Endpoints, pause_ms: int) -> None:
    assert endpoints.pause_ms == pause_ms


@given(st.integers(500, 3_000), st.floats(-1, 1), st.integers(0, 3))
def test_a_pause_is_never_longer_than_the_delay(delay_ms: int, sensitivity: float, level: int) -> None:
    endpoints = Endpoints(delay_ms, sensitivity, level)
    assert 200 <= endpoints.pause_ms <= delay_ms
    assert Endpoints(delay_ms, min(1.0, sensitivity + 0.1), level).pause_ms <= endpoints.pause_ms
    assert Endpoints(delay_ms, sensitivity, min(3, level + 1)).pause_ms <= endpoints.pause_ms
    assert endpoints.listening(LISTEN).end_silence_ms == endpoints.pause_ms


def test_endpoint_settings_mean_nothing_without_endpoints() -> None:
    assert opened(adapter(), max_endpoint_delay_ms=900).listen is None


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
NAMES = ["model", "audio_format", "sample_rate", "num_channels", "language_hints", "context", "translation", "api_key",
         "enable_endpoint_detection", "endpoint_sensitivity", "client_reference_id"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=3))
def test_every_start_message_opens_a_session_or_is_refused(fields: dict[str, Any]) -> None:
    outputs = send(adapter(), {**START, **fields})
    if not isinstance(outputs[0], Open):
        assert error_in(outputs)[0] == 400
