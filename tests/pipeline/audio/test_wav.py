import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import Encoding, pcm
from dragoman.pipeline.audio.wav import WavSource, streaming_header
from tests.pipeline.audio.signals import cut

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
VALUES = [0.5, -0.25, 0.125, 0.0]
PACKED = {
    (1, 8): (np.array(VALUES) * 128 + 128).astype("u1").tobytes(),
    (1, 16): (np.array(VALUES) * 2**15).astype("<i2").tobytes(),
    (1, 24): b"".join((int(v * 2**23)).to_bytes(3, "little", signed=True) for v in VALUES),
    (1, 32): (np.array(VALUES) * 2**31).astype("<i4").tobytes(),
    (3, 32): np.array(VALUES, "<f4").tobytes(),
    (3, 64): np.array(VALUES, "<f8").tobytes(),
}


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<4sI", name, len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(tag: int, bits: int, channels: int = 1, rate_hz: int = 16_000, *, extensible: bool = False) -> bytes:
    block = channels * ((bits + 7) // 8)
    body = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate_hz, rate_hz * block, block, bits)
    if extensible:
        body += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    return chunk(b"fmt ", body)


def riff(*chunks: bytes, magic: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", magic, 0xFFFFFFFF if magic == b"RF64" else len(body)) + body


def read(data: bytes, sizes: tuple[int, ...] = (1 << 30,)) -> Samples:
    source = WavSource()
    return np.concatenate([*(source.decode(piece) for piece in cut(data, sizes)), source.finish()])


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("tag", "bits"), PACKED)
def test_every_sample_format(tag: int, bits: int, extensible: bool) -> None:
    data = riff(fmt(tag, bits, extensible=extensible), chunk(b"data", PACKED[tag, bits]))
    for sizes in ((1 << 30,), (1,), (3, 5)):
        assert read(data, sizes).tolist() == VALUES


@pytest.mark.parametrize(("tag", "code"), [(6, 0xD5), (7, 0xFF)])
def test_companded_samples(tag: int, code: int) -> None:
    samples = read(riff(fmt(tag, 8), chunk(b"data", bytes([code, code]))))
    assert samples.tolist() == [8 / 32_768 if tag == 6 else 0.0] * 2


def test_stereo_is_mixed_down_and_the_rate_is_known_after_the_header() -> None:
    source = WavSource()
    assert source.rate_hz is None
    data = riff(fmt(1, 16, 2, 44_100), chunk(b"data", PACKED[1, 16]))
    assert source.decode(data).tolist() == [0.125, 0.0625]
    assert source.rate_hz == 44_100


def test_chunks_around_the_data_are_skipped_with_their_padding() -> None:
    junk = chunk(b"LIST", b"x" * 70_001)
    data = riff(junk, fmt(1, 16), chunk(b"fact", b"1234"), chunk(b"odd ", b"o"), chunk(b"data", PACKED[1, 16]), junk)
    assert read(data).tolist() == VALUES
    assert read(data, (997,)).tolist() == VALUES


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_placeholder_length_means_until_the_end(size: int) -> None:
    data = riff(fmt(1, 16), chunk(b"data", PACKED[1, 16] * 3, size))
    assert read(data, (7,)).tolist() == VALUES * 3


def test_rf64_keeps_its_length_elsewhere() -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 8, 4, 0))
    data = riff(sizes, fmt(1, 16), chunk(b"data", PACKED[1, 16], 0xFFFFFFFF), b"trailing", magic=b"RF64")
    assert read(data, (9,)).tolist() == VALUES


def test_a_length_is_counted_down_not_believed() -> None:
    source = WavSource()
    source.decode(riff(fmt(1, 16)) + struct.pack("<4sI", b"JUNK", 0xFFFFFFF0) + bytes(1 << 16))
    assert len(source._head) == 0
    with pytest.raises(BadAudio, match="header"):
        source.finish()


def test_a_long_fmt_chunk_is_read_as_far_as_it_is_known() -> None:
    body = fmt(1, 16)[8:] + bytes(99)
    assert read(riff(chunk(b"fmt ", body), chunk(b"data", PACKED[1, 16]))).tolist() == VALUES


def test_a_sample_cut_off_at_the_end_is_dropped() -> None:
    assert read(riff(fmt(1, 16), chunk(b"data", PACKED[1, 16] + b"\x01", 100))[:-1]).tolist() == VALUES


def test_nothing_at_all_is_no_error() -> None:
    assert read(b"").size == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x01\x02" * 8, "not a RIFF"),
        (b"OggS" + bytes(20), "not a RIFF"),
        (b"RIFF\0\0\0\0AVI " + bytes(20), "not a RIFF"),
        (b"RI", "ended within the header"),
        (riff(fmt(1, 16)), "ended within the header"),
        (riff(chunk(b"data", b"1234")), "data before its format"),
        (riff(chunk(b"fmt ", bytes(15))), "too short"),
        (riff(fmt(85, 16)), "tag 85"),
        (riff(fmt(1, 64)), "64 bits"),
        (riff(fmt(3, 16)), "tag 3"),
        (riff(fmt(1, 0)), "0 bits"),
        (riff(fmt(1, 16, channels=0)), "0 channels"),
        (riff(fmt(1, 16, channels=33)), "33 channels"),
        (riff(fmt(1, 16, rate_hz=999)), "999 Hz"),
        (riff(fmt(1, 16, rate_hz=0x7FFFFFFF)), "2147483647 Hz"),
        (riff(fmt(1, 16, extensible=True)[:-1] + b"x"), "extensible"),
        (riff(chunk(b"fmt ", fmt(0xFFFE, 16)[8:])), "extensible"),
        (riff(fmt(1, 24)[:20] + struct.pack("<HH", 4, 24)), "contradicts"),
        (riff(*[chunk(b"JUNK", b"")] * 300), "more than 256 chunks"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BadAudio, match=reason):
        read(data)


@given(
    values=st.lists(st.integers(-32_768, 32_767), max_size=50),
    extra=st.lists(st.binary(max_size=60), max_size=3),
    tail=st.binary(max_size=20),
    extensible=st.booleans(),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4),
)
def test_any_layout_in_any_pieces(
    values: list[int], extra: list[bytes], tail: bytes, extensible: bool, sizes: list[int]
) -> None:
    packed = np.array(values, "<i2").tobytes()
    junk = [chunk(b"junk", body) for body in extra]
    data = riff(*junk, fmt(1, 16, extensible=extensible), *junk, chunk(b"data", packed), tail if values else b"")
    assert (read(data, tuple(sizes)) * 32_768).tolist() == values


@given(
    data=st.binary(max_size=300), keep=st.integers(0, 70), sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3)
)
def test_only_audio_errors_escape(data: bytes, keep: int, sizes: list[int]) -> None:
    good = riff(fmt(1, 16, extensible=True), chunk(b"data", PACKED[1, 16]))
    try:
        samples = read(good[:keep] + data, tuple(sizes))
    except AudioError:
        return
    assert np.abs(samples).max(initial=0) <= 1


def test_our_own_header_is_read_by_python_and_by_us() -> None:
    header = streaming_header(48_000)
    assert len(header) == 44
    data = header + PACKED[1, 16]
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert file.readframes(file.getnframes()) == PACKED[1, 16]
    assert read(data).tolist() == VALUES


def test_where_the_samples_are_is_told_before_they_are_decoded() -> None:
    data = riff(chunk(b"junk", b"abc"), fmt(1, 16, 2), chunk(b"data", PACKED[1, 16]))
    source = WavSource()
    assert source.read_header(data[:30]) == 30
    assert source.body is None
    at = 30 + source.read_header(data[30:])
    whole = len(PACKED[1, 16]) - len(PACKED[1, 16]) % 4
    assert source.body == (pcm(16_000, Encoding.S16LE, 2), whole)
    assert data[at : at + whole] == PACKED[1, 16][:whole]
    endless = WavSource()
    assert endless.read_header(streaming_header(8000) + PACKED[1, 16]) == 44
    assert endless.body == (pcm(8000), None)
