"""Whatever a client sends, the adapter answers in its protocol and never raises."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended, Flushed, Speech, Translation
from dragoman.server.commands import Abort, Close, Feed, Finish, FlushInput, Open, Send
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.parsing import parse

CODES = {1000, 1001, 1002, 1003, 1008, 1009, 1011}
SERVER_TYPES = {"ready", "text", "audio", "flushed", "end_of_stream", "error"}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
ids = st.none() | st.sampled_from(["a", "b", "c", "", "x" * 256, "x" * 257, "x" * 70_000, 10**255, 10**300]) | scalars
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
formats = st.sampled_from(["pcm", "wav", "opus", "pcm_8000", "ulaw_8000", " pcm ", "mp3"]) | values
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


def check(outputs: Any) -> list[Any]:
    """Every output is one of the protocol's messages, a close with a proper code, or a command; gives the commands."""
    commands = []
    for output in outputs:
        if isinstance(output, Send):
            assert isinstance(output.data, str)
            assert len(output.data) < 2000
            fields = json.loads(output.data)
            assert fields["type"] in SERVER_TYPES
            assert None not in fields.values()
            if fields["type"] == "error":
                assert fields["code"] in CODES
                assert output.error == fields["code"]
                assert len(fields["message"]) < 1000
        elif isinstance(output, Close):
            assert output.code in CODES
            assert len(output.reason.encode()) <= 123
        else:
            assert isinstance(output, Open | Feed | FlushInput | Finish | Abort)
            commands.append(output)
    return commands


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    outputs = GradiumAdapter().receive(parse(json.dumps(setup)))
    opened = [output for output in outputs if isinstance(output, Open)]
    errors = [output for output in outputs if isinstance(output, Send) and output.error is not None]
    check(outputs)
    assert len(opened) + len(errors) == 1


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | values.map(json.dumps))
def test_every_frame_is_answered(frame: str | bytes) -> None:
    check(GradiumAdapter().receive(parse(frame)))


@settings(max_examples=200, deadline=None)
@given(st.lists(setups | inputs | st.sampled_from(["ended", "failed", "said", "flushed"]), max_size=15), st.data())
def test_every_conversation_stays_in_the_protocol(steps: list[Any], data: st.DataObject) -> None:
    adapter = GradiumAdapter()
    running: list[Any] = []
    for step in steps:
        outputs: Any = ()
        if isinstance(step, dict):
            outputs = adapter.receive(parse(json.dumps(step)))
            for command in check(outputs):
                if isinstance(command, Open):
                    running.append(command.key)
                    check(adapter.opened(command.key, "id"))
                else:
                    assert command.key in running
                if isinstance(command, Abort):
                    running.remove(command.key)
        elif running:
            key = data.draw(st.sampled_from(running))
            if step == "said":
                check(adapter.event(key, Translation("hola", "es", 0.0, 1.0, 0)))
                check(adapter.event(key, Speech(b"ab", "es", 0.0, 1.0, 0, 1.0, last=True)))
            elif step == "flushed":
                check(adapter.event(key, Flushed("f")))
            else:
                running.remove(key)
                outputs = adapter.event(key, Ended()) if step == "ended" else adapter.failed(key, BadAudio("no"))
                check(outputs)
        if any(isinstance(output, Close) for output in outputs):
            return
