"""Whatever a client sends and whatever happens, the adapters answer in their protocol and never raise."""

import base64
import json
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineFailed, NoTranslator, Overloaded
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended, Flushed, Speech, SpeechEnded, Translated
from dragoman.server.commands import Abort, Close, Feed, Finish, FlushInput, Interrupt, Open, Say, Send
from dragoman.server.failures import BadMessage, MessageTooLarge, TooManySessions
from dragoman.server.protocols.palabra import errors
from dragoman.server.protocols.palabra.adapter import PalabraAdapter
from dragoman.server.protocols.palabra.stt import FORMATS, SttAdapter, parse_query
from dragoman.server.protocols.palabra.tts import TtsAdapter
from tests.fakes.hearing import FakeHearing
from tests.server.palabra.talk import OPERATOR, FakeAbilities, heard, spoken, supposed, task, text_task, translated

ERRORS = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, str)}
CLOSES = {1000, 1001, 1008, 1011}
TYPES = {
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
    "output_audio_data",
    "task_status",
    "current_task",
    "end_of_stream",
    "eos",
    "error",
    "warning",
}
COMMANDS = Abort | Open | Feed | Say | Interrupt | FlushInput | Finish

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
tasks = st.sampled_from(
    [task(), task("es", "fr"), task("pt-br"), text_task("es", "fr"), task(output_stream=None), text_task(types=())]
)
datas = (
    st.fixed_dictionaries(
        {},
        optional={
            "text": st.sampled_from(["Hi. There.", "", "…"]) | values,
            "language": st.sampled_from(["en", "es", "cy"]) | values,
            "translate_text": st.booleans() | values,
            "languages": st.sampled_from([["global"], ["es"], []]) | values,
            "pause_task": st.booleans() | values,
            "force": st.booleans() | values,
            "eos_timeout": st.integers(0, 40) | values,
            "data": st.sampled_from([base64.b64encode(bytes(900)).decode(), "AA", "%"]) | values,
            "type": st.sampled_from(["init", "text", "cancel"]),
            "is_eos": st.booleans() | values,
            "generation_id": st.sampled_from(["g", "h", "x" * 256, "x" * 257]) | values,
            "voice_options": st.sampled_from([{"speed": 1.5}, {"voice_id": "nice"}]) | values,
            "output": st.sampled_from([{"format": "wav"}, {"format": "mp3"}]) | values,
        },
    )
    | values
)
kinds = st.sampled_from(
    ["get_task", "pause_task", "interrupt_task", "flush_task", "tts_task", "end_task", "input_audio_data", "dance"]
)
frames = (
    st.builds(lambda data: {"message_type": "set_task", "data": data}, tasks | values)
    | st.builds(lambda kind, data: {"message_type": kind, "data": data}, kinds, datas)
    | st.sampled_from(
        [
            {"message_type": "set_task", "data": {"pipeline": {"transcription": {"asr_model": "x" * 60_000}}}},
            {"message_type": "set_task", "data": {"pipeline": {"translations": [{}] * 10_000}}},
            {"message_type": "set_task", "data": {"pipeline": {}, "novelty": [[]] * 30_000}},
            {"message_type": "input_audio_data", "data": {"data": "AAAA" * 90_000}},
            {"message_type": "input_audio_data", "data": [[]] * 30_000},
            {"message_type": "x" * 60_000},
        ]
    )
    | values
)
HAPPENINGS = [
    "heard",
    "supposed",
    "translated",
    "said",
    "ended",
    "failed",
    "flushed",
    "silent",
    "given",
    "large",
    "refused",
]
happenings = st.sampled_from(HAPPENINGS)


class Run:
    """Carries out what an adapter commands, as a connection would."""

    def __init__(self, adapter: Any) -> None:
        self.adapter = adapter
        self.hearings: defaultdict[Any, FakeHearing] = defaultdict(FakeHearing)
        self.running: list[Any] = []
        self.finished: set[Any] = set()
        self.given: list[Any] = []
        self.closed = False

    def take(self, outputs: Any, refuse: bool = False) -> None:
        for output in outputs:
            assert not self.closed or isinstance(output, COMMANDS)
            if isinstance(output, Close):
                assert output.code in CLOSES
                assert len(output.reason.encode()) <= 123
                self.closed = True
            elif isinstance(output, Send):
                self.check(output)
            else:
                assert isinstance(output, COMMANDS)
                self.carry_out(output, refuse)

    def check(self, output: Send) -> None:
        assert isinstance(output.data, str)
        assert len(output.data) < 150_000
        message = json.loads(output.data)
        assert message["message_type"] in self.types()
        if message["message_type"] == "error":
            assert message["data"]["code"] in ERRORS
            assert output.error == message["data"]["code"]
            assert len(message["data"]["desc"]) < 3000
        assert output.audio_s >= 0

    def types(self) -> set[str]:
        if isinstance(self.adapter, TtsAdapter):
            return {"audio_chunk", "error", "warning"}
        return TYPES if isinstance(self.adapter, PalabraAdapter) else {"transcription", *TYPES}

    def carry_out(self, command: Any, refuse: bool) -> None:
        if isinstance(command, Open):
            if refuse:
                self.take(self.adapter.failed(command.key, TooManySessions(1)))
                return
            self.running.append(command.key)
            self.take(self.adapter.opened(command.key, "s"))
        elif isinstance(command, Abort) and command.key in self.running:  # it may have ended in the meantime
            self.running.remove(command.key)
        elif isinstance(command, Finish):
            self.finished.add(command.key)
        elif isinstance(command, Say) and command.key in self.running:
            self.given.append((command.key, command.given.text_id))

    def happen(self, step: str, key: Any, number: int) -> None:
        texts = [text_id for owner, text_id in self.given if owner == key]
        text_id = texts[number % len(texts)] if texts else None
        events = {
            "heard": [heard("One. Two three", number)],
            "supposed": [supposed("One")],
            "translated": [translated("Uno.", number, text_id=text_id if number % 2 else None)],
            "said": [spoken(number * 1000, number, last=bool(number % 2))],
            "flushed": [Flushed(None), Speech(b"", "", 0.0, 0.0, None, 0.0, last=True)],
            "silent": [SpeechEnded(1.0)],
            "given": [Translated(0, text_id=text_id)] if text_id else [Translated(0, segment_id=0)],
        }
        if step in events:
            for event in events[step]:
                self.take(self.adapter.event(key, self.hearings[key].told(event)))
        elif step == "large":
            self.take(self.adapter.failed(None, MessageTooLarge(10)))
        elif step == "refused":
            failure = NoTranslator(LanguagePair("en", "es")) if number % 2 else Overloaded("texts")
            self.take(self.adapter.refused(key, text_id, failure))
        elif step == "failed" or key in self.finished:  # no session ends unasked
            self.running.remove(key)
            broken = BadAudio("no") if number % 2 else EngineFailed("espeak", "it broke")
            self.take(self.adapter.event(key, Ended()) if step == "ended" else self.adapter.failed(key, broken))


def converse(adapter: Any, steps: list[Any], data: st.DataObject) -> None:
    run = Run(adapter)
    for step in steps:
        if run.closed:
            return
        if isinstance(step, str) and step in HAPPENINGS:
            if run.running:
                key = data.draw(st.sampled_from(run.running))
                run.happen(step, key, data.draw(st.integers(0, 3)))
        else:
            frame = step if isinstance(step, bytes) else json.dumps(step)
            run.take(adapter.receive(adapter.parse(frame)), refuse=data.draw(st.integers(0, 9)) == 0)
        patience_s = adapter.patience_s()
        assert patience_s is None or patience_s > 0


@settings(max_examples=100, deadline=None)
@given(st.lists(frames | happenings, max_size=20), st.data())
def test_every_conversation_about_tasks_stays_in_the_protocol(steps: list[Any], data: st.DataObject) -> None:
    first = {"message_type": "set_task", "data": data.draw(tasks)}
    converse(PalabraAdapter(FakeAbilities(), OPERATOR), [first, *steps], data)


@settings(max_examples=100, deadline=None)
@given(st.lists(datas | happenings, max_size=20), st.data())
def test_every_conversation_about_speech_stays_in_the_protocol(steps: list[Any], data: st.DataObject) -> None:
    steps = [step for step in steps if step not in ("heard", "supposed")]
    converse(TtsAdapter(FakeAbilities()), [{"type": "init", "language": "es"}, *steps], data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=9) | values | happenings, max_size=20), st.data())
def test_every_conversation_about_hearing_stays_in_the_protocol(steps: list[Any], data: st.DataObject) -> None:
    request = parse_query({"translate_languages": "es", "language": "en-us"})
    converse(SttAdapter(request, "balanced"), steps, data)


@settings(max_examples=100, deadline=None)
@given(st.text() | st.binary() | values.map(json.dumps))
def test_every_frame_is_answered(frame: str | bytes) -> None:
    for adapter in (PalabraAdapter(FakeAbilities(), OPERATOR), TtsAdapter(FakeAbilities())):
        Run(adapter).take(adapter.receive(adapter.parse(frame)))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["format", "sample_rate", "language", "translate_languages", "enable_filler_filter", "other"]),
        st.sampled_from([*FORMATS, "8000", "0", "9" * 5000, "en", "auto", "es,fr", ",", "true", "yes"])
        | st.text(max_size=9),
    )
)
def test_every_query_is_read_or_refused(query: dict[str, str]) -> None:
    try:
        parse_query(query)
    except BadMessage as refused:
        assert any(name in str(refused) for name in query)
