"""Whatever a client sends and whatever happens, the adapter answers in its protocol and never raises."""

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sarvamai.core.pydantic_utilities import parse_obj_as
from sarvamai.types.error_data import ErrorData
from sarvamai.types.events_data import EventsData
from sarvamai.types.speech_to_text_streaming_response import SpeechToTextStreamingResponse
from sarvamai.types.speech_to_text_transcription_data import SpeechToTextTranscriptionData
from sarvamai.types.speech_to_text_translate_streaming_response import SpeechToTextTranslateStreamingResponse
from sarvamai.types.speech_to_text_translate_transcription_data import SpeechToTextTranslateTranscriptionData

from dragoman.config.settings import load_settings
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import (
    Ended,
    Event,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Expect, Feed, Finish, FlushInput, Open, Send
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, Codec, Mode, Wire, parse_query
from tests.sdk.speech import as_wav, bursts

CLOSES = {1000, 1001, 1003, 1008, 1009, 1011, 4000}
SAMPLES = bursts(1, 16000, 0.02, 0.0)
# By whether the wire is the bare one of translation.
CLASSES = {
    True: {"data": SpeechToTextTranslateTranscriptionData, "error": ErrorData, "events": EventsData},
    False: {"data": SpeechToTextTranscriptionData, "error": ErrorData, "events": EventsData},
}
RESPONSES = {
    True: SpeechToTextTranslateStreamingResponse,
    False: SpeechToTextStreamingResponse,
}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
payloads = st.sampled_from(
    [
        as_wav(SAMPLES, 16000),
        as_wav(SAMPLES, 8000),
        as_wav(SAMPLES, 44100)[:60],
        as_wav(SAMPLES, 16000)[:20],
        SAMPLES.tobytes(),
        b"RIFF",
        b"RIFF\0\0\0\0AVI ",
        b"OggS" + bytes(30),
        b"",
    ]
) | st.binary(max_size=80)
encoded = payloads.map(lambda data: base64.b64encode(data).decode())
audio = st.fixed_dictionaries(
    {"audio": st.fixed_dictionaries({"data": encoded}, optional={"sample_rate": values, "encoding": values}) | values}
)
frames = (
    audio.map(json.dumps)
    | payloads
    | st.sampled_from(['{"type": "end_of_stream"}', '{"type": "end_of_stream", "audio": {"data": "AAAA"}}'])
    | st.sampled_from(['{"type": "flush"}', '{"type": "config", "prompt": "a, b"}', "{", "[]"])
    | st.dictionaries(st.sampled_from(["type", "audio", "prompt"]), values).map(json.dumps)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            {"type": "config", "prompt": "x, " * 30_000},
            {"type": "flush", "novelty": [[]] * 30_000},
            {"audio": {"data": "AAAA" * 30_000}},
            {"audio": {"data": "AAAA" * 30_000, "encoding": "x" * 70_000}},
        ]
    ).map(json.dumps)
)
seconds = st.floats(0, 100)
happenings: st.SearchStrategy[Event] = st.one_of(
    st.builds(SpeechStarted, seconds),
    st.builds(SpeechEnded, seconds),
    st.builds(
        Transcript,
        st.sampled_from(["", "hello", "नमस्ते", "மொழி"]),
        st.sampled_from(["en", "hi", "ta", "or", "zh", "de", ""]),
        seconds,
        seconds,
        final=st.booleans(),
        segment_id=st.integers(0, 3),
        closes=st.booleans(),
        language_confidence=st.none() | st.floats(0, 1),
    ),
    st.builds(
        Translation, st.just("hi"), st.just("en"), seconds, seconds, st.integers(0), segment_id=st.integers(0, 3)
    ),
    st.builds(Translated, st.just(0), segment_id=st.integers(0, 3)),
    st.builds(Recognised, seconds, st.none() | st.integers(0, 3)),
    st.just(Ended()),
)


def check(outputs: Any, wire: Wire) -> list[Any]:
    """Every output is one of the protocol's messages as the SDK understands it, a proper close, or a command."""
    commands = []
    for output in outputs:
        if isinstance(output, Send):
            assert isinstance(output.data, str)
            assert len(output.data) < 2000
            fields = json.loads(output.data)
            parsed = parse_obj_as(RESPONSES[wire.bare], fields)  # type: ignore[arg-type]
            assert type(parsed.data) is CLASSES[wire.bare][fields["type"]]
            assert (fields["type"] == "error") == (output.error is not None)
        elif isinstance(output, Close):
            assert output.code in CLOSES
            assert len(output.reason.encode()) <= 123
        else:
            assert isinstance(output, Open | Feed | FlushInput | Finish | Expect)
            commands.append(output)
    return commands


@settings(max_examples=300, deadline=None)
@given(
    st.lists(frames | happenings | st.just("failed"), max_size=20),
    st.sampled_from([TRANSLATION, TRANSCRIPTION]),
    st.sampled_from(Mode),
    st.sampled_from(Codec),
    st.booleans(),
)
def test_every_conversation_stays_in_the_protocol(
    steps: list[Any], wire: Wire, mode: Mode, codec: Codec, signals: bool
) -> None:
    query = {"model": "saaras:v3", "mode": mode, "input_audio_codec": codec, "vad_signals": str(signals)}
    adapter = SarvamAdapter(parse_query(query, wire, load_settings().listen), lambda: 1.0)
    running: list[Any] = []
    for step in steps:
        outputs: Any = ()
        if step == "failed":
            last = not running
            outputs = adapter.failed(running.pop() if running else None, BadAudio("no"))
            assert last or running or any(isinstance(output, Close) for output in outputs)
        elif isinstance(step, str | bytes):
            outputs = adapter.receive(adapter.parse(step))
        elif running:
            outputs = adapter.event(running[0], step)
            if isinstance(step, Ended):
                running.pop(0)
        for command in check(outputs, wire):
            if isinstance(command, Open):
                running.append(command.key)
                check(adapter.opened(command.key, "id"), wire)
            else:
                assert command.key in running
        if any(isinstance(output, Close) for output in outputs):
            return
