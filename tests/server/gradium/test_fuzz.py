"""Whatever a client sends, the adapter answers in its protocol and never raises."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.events import Ended, Flushed, Speech, Translation
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from tests.server.gradium.fuzzing import Fuzzed, broken_or, formats, frames, ids, values

SERVER_TYPES = {"ready", "text", "audio", "flushed", "end_of_stream", "error"}

config_keys = st.sampled_from(
    [
        "target_language",
        "language",
        "source_language",
        "temp",
        "cfg_coef",
        "padding_bonus",
        "keywords",
        "source_times",
        "latency",
        "delay_in_frames",
        "rewrite_rules",
        "other",
    ]
)
configs = values | st.dictionaries(config_keys, values | st.sampled_from(["es", "pt-BR", "any", 0.5, 1]), max_size=5)
setups = st.fixed_dictionaries(
    {"type": st.just("setup")},
    optional={
        "model_name": st.sampled_from(["default", "s2s-translate"]) | values,
        "input_format": formats,
        "output_format": formats,
        "voice_id": values | st.sampled_from(["x" * 257, "x" * 70_000]),
        "json_config": configs | configs.map(json.dumps),
        "client_req_id": ids,
        "close_ws_on_eos": values,
        "retry_for_s": values,
    },
)
inputs = st.fixed_dictionaries(
    {"type": st.sampled_from(["audio", "end_of_stream", "flush", "telepathy"])},
    optional={"audio": st.sampled_from(["", "YWJj", "&"]) | values, "client_req_id": ids, "flush_id": values},
)


happenings = broken_or(
    st.just(Translation("hola", "es", 0.0, 1.0, 0)),
    st.just(Speech(b"ab", "es", 0.0, 1.0, 0, 1.0, last=True)),
    st.just(Flushed("f")),
    st.just(Ended()),
)


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    Fuzzed(GradiumAdapter(), SERVER_TYPES).set_up(setup)


@settings(max_examples=200, deadline=None)
@given(frames)
def test_every_frame_is_answered(frame: str | bytes) -> None:
    Fuzzed(GradiumAdapter(), SERVER_TYPES).receive(frame)


@settings(max_examples=200, deadline=None)
@given(st.lists(setups | inputs | happenings, max_size=15), st.data())
def test_every_conversation_stays_in_the_protocol(moves: list[Any], data: st.DataObject) -> None:
    Fuzzed(GradiumAdapter(), SERVER_TYPES).converse(moves, data)
