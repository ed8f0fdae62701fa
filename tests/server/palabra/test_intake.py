"""Audio in the other input formats."""

import struct

import pytest

from dragoman.pipeline.audio.formats import Container, pcm
from dragoman.server.commands import Feed
from tests.server.palabra.talk import (
    Talk,
    audio,
    error,
    opened,
    task,
)


def riff(rate_hz: int = 24000, channels: int = 1, bits: int = 16, size: int = 0xFFFFFFFF, extra: bytes = b"") -> bytes:
    body = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate_hz, rate_hz * 2, 2, bits) + extra
    return struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + body + struct.pack("<4sI", b"data", size)


def coded(name: str, channels: int = 1) -> Talk:
    changed = task()
    changed["input_stream"]["source"] |= {"format": name, "channels": channels}
    talk = Talk()
    talk.send("set_task", changed)
    return talk


def fed(talk: Talk, chunk: bytes) -> bytes:
    assert talk.send("input_audio_data", audio(chunk)) == []
    (command,) = talk.commands
    assert isinstance(command, Feed)
    return command.data


def test_headers_are_taken_off_wherever_they_stand() -> None:
    talk = coded("wav")
    assert opened(talk).input_format == pcm(24000)
    sound = bytes(range(250)) * 8
    assert fed(talk, riff() + sound) == sound
    assert fed(talk, sound) == sound
    assert fed(talk, riff(size=0, extra=struct.pack("<4sI3sx", b"LIST", 3, b"abc")) + sound) == sound
    assert fed(talk, riff(size=2000) + sound + b"LIST\0\0\0\0") == sound
    assert fed(talk, riff()) == b""


@pytest.mark.parametrize(
    "chunk", [riff(rate_hz=8000), riff(channels=2), riff(bits=8), riff()[:36], b"RIFF", b"RIFF" + bytes(393_216)]
)
def test_headers_that_contradict_the_task_are_refused(chunk: bytes) -> None:
    talk = coded("wav")
    (refusal,) = talk.send("input_audio_data", audio(chunk))
    assert error(refusal)[0] == "VALIDATION_ERROR"


def test_pages_of_opus_pass_and_packets_get_pages() -> None:
    pages = coded("opus")
    assert opened(pages).input_format.container is Container.OGG_OPUS
    assert fed(pages, b"OggS and so on") == b"OggS and so on"
    assert fed(pages, b"more") == b"more"
    packets = coded("opus", channels=2)
    first, second = fed(packets, b"\xfc\x01"), fed(packets, b"\xfc\x02")
    assert first.count(b"OggS") == 3
    assert b"OpusHead\x01\x02" in first
    assert second.startswith(b"OggS")
    assert second.endswith(b"\xfc\x02")
    for chunk in (b"", bytes(70_000), bytes(400_000)):
        assert error(packets.send("input_audio_data", audio(chunk))[0])[0] == "VALIDATION_ERROR"
