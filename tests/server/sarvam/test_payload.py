import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, Encoding, pcm
from dragoman.server.protocols.sarvam.payload import Payload
from dragoman.server.protocols.sarvam.query import Codec
from tests.sdk.speech import Pcm, as_ogg_opus, as_wav, bursts

SAMPLES: Pcm = bursts(1, 16000, 0.1, 0.1)
BYTES = SAMPLES.tobytes()


def taken(codec: Codec, messages: list[bytes], rate_hz: int | None = None, said_hz: int | None = None) -> list[object]:
    payload = Payload(codec, rate_hz)
    return [payload.take(message, said_hz) for message in messages]


def joined(parts: list[object]) -> tuple[set[AudioFormat], bytes]:
    found = [part for part in parts if isinstance(part, tuple)]
    return {audio_format for audio_format, _ in found}, b"".join(data for _, data in found)


def test_each_message_may_be_a_file() -> None:
    formats, data = joined(taken(Codec.WAV, [as_wav(SAMPLES[:1000], 16000), as_wav(SAMPLES[1000:], 16000)]))
    assert formats == {pcm(16000)}
    assert data == BYTES


def test_one_header_may_stand_before_everything() -> None:
    file = as_wav(SAMPLES, 8000)
    formats, data = joined(taken(Codec.WAV, [file[:999], file[999:3000], file[3000:]], rate_hz=16000))
    assert formats == {pcm(8000)}, "the header knows better than the address"
    assert data == BYTES


def test_a_header_may_count_the_samples_of_its_own_message_only() -> None:
    _, data = joined(taken(Codec.WAV, [as_wav(SAMPLES[:500], 16000), SAMPLES[500:].tobytes()]))
    assert data == BYTES


def test_what_follows_the_samples_of_a_file_is_not_heard() -> None:
    with_notes = as_wav(SAMPLES, 16000) + b"LIST" + struct.pack("<I", 4) + b"note"
    _, data = joined(taken(Codec.WAV, [with_notes, BYTES]))
    assert data == BYTES * 2


def test_half_a_sample_at_the_end_of_a_file_is_not_heard() -> None:
    odd = as_wav(SAMPLES, 16000)[:40] + struct.pack("<I", len(BYTES) - 1) + BYTES[:-1]
    _, data = joined(taken(Codec.WAV, [odd, BYTES]))
    assert data == BYTES[:-2] + BYTES


@given(st.lists(st.integers(1, 400), max_size=8))
def test_a_file_may_be_cut_anywhere(cuts: list[int]) -> None:
    file = as_wav(SAMPLES, 16000)
    places = [0, *(sum(cuts[: n + 1]) for n in range(len(cuts))), len(file)]
    pieces = [file[start:stop] for start, stop in pairwise(places)]
    if 0 < len(pieces[0]) < 4:
        return  # the first message is too short to be told from samples
    assert joined(taken(Codec.WAV, pieces)) == ({pcm(16000)}, BYTES)


def test_other_headers_say_other_formats() -> None:
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 2, 44100, 352800, 8, 32)
    (part,) = taken(Codec.WAV, [head + b"data\xff\xff\xff\xff" + bytes(16)])
    assert part == (pcm(44100, Encoding.F32LE, 2), bytes(16))


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize(
    ("rate_hz", "said_hz", "expected"), [(8000, 16000, 8000), (None, 24000, 24000), (None, None, 16000)]
)
def test_samples_without_a_header(codec: Codec, rate_hz: int | None, said_hz: int | None, expected: int) -> None:
    assert taken(codec, [BYTES], rate_hz, said_hz) == [(pcm(expected), BYTES)]


@pytest.mark.parametrize("codec", [Codec.PCM_S16LE, Codec.PCM_L16, Codec.PCM_RAW])
def test_samples_are_not_looked_at_where_they_are_announced(codec: Codec) -> None:
    file = as_wav(SAMPLES, 8000)
    assert taken(codec, [file, b"OggS"]) == [(pcm(16000), file), (pcm(16000), b"OggS")]


def test_nothing_is_nothing() -> None:
    assert taken(Codec.WAV, [b"", b""]) == [None, None]


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)


@pytest.mark.parametrize(
    "start",
    [as_ogg_opus(SAMPLES, 16000)[:100], b"fLaC" + bytes(40), MP3_FRAME * 4],
    ids=["Ogg Opus", "FLAC", "MP3"],
)
def test_compressed_audio_is_refused(start: bytes) -> None:
    with pytest.raises(BadAudio, match="is not read on sockets"):
        taken(Codec.WAV, [start])


def test_samples_that_look_compressed_are_samples_within_a_stream() -> None:
    assert len(joined(taken(Codec.WAV, [BYTES, MP3_FRAME * 4]))[1]) == len(BYTES) + len(MP3_FRAME) * 4
    assert joined(taken(Codec.WAV, [MP3_FRAME]))[1] == MP3_FRAME, "one frame may be chance"


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([b"RIFF\0\0\0\0AVI LIST"], "RIFF WAVE"),
        ([b"RIFF\0\0\0\0WAVEdata\0\0\0\0"], "before its format"),
        ([b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff", *[bytes(200_000)] * 6], "no samples within"),
    ],
)
def test_broken_headers(messages: list[bytes], told: str) -> None:
    with pytest.raises(BadAudio, match=told):
        taken(Codec.WAV, messages)
