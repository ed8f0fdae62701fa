import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarvamai.types.audio_data import AudioData
from sarvamai.types.audio_message import AudioMessage
from sarvamai.types.config_message import ConfigMessage
from sarvamai.types.stt_flush_signal import SttFlushSignal

from dragoman.server.failures import BadMessage, Fault, MessageTooLarge
from dragoman.server.protocols.sarvam.parsing import AudioIn, ConfigIn, FlushIn, parse
from dragoman.server.protocols.sarvam.prompts import MAX_PROMPT_TERMS


def read(message: Any) -> Any:
    return parse(json.dumps(message))


def audio(**fields: Any) -> dict[str, Any]:
    return {"audio": {"data": base64.b64encode(b"abcd").decode(), "encoding": "audio/wav", **fields}}


def test_the_messages_of_the_sdk() -> None:
    assert read(audio(sample_rate=16000)) == AudioIn(b"abcd", 16000)
    assert read({"type": "config", "prompt": "names"}) == ConfigIn(("names",))
    assert read({"type": "flush"}) == FlushIn()


def test_the_sdks_own_models_are_understood() -> None:
    spoken = AudioMessage(audio=AudioData(data="YWJjZA==", sample_rate=16000))
    assert parse(json.dumps(spoken.dict())) == AudioIn(b"abcd", 16000)
    assert parse(json.dumps(ConfigMessage(prompt="names").dict())) == ConfigIn(("names",))
    assert parse(json.dumps(ConfigMessage().dict())) == ConfigIn(())
    assert parse(json.dumps(SttFlushSignal().dict())) == FlushIn()


def test_what_other_clients_write() -> None:
    assert read(audio(sample_rate="22050", encoding="pcm_s16le")) == AudioIn(b"abcd", 22050)
    assert read({**audio(), "type": "audio", "more": 1}) == AudioIn(b"abcd")
    assert read({"type": "config", "prompt": None}) == ConfigIn(())
    assert read({"type": "config"}) == ConfigIn(())
    assert parse(b"\0\1") == AudioIn(b"\0\1", binary=True)


@pytest.mark.parametrize("rate", [None, 0, 7999, 48001, "", "16k", "١٦٠٠٠", "9" * 5000, -1, 1e4, [], True])
def test_a_rate_that_cannot_be_is_not_there(rate: object) -> None:
    assert read(audio(sample_rate=rate)) == AudioIn(b"abcd", None)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("{", Fault.SYNTAX),
        ("", Fault.SYNTAX),
        ("[1]", Fault.SYNTAX),
        ("null", Fault.SYNTAX),
        ("[" * 60_000, Fault.SYNTAX),
        ("{}", Fault.ORDER),
        ('{"type": "end"}', Fault.ORDER),
        ('{"type": ["flush"]}', Fault.ORDER),
        ('{"type": "config", "prompt": 7}', Fault.ORDER),
        ('{"audio": null}', Fault.AUDIO),
        ('{"audio": "YWJj"}', Fault.AUDIO),
        ('{"audio": {}}', Fault.AUDIO),
        ('{"audio": {"data": 7}}', Fault.AUDIO),
        ('{"audio": {"data": "%%%"}}', Fault.AUDIO),
        ('{"audio": {"data": "YWJjY"}}', Fault.AUDIO),
    ],
)
def test_what_cannot_be_read(message: str, kind: Fault) -> None:
    fault = parse(message)
    assert isinstance(fault, BadMessage)
    assert fault.kind is kind


@pytest.mark.parametrize("message", ["[" * 100_000, {"audio": "x" * 70_000}, {"type": "flush", "x": [[]] * 30_000}])
def test_what_is_too_large_without_audio(message: Any) -> None:
    fault = parse(message) if isinstance(message, str) else read(message)
    assert isinstance(fault, MessageTooLarge)
    assert fault.without_audio


def test_a_prompt_is_cut_into_terms_where_messages_are_read() -> None:
    prompt = "a, b; c\nd" + ", e" * 20_000
    found = read({"type": "config", "prompt": prompt})
    assert found == ConfigIn(("a", "b", "c", "d", "e"))
    numbered = read({"type": "config", "prompt": ",".join(map(str, range(5_000)))})
    assert isinstance(numbered, ConfigIn)
    assert len(numbered.terms) == MAX_PROMPT_TERMS
    endless = read({"type": "config", "prompt": "x" * 60_000})
    assert isinstance(endless, ConfigIn)
    assert [len(term) for term in endless.terms] == [10_000]


@given(st.text() | st.binary())
def test_every_frame_is_a_message_or_a_fault(frame: str | bytes) -> None:
    assert isinstance(parse(frame), AudioIn | ConfigIn | FlushIn | BadMessage)
