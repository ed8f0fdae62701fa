"""Whatever a client of `speech/asr` sends, and whatever happens in its sessions, it is answered in the protocol."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.events import (
    Ended,
    Flushed,
    Listened,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.protocols.gradium.asr import AsrAdapter
from tests.server.gradium.fuzzing import Fuzzed, broken_or, formats, frames, ids, values
from tests.server.gradium.test_fuzz import inputs

TYPES = {"ready", "text", "end_text", "step", "flushed", "end_of_stream", "error"}
keys = st.sampled_from(
    ["language", "target_language", "source_language", "delay_in_frames", "delay_in_tokens", "temp", "padding_bonus",
     "keywords", "latency", "other"]
)  # fmt: skip
keywords = st.fixed_dictionaries({}, optional={"words": st.lists(st.text(max_size=9)) | values, "boost": values})
configs = values | st.dictionaries(keys, values | keywords | st.sampled_from(["es", "any", 10, 0.5]), max_size=6)
setups = st.fixed_dictionaries(
    {"type": st.just("setup")},
    optional={
        "model_name": st.sampled_from(["default", "stt-translate"]) | values,
        "input_format": formats,
        "json_config": configs | configs.map(json.dumps),
        "client_req_id": ids,
        "close_ws_on_eos": values,
    },
)
times = st.floats(0, 50)
happenings = broken_or(
    times.map(Listened),
    times.map(SpeechStarted),
    times.map(SpeechEnded),
    st.builds(Recognised, times, st.none() | st.tuples(st.integers())),
    st.builds(Transcript, st.text(max_size=9), st.sampled_from(["en", "zh"]), times, times, final=st.booleans()),
    st.builds(Translation, st.text(max_size=9), st.sampled_from(["fr", "ja"]), times, times, st.just(0)),
    st.builds(Translated, st.just(0), st.integers(0, 3)),
    st.builds(Flushed, st.tuples(st.integers() | st.none() | st.text(max_size=9))),
    st.builds(Ended, times),
)


def fuzzed() -> Fuzzed:
    return Fuzzed(AsrAdapter(), TYPES)


def assert_trimmed(one: Fuzzed) -> None:
    assert all(told["text"] == told["text"].strip() != "" for told in one.told if told["type"] == "text")


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    for command in fuzzed().set_up(setup):
        assert command.output_format is None
        assert len(command.keywords) <= 500


@settings(max_examples=200, deadline=None)
@given(frames)
def test_every_frame_is_answered(frame: str | bytes) -> None:
    fuzzed().receive(frame)


@settings(max_examples=300, deadline=None)
@given(st.lists(setups | inputs | happenings, max_size=25), st.data())
def test_every_conversation_stays_in_the_protocol(moves: list[Any], data: st.DataObject) -> None:
    one = fuzzed()
    one.converse(moves, data)
    assert_trimmed(one)
