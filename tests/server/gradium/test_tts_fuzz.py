"""Whatever a client of `speech/tts` sends, and whatever happens in its sessions, it is answered in the protocol."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended, Flushed, Speech, Translated, Translation, Unspoken
from dragoman.server.commands import Abort, Close, Finish, FlushInput, Open, Say, Send
from dragoman.server.protocols.gradium.tts import TtsAdapter
from tests.server.gradium.test_fuzz import CODES, formats, ids, values
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
happenings = st.one_of(
    st.builds(Translation, st.text(max_size=9), st.sampled_from(["es", "zh"]), st.just(0.0), st.just(0.0),
              st.integers(0, 3)),
    st.builds(Speech, st.binary(max_size=9), st.just("es"), st.just(0.0), st.just(1.0), st.none() | st.integers(0, 3),
              st.just(1.0), st.booleans()),
    st.builds(Translated, st.just(0), text_id=st.integers(0, 3)),
    st.builds(Unspoken, st.integers(0, 3), st.just("why")),
    st.builds(Flushed, st.integers() | st.none()),
    st.just(Ended()),
    st.just(BadAudio("no")),
)  # fmt: skip


def check(outputs: Any) -> list[Any]:
    """As in `test_fuzz.py`, with the messages and commands of this socket."""
    commands = []
    for output in outputs:
        if isinstance(output, Send):
            fields = json.loads(output.data)
            assert fields["type"] in TYPES
            assert None not in fields.values()
            assert len(output.data) < 2000
            assert (output.error is not None) == (fields["type"] == "error")
        elif isinstance(output, Close):
            assert output.code in CODES
        else:
            assert isinstance(output, Open | Say | FlushInput | Finish | Abort)
            commands.append(output)
    return commands


@settings(max_examples=300, deadline=None)
@given(setups)
def test_every_setup_opens_or_is_refused(setup: dict[str, Any]) -> None:
    adapter = TtsAdapter(FakeVoices())
    outputs = adapter.receive(adapter.parse(json.dumps(setup)))
    assert len(check(outputs)) + sum(isinstance(output, Send) for output in outputs) == 1


@settings(max_examples=200, deadline=None)
@given(st.text() | st.binary() | values.map(json.dumps))
def test_every_frame_is_answered(frame: str | bytes) -> None:
    adapter = TtsAdapter(FakeVoices())
    check(adapter.receive(adapter.parse(frame)))


@settings(max_examples=300, deadline=None)
@given(st.lists(setups | inputs | happenings | st.floats(0, 100), max_size=25), st.data())
def test_every_conversation_stays_in_the_protocol(moves: list[Any], data: st.DataObject) -> None:
    now_s = 0.0
    adapter = TtsAdapter(FakeVoices(), lambda: now_s)
    running: list[Any] = []
    for move in moves:
        outputs: Any = ()
        if isinstance(move, float):
            now_s += move
        elif isinstance(move, dict):
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
            outputs = adapter.failed(key, move) if isinstance(move, BadAudio) else adapter.event(key, move)
            check(outputs)
            if isinstance(move, Ended | BadAudio):
                running.remove(key)
        if any(isinstance(output, Close) for output in outputs):
            return
