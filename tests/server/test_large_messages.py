"""What all wires do alike with messages that are too large, that are made to be expensive, and with audio as base64."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from dragoman.config.settings import load_settings
from dragoman.server.commands import Close, Command, Feed, Open, Output, Send
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.palabra.adapter import PalabraAdapter
from dragoman.server.protocols.palabra.tts import TtsAdapter
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSLATION, parse_query
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.wire import CONTROL_BYTES
from tests.fakes.hostile import EXPENSIVE, peak_bytes
from tests.server.palabra.talk import OPERATOR, FakeAbilities, task
from tests.server.soniox.wire import START

LISTEN = load_settings().listen
SAMPLES = bytes(range(256)) * 1_500
"""384 000 bytes: what Palabra takes at once, and as base64 far more than a message without audio may have."""
Adapter = Any
Actions = Sequence[Command | Output]


@dataclass(frozen=True)
class Wire:
    """One of the sockets. `make` begins a conversation with the operator's limit, in which `audio` is heard.

    `audio` makes a message of base64, None where audio is binary. `fields` are messages with a place for any value.
    """

    make: Callable[[int], Adapter]
    audio: Callable[[str], str] | None
    fields: tuple[str, ...]
    too_large: str | int
    closes: bool = False

    def __str__(self) -> str:
        return type(self.make(CONTROL_BYTES)).__name__


def _take(adapter: Adapter, actions: Actions) -> None:
    for action in actions:
        if isinstance(action, Open):
            adapter.opened(action.key, "session")


def send(adapter: Adapter, frame: str | bytes) -> Actions:
    actions: Actions = adapter.receive(adapter.parse(frame))
    _take(adapter, actions)
    return actions


def begun(adapter: Adapter, first: str | bytes) -> Adapter:
    send(adapter, first)
    return adapter


def _gradium(control_bytes: int) -> Adapter:
    return begun(GradiumAdapter(control_bytes), '{"type":"setup","input_format":"pcm"}')


def _soniox(control_bytes: int) -> Adapter:
    return begun(SonioxAdapter(Grant(), LISTEN, "r", control_bytes), json.dumps(START))


def _sarvam(control_bytes: int) -> Adapter:
    options = parse_query({"input_audio_codec": "pcm_raw"}, TRANSLATION, LISTEN)
    return begun(SarvamAdapter(options, control_bytes=control_bytes), b"\0\0")


def _realtime(control_bytes: int) -> Adapter:
    adapter = RealtimeAdapter(parse_config({"language_code": "auto"}), LISTEN, control_bytes=control_bytes)
    _take(adapter, adapter.receive(Begin()))
    return adapter


def _palabra(control_bytes: int) -> Adapter:
    adapter = PalabraAdapter(FakeAbilities(), OPERATOR, control_bytes=control_bytes)
    return begun(adapter, json.dumps({"message_type": "set_task", "data": task("es")}))


def _palabra_tts(control_bytes: int) -> Adapter:
    adapter = TtsAdapter(FakeAbilities(), control_bytes=control_bytes)
    return begun(adapter, '{"type":"init","language":"es"}')


WIRES = [
    Wire(
        _gradium,
        lambda text: json.dumps({"type": "audio", "audio": text}),
        (
            '{"type":"setup","json_config":%s,"client_req_id":"b"}',
            '{"type":"setup","client_req_id":"b","novelty":%s}',
            '{"type":"setup","client_req_id":%s}',
            '{"type":"flush","flush_id":%s}',
            '{"type":"audio","audio":"AAAA","client_req_id":%s}',
            '{"type":"audio","audio":"AAAA","novelty":%s}',
            '{"type":%s}',
        ),
        too_large=1009,
        closes=True,
    ),
    Wire(
        _soniox,
        lambda text: text,
        ('{"type":"finalize","novelty":%s}', '{"type":%s}', '{"type":"keepalive","trailing_silence_ms":%s}'),
        too_large=413,
        closes=True,
    ),
    Wire(
        _sarvam,
        lambda text: json.dumps({"audio": {"data": text}}),
        (
            '{"type":"config","prompt":%s}',
            '{"type":"flush","novelty":%s}',
            '{"type":%s}',
            '{"audio":{"data":"AAAA","encoding":%s}}',
            '{"audio":{"data":"AAAA"},"novelty":%s}',
        ),
        too_large="message_too_large",
    ),
    Wire(
        _realtime,
        lambda text: json.dumps({"event": "audio_input", "audio": text}),
        (
            '{"event":"config.update","prompt":%s}',
            '{"event":"ping","novelty":%s}',
            '{"event":%s}',
            '{"event":"audio_input","audio":"AAAA","novelty":%s}',
        ),
        too_large="message_too_large",
    ),
    Wire(
        _palabra,
        lambda text: json.dumps({"message_type": "input_audio_data", "data": {"data": text}}),
        (
            '{"message_type":"set_task","data":%s}',
            '{"message_type":"set_task","data":{"pipeline":%s}}',
            '{"message_type":"set_task","data":{"novelty":%s,"pipeline":{}}}',
            '{"message_type":"tts_task","data":{"text":%s,"language":"es"}}',
            '{"message_type":"get_task","data":{},"novelty":%s}',
            '{"message_type":"interrupt_task","data":{"languages":%s}}',
            '{"message_type":"end_task","data":{"novelty":%s}}',
            '{"message_type":%s}',
            '{"message_type":"input_audio_data","data":{"data":"AAAA","novelty":%s}}',
        ),
        too_large="VALIDATION_ERROR",
    ),
    Wire(
        _palabra_tts,
        None,
        (
            '{"type":"text","text":%s}',
            '{"type":"text","text":"Hola.","generation_id":%s}',
            '{"type":"text","text":"Hola.","voice_options":%s}',
            '{"type":"cancel","novelty":%s}',
            '{"type":%s}',
        ),
        too_large="VALIDATION_ERROR",
    ),
]
HEARING = [wire for wire in WIRES if wire.audio is not None]
EVERY_FIELD = [(wire, field) for wire in WIRES for field in wire.fields]


def errors_in(actions: Actions) -> list[str | int]:
    return [action.error for action in actions if isinstance(action, Send) and action.error is not None]


@pytest.mark.parametrize(("wire", "field"), EVERY_FIELD, ids=[f"{wire}-{field}" for wire, field in EVERY_FIELD])
@pytest.mark.parametrize("value", EXPENSIVE.values(), ids=EXPENSIVE)
def test_what_is_no_audio_and_large_is_refused_and_nothing_is_built(wire: Wire, field: str, value: str) -> None:
    adapter = wire.make(CONTROL_BYTES)
    frame = field.replace("%s", value)
    actions, held = peak_bytes(lambda: send(adapter, frame))
    assert errors_in(actions)
    assert held < 6 * len(frame.encode())
    assert all(len(action.data) < 1_000 for action in actions if isinstance(action, Send))
    assert any(isinstance(action, Close) for action in actions) == wire.closes


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_the_limit_is_the_operators(wire: Wire) -> None:
    field = (
        next(field for field in wire.fields if "novelty" in field) if wire.audio else '{"type":"cancel","novelty":%s}'
    )
    frame = field.replace("%s", '"' + "x" * 3_000 + '"')
    assert errors_in(send(wire.make(2_000), frame)) == [wire.too_large]
    assert errors_in(send(wire.make(4_000), frame)) in ([], ["VALIDATION_ERROR"])  # a chunk of three bytes
    assert errors_in(send(wire.make(CONTROL_BYTES), frame.replace("x", "x" * 22))) == [wire.too_large]


@pytest.mark.parametrize("wire", HEARING, ids=str)
def test_audio_may_be_large(wire: Wire) -> None:
    assert wire.audio is not None
    for text in (base64.b64encode(SAMPLES).decode(), base64.urlsafe_b64encode(SAMPLES).decode().rstrip("=")):
        (feed,) = send(wire.make(1_024), wire.audio(text))
        assert isinstance(feed, Feed)
        assert feed.data == SAMPLES


@pytest.mark.parametrize("wire", [wire for wire in HEARING if "audio" in wire.audio("")], ids=str)  # type: ignore[misc]
def test_slashes_may_be_escaped_in_audio(wire: Wire) -> None:
    assert wire.audio is not None
    text = "//7/" * 90_000
    (feed,) = send(wire.make(1_024), wire.audio(text).replace(text, text.replace("/", "\\/")))
    assert isinstance(feed, Feed)
    assert feed.data == base64.b64decode(text)


FORMS = {
    "lines": base64.encodebytes(SAMPLES[:900]).decode(),
    "windows": base64.encodebytes(SAMPLES[:900]).decode().replace("\n", "\r\n"),
    "url": base64.urlsafe_b64encode(SAMPLES[:901]).decode(),
    "unpadded": base64.b64encode(SAMPLES[:901]).decode().rstrip("="),
    "both": base64.urlsafe_b64encode(SAMPLES[:902]).decode().rstrip("="),
}


@pytest.mark.parametrize("wire", HEARING, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_base64_is_read_alike(wire: Wire, form: str) -> None:
    assert wire.audio is not None
    (feed,) = send(wire.make(CONTROL_BYTES), wire.audio(FORMS[form]))
    assert isinstance(feed, Feed)
    assert SAMPLES.startswith(feed.data)
    assert len(feed.data) in (900, 901, 902)


@pytest.mark.parametrize("wire", HEARING, ids=str)
@pytest.mark.parametrize("text", ["data:audio/wav;base64,AAAA", "%", "AA=AA"])
def test_what_is_no_base64_is_refused_alike(wire: Wire, text: str) -> None:
    assert wire.audio is not None
    assert errors_in(send(wire.make(CONTROL_BYTES), wire.audio(text)))


@pytest.mark.parametrize("wire", WIRES, ids=str)
def test_a_byte_order_mark_means_nothing(wire: Wire) -> None:
    field = next(field for field in wire.fields if "novelty" in field).replace("%s", "1")
    plain, marked = send(wire.make(CONTROL_BYTES), field), send(wire.make(CONTROL_BYTES), "\ufeff" + field)
    assert [type(action) for action in plain] == [type(action) for action in marked]
    assert errors_in(plain) == errors_in(marked)
