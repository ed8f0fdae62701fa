"""Whatever a client sends to the speech socket, it is answered in the wire's form, and no stream is left behind."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.pipeline.events import Ended
from dragoman.server.commands import Abort, Finish, Open
from dragoman.server.protocols.soniox.speech.adapter import MAX_STREAMS
from dragoman.server.protocols.soniox.speech.parsing import parse
from tests.fakes.hostile import NESTED
from tests.server.soniox.speech.talk import CONFIG, Talk

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "", "ü\u0000", "x" * 257])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*CONFIG, "text", "text_end", "cancel", "keep_alive", "speed", "return_timestamps", "api_key"])
MESSAGES = (
    st.builds(lambda name: {**CONFIG, "stream_id": name}, IDS)
    | st.builds(lambda name, field, value: {**CONFIG, "stream_id": name, field: value}, IDS, FIELDS, ANYTHING)
    | st.builds(
        lambda name, text, end: {"stream_id": name, "text": text, "text_end": end},
        IDS,
        st.text(max_size=30) | st.sampled_from(["Hello. ", "One. Two. T", "x" * 5_001]),
        st.booleans(),
    )
    | st.builds(lambda name: {"stream_id": name, "cancel": True}, IDS)
    | ANYTHING
)


@given(
    st.text(max_size=60) | st.binary(max_size=60) | st.sampled_from([NESTED, "[" * 5_000, '{"stream_id": "\\ud800"}'])
)
def test_any_frame_is_read(frame: str | bytes) -> None:
    parse(frame)


@settings(max_examples=300)
@given(st.lists(MESSAGES, max_size=25))
def test_any_conversation(messages: list[Any]) -> None:
    talk = Talk()
    told: list[dict[str, Any]] = []
    for message in messages:
        told += talk.send(json.dumps(message))
        assert len(talk.adapter._live) <= MAX_STREAMS
    opened = {command.key for command in talk.commands if isinstance(command, Open)}
    ended = [command.key for command in talk.commands if isinstance(command, Finish | Abort)]
    for key in ended:
        told += talk.event(key, Ended())  # type: ignore[arg-type]
    living = {live.key for live in talk.adapter._live.values()} - {None}
    if talk.closed is None:
        assert opened == set(ended) | living
    terminated = [message["stream_id"] for message in told if message.get("terminated")]
    assert len(terminated) >= sum(message.get("audio_end", False) for message in told)
    errors = [message for message in told if "error_code" in message]
    assert sum("stream_id" not in message for message in errors) == (talk.closed is not None)
    talk.adapter.leave()
    assert talk.ledger.running("tts") == 0
