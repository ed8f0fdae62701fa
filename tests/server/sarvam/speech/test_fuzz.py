"""Whatever a client sends and whatever happens, the adapter answers in its protocol and never raises."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.errors import NoVoice, Overloaded
from dragoman.pipeline.events import Ended, Speech, Translated, Translation, Unspoken
from dragoman.server.commands import Open
from tests.server.sarvam.speech.talk import CONFIG, Talk
from tests.server.sarvam.test_fuzz import values

FIELDS = ["language_code", "target_language_code", "speaker", "model", "pace", "speech_sample_rate",
          "output_audio_codec", "output_audio_bitrate", "min_buffer_size", "max_chunk_length", "dict_id"]  # fmt: skip
configs = st.dictionaries(st.sampled_from(FIELDS), values).map(lambda more: {"type": "config", "data": CONFIG | more})
texts = st.text("ab .?।", max_size=80).map(lambda text: {"type": "text", "data": {"text": text}})
frames = (
    (configs | texts | st.sampled_from([{"type": "flush"}, {"type": "ping"}, {"type": "config", "data": CONFIG}])).map(
        json.dumps
    )
    | st.dictionaries(st.sampled_from(["type", "data"]), values).map(json.dumps)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(["[" * 60_000, json.dumps({"type": "text", "data": {"text": "x" * 66_000}})])
)
happenings = st.sampled_from(
    [
        Speech(b"ab", "hi", 0.0, 0.1, 0, 0.1, last=True),
        Speech(b"", "hi", 0.0, 0.0, 0, 0.0, last=True),
        Translation("hi", "hi", 0, 0, 0, text_id=0),
        Translated(0, text_id=0),
        Unspoken(0, "no"),
        Ended(),
        NoVoice("hi"),
        "refused",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(frames | st.tuples(happenings, st.integers(0, 5)), max_size=30), st.booleans())
def test_every_conversation_stays_in_the_protocol(steps: list[Any], completes: bool) -> None:
    talk = Talk(completes=completes)
    running: list[Any] = []
    seen = 0
    finals = 0
    for step in steps:
        if not isinstance(step, tuple):
            finals += talk.send_raw(step).count("final")
        elif running:
            what, number = step
            key = running[number % len(running)]
            if isinstance(what, NoVoice):
                running.remove(key)
                finals += talk.take(talk.adapter.failed(key, what)).count("final")
            elif what == "refused":
                talk.take(talk.adapter.refused(key, 0, Overloaded("x")))
            elif not isinstance(what, Ended):
                talk.event(key, what)
            elif key in talk.finished:
                running.remove(key)
                finals += talk.event(key, what).count("final")
        running += [one.key for one in talk.commands[seen:] if isinstance(one, Open)]
        for one in talk.commands[seen:]:
            assert one.key in running
        seen = len(talk.commands)
        if talk.closed is not None:
            return
    flushes = sum(not isinstance(step, tuple) and "flush" in str(step) for step in steps)
    assert finals <= (flushes if completes else 0)
