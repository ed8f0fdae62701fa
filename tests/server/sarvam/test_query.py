import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.settings import load_settings
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.sarvam.languages import CODES, code_of
from dragoman.server.protocols.sarvam.prompts import key_terms, terms_of
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, Codec, Mode, Options, Wire, parse_query

LISTEN = load_settings().listen


def translation(**query: str) -> Options:
    return parse_query(query, TRANSLATION, LISTEN)


def transcription(**query: str) -> Options:
    return parse_query({name.replace("language_code", "language-code"): value for name, value in query.items()},
                       TRANSCRIPTION, LISTEN)  # fmt: skip


def test_an_empty_address_has_the_defaults() -> None:
    options = translation()
    assert (options.model, options.mode, options.codec) == ("saaras:v3", Mode.TRANSLATE, Codec.WAV)
    assert (options.source, options.sample_rate_hz, options.keywords) == (None, None, ())
    assert (options.vad_signals, options.flushes) == (False, True)
    assert transcription().mode is Mode.TRANSCRIBE
    assert transcription().model == "saaras:v4"


def test_empty_parameters_and_unknown_ones_are_not_there() -> None:
    names = ["model", "mode", "sample_rate", "input_audio_codec", "vad_signals", "min_speech_frames", "keyterms"]
    assert translation(**dict.fromkeys(names, ""), telepathy="on") == translation()


@pytest.mark.parametrize(
    ("wire", "model", "mode", "is_served"),
    [
        (TRANSLATION, "saaras:v2.5", "", True),
        (TRANSLATION, "saaras:v2.5", "translate", True),
        (TRANSLATION, "saaras:v2.5", "transcribe", False),
        (TRANSLATION, "saaras:v3", "codemix", True),
        (TRANSLATION, "saaras:v4", "", False),
        (TRANSCRIPTION, "saarika:v2.5", "transcribe", True),
        (TRANSCRIPTION, "saarika:v2.5", "translit", False),
        (TRANSCRIPTION, "saaras:v3", "verbatim", True),
        (TRANSCRIPTION, "saaras:v4", "translate", True),
        (TRANSCRIPTION, "saaras:v4", "sing", False),
        (TRANSCRIPTION, "bulbul:v2", "", False),
    ],
)
def test_models_and_their_modes(wire: Wire, model: str, mode: str, is_served: bool) -> None:
    query = {"model": model, "mode": mode}
    if is_served:
        options = parse_query(query, wire, LISTEN)
        assert (options.model, options.mode) == (model, mode or options.mode)
    else:
        with pytest.raises(BadMessage, match="mode"):
            parse_query(query, wire, LISTEN)


def test_a_language_may_be_named_where_the_socket_lets_one_be_named() -> None:
    assert transcription(language_code="hi-IN").source == "hi"
    assert transcription(language_code="od-IN").source == transcription(language_code="or-IN").source == "or"
    assert transcription(language_code="unknown").source is None
    assert parse_query({"language_code": "ta-IN"}, TRANSCRIPTION, LISTEN).source == "ta"
    assert parse_query({"language_code": "klingon"}, TRANSLATION, LISTEN).source is None
    with pytest.raises(BadMessage, match="language-code 'de-DE'"):
        transcription(language_code="de-DE")


def test_every_language_has_a_code_and_every_code_its_language() -> None:
    assert len(set(CODES.values())) == 23
    for code, language in CODES.items():
        assert code_of(language, odia=code if language == "or" else "od-IN") == code
    assert code_of("de") == "de"
    assert code_of("") is None


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_booleans_are_read_in_any_case(value: str, expected: bool) -> None:
    assert translation(vad_signals=value).vad_signals is expected
    assert translation(flush_signal=value).flushes is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_rate", "44100"),
        ("sample_rate", "16k"),
        ("input_audio_codec", "mp3"),
        ("vad_signals", "maybe"),
        ("flush_signal", "1"),
        ("keyterms", "Delhi, Agra"),
        ("keyterms", '{"a": 1}'),
        ("keyterms", json.dumps(["x"] * 51)),
        ("keyterm", json.dumps(["x" * 65])),
    ],
)
def test_wrong_values_are_told_by_name(name: str, value: str) -> None:
    with pytest.raises(BadMessage, match=name) as caught:
        translation(**{"keyterms" if name == "keyterm" else name: value})
    assert caught.value.kind is Fault.SETUP


def test_rates_and_codecs() -> None:
    assert translation(sample_rate="8000").sample_rate_hz == 8000
    assert translation(sample_rate="16000").sample_rate_hz == 16000
    assert {translation(input_audio_codec=codec).codec for codec in Codec} == set(Codec)


def test_terms_come_from_lists_and_prompts() -> None:
    assert key_terms('["New  Delhi", "Sarvam", "Sarvam", " "]') == ("New Delhi", "Sarvam")
    assert terms_of("Sarvam, New Delhi; Vistaar\n Sarvam ,") == ("Sarvam", "New Delhi", "Vistaar")
    assert terms_of("a call about a loan") == ("a call about a loan",)
    assert terms_of("") == ()
    assert terms_of("Cafe\u0301, 𝐒𝐚𝐫𝐯𝐚𝐦") == ("Café", "Sarvam")
    assert key_terms('["Cafe\u0301", "Sarvam\\u200b"]') == ("Café", "Sarvam")
    assert len(terms_of(",".join(map(str, range(5000))))) == 200


values: st.SearchStrategy[Any] = st.text(max_size=8) | st.sampled_from(
    ["saaras:v3", "translate", "8000", "wav", "true", "hi-IN", "[]", '["a"]', "unknown", "[" * 5000]
)
names = st.sampled_from(
    ["model", "mode", "sample_rate", "input_audio_codec", "vad_signals", "flush_signal", "language-code", "keyterms"]
)


@given(st.dictionaries(names, values), st.sampled_from([TRANSLATION, TRANSCRIPTION]))
def test_every_address_is_understood_or_refused_by_name(query: dict[str, str], wire: Wire) -> None:
    try:
        parse_query(query, wire, LISTEN)
    except BadMessage as error:
        assert error.kind in (Fault.SETUP, Fault.MODEL)
        assert any(name in str(error) for name in (*query, "keyterm"))
