"""Whatever a client of `speech/asr` sends, and whatever happens in its sessions, it is answered in the protocol."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
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
from dragoman.server.commands import Abort, Close, Feed, Finish, FlushInput, Open, Send
from dragoman.server.protocols.gradium.asr import AsrAdapter
from tests.server.gradium.test_fuzz import CODES, formats, ids, inputs, values

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
happenings = st.one_of(
    times.map(Listened),
    times.map(SpeechStarted),
    times.map(SpeechEnded),
    st.builds(Recognised, times, st.none() | st.tuples(st.integers())),
    st.builds(Transcript, st.text(max_size=9), st.sampled_from(["en", "zh"]), times, times, final=st.booleans()),
    st.builds(Translation, st.text(max_size=9), st.sampled_from(["fr", "ja"]), times, times, st.just(0)),
    st.builds(Translated, st.just(0), st.integers(0, 3)),
    st.builds(Flushed, st.tuples(st.integers() | st.none() | st.text(max_size=9))),
    st.builds(Ended, times),
    st.just(BadAudio("no")),
)


def check(outputs: Any) -> list[Any]:
    """As in `test_fuzz.py`, with the messages of this socket."""
    commands = []
    for output in outputs:
        if isinstance(output, Send):
            fields = json.loads(output.data)
            assert fields["type"] in TYPES
            assert None not in fields.values()
            assert len(output.data) < 2000
            assert fields["type"] != "text" or fields["text"] == fields["text"].strip() != ""
            assert (output.error is not None) == (fields["type"] == "error")
        elif isinstance(output, Close):
            assert output.code in CODES
        else:
            assert isinstance(output, Open | Feed | FlushInput | Finish | Abort)
            commands.append(output)
    return commands


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    adapter = AsrAdapter()
    outputs = adapter.receive(adapter.parse(json.dumps(setup)))
    commands = check(outputs)
    assert len(commands) + sum(isinstance(output, Send) for output in outputs) == 1
    for command in commands:
        assert command.output_format is None
        assert len(command.keywords) <= 500


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | values.map(json.dumps))
def test_every_frame_is_answered(frame: str | bytes) -> None:
    adapter = AsrAdapter()
    check(adapter.receive(adapter.parse(frame)))


@settings(max_examples=300, deadline=None)
@given(st.lists(setups | inputs | happenings, max_size=25), st.data())
def test_every_conversation_stays_in_the_protocol(moves: list[Any], data: st.DataObject) -> None:
    adapter = AsrAdapter()
    running: list[Any] = []
    for move in moves:
        outputs: Any = ()
        if isinstance(move, dict):
            outputs = adapter.receive(adapter.parse(json.dumps(move)))
            for command in check(outputs):
                if isinstance(command, Open):
                    running.append(command.key)
                    check(adapter.opened(command.key, "id"))
                elif isinstance(command, Abort):
                    running.remove(command.key)
                else:
                    assert command.key in running
        elif running:
            key = data.draw(st.sampled_from(running))
            over = isinstance(move, Ended | BadAudio)
            outputs = adapter.failed(key, move) if isinstance(move, BadAudio) else adapter.event(key, move)
            check(outputs)
            if over:
                running.remove(key)
        if any(isinstance(output, Close) for output in outputs):
            return
