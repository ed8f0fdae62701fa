"""The vendor's page says what its sockets say."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from dragoman.config.settings import load_settings
from dragoman.models import errors as model_errors
from dragoman.pipeline.audio import errors as audio_errors
from dragoman.server import failures
from dragoman.server.commands import Close, Send
from dragoman.server.failures import BadMessage
from dragoman.server.protocols.sarvam import errors, vad
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, Codec, Mode, parse_query
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config
from tests.test_docs import SAMPLES, code_spans, is_rendering, page, rows

PAGE = page("sarvam.md")
LISTEN = load_settings().listen
Told = tuple[str, str, str]
"""Code, close code or a dash, message."""

NEVER_HERE = (
    failures.AuthenticationFailed,  # told by the status of the upgrade
    BadMessage,  # those of this wire are below
    model_errors.NoVoice,  # nobody speaks on this wire
    model_errors.UnknownVoice,
    model_errors.VoiceMismatch,
    audio_errors.UnsupportedFormat,
)
QUERIES = [
    {"model": "huge"},
    {"mode": "sing"},
    {"model": "saaras:v2.5", "mode": "translit"},
    {"vad_signals": "1"},
    {"min_speech_frames": "x"},
    {"positive_speech_threshold": "2"},
    {"start_speech_volume_threshold": "3"},
    {"negative_frames_count": "3", "negative_frames_window": "2"},
    {"keyterms": "{"},
    {"keyterms": json.dumps(["x"] * 51)},
    {"keyterms": json.dumps(["x" * 65])},
]
FRAMES: list[str | bytes] = [
    "{",
    "[]",
    "{}",
    '{"type": "config", "prompt": 1}',
    b"\0\0",
    '{"audio": 1}',
    '{"audio": {}}',
    '{"audio": {"data": "%"}}',
    json.dumps({"type": "config", "prompt": "x" * 70_000}),
    json.dumps({"audio": {"data": base64.b64encode(b"RIFF\0\0\0\0AVI LIST").decode()}}),
]
REALTIME_FRAMES: list[dict[str, Any]] = [
    {"event": "sing"},
    {"event": "flush"},
    {"event": "audio_input", "audio": "%"},
    {"event": "config.update", "stream_type": "simulated"},
    {"event": "config.update", "prompt": [1]},
]


def told_by_samples() -> Iterator[Told]:
    for sample in SAMPLES:
        if not isinstance(sample, NEVER_HERE):
            found = errors.told(sample)
            yield found.code, str(found.close), found.message


def told_to_wrong_addresses() -> Iterator[Told]:
    wrong: list[BadMessage] = []
    for query in QUERIES:
        try:
            parse_query(query, TRANSLATION, LISTEN)
        except BadMessage as error:
            wrong.append(error)
    for realtime in ({}, {"language_code": "auto", "threshold": "x"}):
        try:
            parse_config(realtime)
        except BadMessage as error:
            wrong.append(error)
    try:
        parse_query({"language-code": "xx"}, TRANSCRIPTION, LISTEN)
    except BadMessage as error:
        wrong.append(error)
    assert len(wrong) == len(QUERIES) + 3
    for error in wrong:
        found = errors.told(error)
        yield found.code, str(found.close), found.message


def told_to_broken_clients() -> Iterator[Told]:
    for frame in FRAMES:
        adapter = SarvamAdapter(parse_query({}, TRANSLATION, LISTEN))
        sent, *close = adapter.receive(adapter.parse(frame))
        assert isinstance(sent, Send)
        data = json.loads(sent.data)["data"]
        yield data["code"], str(close[0].code) if close and isinstance(close[0], Close) else "–", data["error"]
    for message in REALTIME_FRAMES:
        realtime = RealtimeAdapter(parse_config({"language_code": "auto"}), LISTEN)
        realtime.receive(Begin())
        (sent,) = realtime.receive(realtime.parse(json.dumps(message)))
        assert isinstance(sent, Send)
        data = json.loads(sent.data)
        yield data["code"], "–", data["message"]


def documented() -> list[Told]:
    table = [cells for cells in rows(PAGE.split("## Errors")[1]) if len(cells) == 4 and code_spans(cells[0])]
    return [(code_spans(code)[0], close, code_spans(message)[0]) for code, close, message, _ in table]


def test_every_error_is_documented_with_its_code_and_close() -> None:
    told = [*told_by_samples(), *told_to_wrong_addresses(), *told_to_broken_clients()]
    patterns = documented()

    def fits(one: Told, pattern: Told) -> bool:
        return one[:2] == pattern[:2] and is_rendering(one[2], pattern[2])

    assert [one for one in told if not any(fits(one, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fits(one, pattern) for one in told)] == []


def test_every_parameter_mode_and_codec_is_documented() -> None:
    first = {code_spans(cells[0])[0] for cells in rows(PAGE) if code_spans(cells[0])}
    assert first >= set(Mode)
    assert first >= {
        "model", "mode", "sample_rate", "high_vad_sensitivity", "positive_speech_threshold",
        "negative_speech_threshold", "min_speech_frames", "first_turn_min_speech_frames", "negative_frames_count",
        "negative_frames_window", "start_speech_volume_threshold", "interrupt_min_speech_frames",
        "pre_speech_pad_frames", "num_initial_ignored_frames", "vad_signals", "flush_signal", "input_audio_codec",
        "keyterms", "language-code",
    }  # fmt: skip
    assert all(f"`{codec}`" in PAGE for codec in Codec)
    for wire in (TRANSLATION, TRANSCRIPTION):
        assert all(f"`{model}`" in PAGE for model in wire.models)


def test_the_documented_defaults_are_those_of_the_code() -> None:
    said = {code_spans(cells[0])[0]: cells[1] for cells in rows(PAGE) if len(cells) == 2 and code_spans(cells[0])}
    expected = {
        "positive_speech_threshold": LISTEN.threshold,
        "negative_speech_threshold": LISTEN.negative_threshold,
        "min_speech_frames": LISTEN.min_speech_ms / vad.FRAME_MS,
        "negative_frames_count": LISTEN.end_silence_ms / vad.FRAME_MS,
        "negative_frames_window": vad.WINDOW,
        "pre_speech_pad_frames": LISTEN.pre_speech_ms / vad.FRAME_MS,
        "num_initial_ignored_frames": LISTEN.ignore_start_ms / vad.FRAME_MS,
    }
    for name, value in expected.items():
        found = re.search(r": ([\d.]*\d)", said[name])
        assert found is not None, name
        assert float(found[1]) == value, name
    assert f"Counts go up to {vad.MAX_FRAMES} frames, padding up to {vad.MAX_PAD_FRAMES}" in PAGE


def test_the_documented_client_is_set_up_as_the_tests_do() -> None:
    example = PAGE.split("```python")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["client"]._client_wrapper.get_environment().production == "ws://127.0.0.1:8000"
