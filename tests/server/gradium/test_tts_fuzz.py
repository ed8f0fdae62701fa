"""Whatever a client of `speech/tts` sends, and whatever happens in its sessions, it is answered in the protocol."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.events import Ended, Flushed, Speech, Translated, Translation, Unspoken
from dragoman.server.protocols.gradium.tts import TtsAdapter
from tests.server.gradium.fuzzing import Fuzzed, broken_or, formats, frames, ids, values
from tests.server.gradium.test_tts import FakeVoices

TYPES = {"ready", "text", "audio", "flushed", "end_of_stream", "error"}
keys = st.sampled_from(["language", "temp", "cfg_coef", "padding_bonus", "rewrite_rules", "other"])
configs = values | st.dictionaries(keys, values | st.sampled_from(["es", "any", -4, 1.5]), max_size=5)
setups = st.fixed_dictionaries(
    {"type": st.just("setup")},
    optional={
        "model_name": st.sampled_from(["default", "gradium-tts-beta"]) | values,
        "output_format": formats,
        "voice_id": st.sampled_from(["ana", "nobody", "early", "x" * 257]) | values,
        "voice": values,
        "json_config": configs | configs.map(json.dumps),
        "client_req_id": ids,
        "close_ws_on_eos": values,
    },
)
tags = st.sampled_from(["<flush>", ' <break time="1.5s" /> ', "<break", "Hola. ¿Qué", "x" * 20_000])
inputs = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "flush", "end_of_stream", "audio", "telepathy"])},
    optional={"text": tags | values, "client_req_id": ids, "flush_id": values},
)
happenings = broken_or(
    st.builds(Translation, st.text(max_size=9), st.sampled_from(["es", "zh"]), st.just(0.0), st.just(0.0),
              st.integers(0, 3)),
    st.builds(Speech, st.binary(max_size=9), st.just("es"), st.just(0.0), st.just(1.0), st.none() | st.integers(0, 3),
              st.just(1.0), st.booleans()),
    st.builds(Translated, st.just(0), text_id=st.integers(0, 3)),
    st.builds(Unspoken, st.integers(0, 3), st.just("why")),
    st.builds(Flushed, st.integers() | st.none()),
    st.just(Ended()),
)  # fmt: skip


def fuzzed(now: Callable[[], float] = lambda: 0.0) -> Fuzzed:
    return Fuzzed(TtsAdapter(FakeVoices(), now), TYPES, says=True)


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    fuzzed().set_up(setup)


@settings(max_examples=200, deadline=None)
@given(frames)
def test_every_frame_is_answered(frame: str | bytes) -> None:
    fuzzed().receive(frame)


@settings(max_examples=300, deadline=None)
@given(st.lists(setups | inputs | happenings | st.floats(0, 100), max_size=25), st.data())
def test_every_conversation_stays_in_the_protocol(moves: list[Any], data: st.DataObject) -> None:
    passed_s = [0.0]
    fuzzed(lambda: sum(passed_s)).converse(moves, data, other=passed_s.append)
