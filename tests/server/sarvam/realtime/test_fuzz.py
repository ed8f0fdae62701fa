"""Whatever a client sends and whatever happens, the adapter answers in its protocol and never raises."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sarvamai.core.pydantic_utilities import parse_obj_as
from sarvamai.types.realtime_config_updated import RealtimeConfigUpdated
from sarvamai.types.realtime_error import RealtimeError
from sarvamai.types.realtime_pong import RealtimePong
from sarvamai.types.realtime_session_begin import RealtimeSessionBegin
from sarvamai.types.realtime_session_begin_config import RealtimeSessionBeginConfig
from sarvamai.types.realtime_session_end import RealtimeSessionEnd
from sarvamai.types.realtime_transcript_final import RealtimeTranscriptFinal
from sarvamai.types.realtime_transcript_partial import RealtimeTranscriptPartial
from sarvamai.types.realtime_vad_speech_end import RealtimeVadSpeechEnd
from sarvamai.types.realtime_vad_speech_start import RealtimeVadSpeechStart

from dragoman.config.settings import load_settings
from dragoman.pipeline.events import Ended, Recognised, SpeechEnded, SpeechStarted, Transcript, Translated, Translation
from dragoman.server.commands import Close, Expect, Feed, Finish, FlushInput, Open, Send
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config

BASE = load_settings().listen
RESPONSES = {
    kind.model_fields["event"].default: kind
    for kind in (
        RealtimeConfigUpdated,
        RealtimeError,
        RealtimePong,
        RealtimeSessionBegin,
        RealtimeSessionEnd,
        RealtimeTranscriptFinal,
        RealtimeTranscriptPartial,
        RealtimeVadSpeechEnd,
        RealtimeVadSpeechStart,
    )
}
"""The SDK's own classes, by the name of the event."""


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
fields = st.dictionaries(
    st.sampled_from(["language_code", "prompt", "mode", "stream_type", "endpointing", "threshold", "audio"]),
    scalars | st.sampled_from(["auto", "hi-IN", "translate", "fast", "manual", "vad", "YWJj", 0.5, 100]),
    max_size=3,
)
events = ["audio_input", "speech_start", "speech_end", "flush", "config.update", "ping", "end", "sing"]
frames = (
    st.builds(lambda event, more: json.dumps({**more, "event": event}), st.sampled_from(events), fields)
    | st.text(max_size=10)
    | st.binary(max_size=10)
    | st.sampled_from(
        [
            {"event": "config.update", "prompt": "x, " * 30_000},
            {"event": "config.update", "threshold": [[]] * 30_000},
            {"event": "y" * 60_000},
            {"event": "ping", "novelty": "x" * 70_000},
        ]
    ).map(json.dumps)
)
seconds = st.floats(0, 50)
happenings: st.SearchStrategy[Any] = st.one_of(
    st.builds(SpeechStarted, seconds),
    st.builds(SpeechEnded, seconds),
    st.builds(
        Transcript, st.sampled_from(["", "hello", "नमस्ते"]), st.sampled_from(["en", "or", ""]), seconds, seconds,
        final=st.booleans(), segment_id=st.integers(0, 2), closes=st.booleans(),
        language_confidence=st.none() | st.floats(0, 1),
    ),
    st.builds(Translation, st.just("hi"), st.just("en"), seconds, seconds, st.just(0), segment_id=st.integers(0, 2)),
    st.builds(Translated, st.just(0), segment_id=st.integers(0, 2)),
    st.builds(Recognised, seconds, st.none() | st.integers(0, 3)),
    st.just(Ended()),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(frames | happenings, max_size=20), st.sampled_from(["vad", "manual"]), st.sampled_from(["", "translate"])
)
def test_every_conversation_stays_in_the_protocol(steps: list[Any], endpointing: str, mode: str) -> None:
    adapter = RealtimeAdapter(
        parse_config({"language_code": "auto", "endpointing": endpointing, "mode": mode}), BASE, lambda: 1.0
    )
    running: list[Any] = []
    for step in [Begin(), *steps]:
        if isinstance(step, str | bytes):
            outputs = adapter.receive(adapter.parse(step))
        elif isinstance(step, Begin):
            outputs = adapter.receive(step)
        elif running:
            outputs = adapter.event(running[0], step)
            if isinstance(step, Ended):
                running.pop(0)
        else:
            continue
        for output in outputs:
            if isinstance(output, Send):
                assert len(output.data) < 2000
                fields = json.loads(output.data)
                parse_obj_as(RESPONSES[fields["event"]], fields)
                assert set(fields) <= set(RESPONSES[fields["event"]].model_fields)
                assert set(fields.get("config", {})) <= set(RealtimeSessionBeginConfig.model_fields)
            elif isinstance(output, Open):
                running.append(output.key)
                assert len(adapter.opened(output.key, "id")) <= 1
            elif isinstance(output, Close):
                assert output.code == 1000
                return
            else:
                assert isinstance(output, Feed | FlushInput | Finish | Expect)
                assert output.key in running
