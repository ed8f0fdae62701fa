"""What the wires share."""

import base64
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.errors import EngineFailed, ModelError, NoVoice, OutOfMemory, Overloaded
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.server import failures, wire
from dragoman.server.failures import MessageTooLarge
from tests.fakes.hostile import EXPENSIVE, NESTED, peak_bytes

# --- JSON


class _Named(msgspec.Struct):
    name: wire.Id


NAMED = msgspec.json.Decoder(_Named)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_is_read_with_a_byte_order_mark_and_without(mark: str) -> None:
    assert wire.decode(mark + '{"a": [1]}') == {"a": [1]}
    assert wire.decode((mark + '{"a": [1]}').encode()) == {"a": [1]}
    assert wire.decode(mark + '{"name": "x"}', NAMED) == _Named("x")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "truncated"),
        ("{", "truncated"),
        ("NaN", "malformed"),
        ("1e999", "out of range"),
        ("1" * 5000, "out of range"),
        ('"\\ud800"', "truncated"),
        ('"\ud800"', "it is not UTF-8"),
        (b'"\xed\xa0\x80"', "it is not UTF-8"),
        (b'{"\xff": 1}', "it is not UTF-8"),
        ("[" * 2_000, "it is nested too deeply"),
        ('{"a":' * 2_000 + "1" + "}" * 2_000, "it is nested too deeply"),
        (NESTED, "it has more than 4096 lists and objects"),
        (NESTED.encode(), "it has more than 4096 lists and objects"),
        ("[" + "[]," * 4_096 + "1]", "it has more than 4096 lists and objects"),
        ('{"a": {}, "b": [' + "[{}]," * 2_047 + "1]}", "it has more than 4096 lists and objects"),
        ("\ufeff\ufeff{}", "malformed"),
        (b"\xef\xbb{}", "malformed"),
    ],
)
def test_what_is_no_json(text: str | bytes, told: str) -> None:
    with pytest.raises(wire.NotJson, match=told):
        wire.decode(text)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Object missing required field name"),
        ({"name": 5}, "Expected str, got int in name"),
        ({"name": "x" * (wire.MAX_ID + 1)}, "Expected str of length <= 256 in name"),
        ([], "Expected object, got array"),
    ],
)
def test_what_is_of_another_kind_is_told_by_the_field(fields: object, told: str) -> None:
    with pytest.raises(wire.WrongKind, match=f"^{told}$"):
        wire.decode(json.dumps(fields), NAMED)
    with pytest.raises(wire.WrongKind, match=f"^{told}$"):
        wire.convert(fields, _Named)


def test_what_is_told_is_short() -> None:
    class _Tagged(msgspec.Struct, tag="x"):
        pass

    with pytest.raises(wire.WrongKind) as refused:
        wire.decode(json.dumps({"type": "y" * 100_000}), msgspec.json.Decoder(_Tagged))
    assert len(str(refused.value)) == 200


def test_a_few_thousand_lists_are_not_too_many() -> None:
    """As many as a message with the most translations, terms and pairs has, and some more."""
    assert len(wire.decode("[" + "[]," * 4_094 + "{}]")) == 4_095


@given(st.text() | st.binary())
def test_everything_is_json_or_not(text: str | bytes) -> None:
    try:
        wire.decode(text)
    except wire.NotJson as error:
        assert len(str(error)) <= 200


# --- size


class _Sound(msgspec.Struct, tag="audio"):
    audio: msgspec.Raw = msgspec.Raw()

    def sound(self) -> msgspec.Raw:
        return self.audio


SOUND = msgspec.json.Decoder(_Sound)
LIMIT = 1_000
AUDIO = base64.b64encode(bytes(300_000)).decode()


def test_a_small_message_is_not_looked_at() -> None:
    for frame in ("{", "x" * LIMIT, b"\xff" * LIMIT, "\u0905" * (LIMIT // 3)):
        wire.check_size(frame, LIMIT)
        wire.check_size(frame, LIMIT, SOUND)


@pytest.mark.parametrize("frame", ["x" * (LIMIT + 1), b"x" * (LIMIT + 1), "\u0905" * (LIMIT // 3 + 1), "\ud800" * 400])
def test_a_large_one_without_audio_is_refused_by_its_bytes(frame: str | bytes) -> None:
    with pytest.raises(MessageTooLarge, match=f"^message is larger than {LIMIT} bytes without audio$"):
        wire.check_size(frame, LIMIT)


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        ("\\u0905" * 10, 30),
        ("\\ud83d\\ude00", 6),
        ("\\\\u0905", 7),
        ("\\\\\\u0905", 5),
        ("\\\\\\\\u0905\\n", 11),
        ("\\u090", 5),
        ("\\u" * 10, 20),
    ],
)
def test_escapes_count_as_what_they_stand_for(frame: str, size: int) -> None:
    for text in (frame, frame.encode()):
        wire.check_size(text, size)
        wire.check_size(text, size, SOUND)
        with pytest.raises(MessageTooLarge):
            wire.check_size(text, size - 1)


def test_escapes_in_audio_make_no_room_for_other_things() -> None:
    frame = '{"type":"audio","audio":"' + "\\u0041" * 10_000 + '","x":"%s"}'
    wire.check_size(frame % ("y" * 900), LIMIT, SOUND)
    for more in ("y" * LIMIT, "\\u0041" * (LIMIT // 6)):
        with pytest.raises(MessageTooLarge):
            wire.check_size(frame % more, LIMIT, SOUND)


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"type":"audio","audio":"{AUDIO}"}}',
        f'{{"audio":"{AUDIO}","type":"audio"}}',
        f'\ufeff{{ "type" : "audio", "x" : [[], {{}}], "audio" : "{AUDIO}" }}',
        f'{{"type":"audio","audio":"{AUDIO}","x":"{"y" * 900}"}}',
        # What a client escapes is audio all the same; some write every slash so.
        '{"type":"audio","audio":"' + "\\/" * 100_000 + '"}',
        '{"type":"audio","audio":"' + "AAAA\\r\\n" * 100_000 + '"}',
    ],
)
def test_audio_may_be_large(frame: str) -> None:
    wire.check_size(frame, LIMIT, SOUND)
    wire.check_size(frame.encode(), LIMIT, SOUND)


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"type":"audio","x":"{AUDIO}"}}',
        f'{{"type":"setup","audio":"{AUDIO}"}}',
        f'{{"type":"audio","audio":"{AUDIO}","x":"{"y" * 1000}"}}',
        f'{{"type":"audio","audio":"{AUDIO}","audio":"{AUDIO}"}}',
        f'{{"type":"audio","audio":"{AUDIO}","type":"setup"}}',
        f'{{"type":"audio","{AUDIO}":1}}',
        f'["{AUDIO}"]',
        f'"{AUDIO}"',
        '{"type":"audio","audio":"AAAA"}' + " " * LIMIT,
    ],
)
def test_and_nothing_else(frame: str) -> None:
    with pytest.raises(MessageTooLarge):
        wire.check_size(frame, LIMIT, SOUND)


def test_a_large_message_that_is_no_json_is_told_to_be_none() -> None:
    for frame in (f'{{"type":"audio","audio":"{AUDIO}', f'{{"type":"audio","x":{NESTED}}}'):
        with pytest.raises(wire.NotJson):
            wire.check_size(frame, LIMIT, SOUND)


@pytest.mark.parametrize("value", EXPENSIVE.values(), ids=EXPENSIVE)
@pytest.mark.parametrize("name", ["x", "audio", "type"])
def test_nothing_is_built_to_find_that_out(name: str, value: str) -> None:
    frame = f'{{"type":"audio","audio":"AAAA","{name}":{value}}}'.encode()

    def refused() -> bool:
        try:
            wire.check_size(frame, LIMIT, SOUND)
        except (MessageTooLarge, wire.NotJson):
            return True
        return False

    was_refused, held = peak_bytes(refused)
    assert was_refused or name == "audio"
    assert held < 6 * len(frame)


# --- base64


@pytest.mark.parametrize(
    "text",
    ["-_8", "-_8=", "+/8=", "+/8", " +/\n8= ", "+/\r\n8=", "-/8=", "\t+/8", "+/8=\n", "+/8==="],
)
def test_base64_in_all_the_forms_that_clients_write(text: str) -> None:
    assert wire.decode_base64(text) == b"\xfb\xff"


@pytest.mark.parametrize(
    "text",
    ["%", "&&", "A", "AAAAA", "data:audio/wav;base64,AAAA", "AA=AA", "=AAA", "ÄÖ", "AAAA\0", "\ud800", "AA\u00a0AA"],
)
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError):
        wire.decode_base64(text)


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    text = wire.encode_base64(data)
    assert wire.decode_base64(text) == data
    assert wire.decode_base64("\n".join(text.rstrip("=").translate(str.maketrans("+/", "-_")))) == data


# --- messages


@pytest.mark.parametrize(
    ("frame", "told"),
    [("{", "message is not JSON: "), ("[]", "message is not a JSON object"), (b"null", "message is not a JSON object")],
)
def test_a_message_is_an_object(frame: str | bytes, told: str) -> None:
    assert wire.read_object('{"a": 1}', 1_000) == {"a": 1}
    with pytest.raises(failures.BadMessage, match=told):
        wire.read_object(frame, 1_000)
    with pytest.raises(MessageTooLarge):
        wire.read_object(json.dumps({"a": "x" * 2_000}), 1_000)


# --- the rest


def test_a_close_reason_fits_into_its_frame() -> None:
    assert wire.close_reason("short") == "short"
    for text in ("x" * 200, "ह" * 200, "a" + "😀" * 100):
        assert 119 < len(wire.close_reason(text).encode()) <= 123
        assert text.startswith(wire.close_reason(text))


class _Novel(Exception):
    """A kind that no table knows."""


class _NovelFailure(failures.Failure):
    pass


class _NovelModelError(ModelError):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Overloaded("x"), "table"),
        (failures.BadMessage("x"), "client"),
        (BadAudio("x"), "client"),
        (NoVoice("es"), "client"),
        (failures.MessageTooLarge(1), "client"),
        (failures.InternalError("x"), "ours"),
        (failures.NotReady("x"), "later"),
        (OutOfMemory("x"), "later"),
        (EngineFailed("x", "y"), "ours"),
        (_NovelFailure("x"), "ours"),
        (_NovelModelError("x"), "ours"),
        (_Novel(), "ours"),
        (KeyError("x"), "ours"),
    ],
)
def test_whose_fault_an_error_is(error: Exception, told: str) -> None:
    table = [((Overloaded, OSError), "table")]
    assert wire.answer(error, table, clients="client", ours="ours", later="later") == told
    assert wire.answer(error, table, clients="client", ours="ours") == told.replace("later", "ours")


def test_an_adapter_says_nothing_by_itself() -> None:
    adapter = wire.BaseAdapter()
    assert adapter.opened(0, "s") == adapter.refused(0, 0, Overloaded("x")) == ()
    assert adapter.patience_s() is None
