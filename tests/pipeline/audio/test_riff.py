import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import Encoding, pcm
from dragoman.pipeline.audio.riff import RiffReader
from dragoman.pipeline.audio.samples import join
from dragoman.pipeline.audio.wav import streaming_header
from tests.pipeline.audio.signals import cut
from tests.pipeline.audio.waves import PACKED, VALUES, chunk, fmt, riff, s16

DATA = chunk(b"data", PACKED[1, 16])
NOTES = chunk(b"LIST", b"INFOICMT" + struct.pack("<I", 5) + b"notes")


def read(data: bytes, sizes: Sequence[int] = (1 << 30,)) -> Samples:
    reader = RiffReader()
    blocks = [block for piece in cut(data, sizes) for block in reader.decode(piece)]
    return join([samples for _, samples in blocks + reader.end()])


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


def test_the_rate_and_the_channels_are_the_header_s() -> None:
    ((rate_hz, samples),) = RiffReader().decode(riff(fmt(1, 16, 2, 44_100), DATA))
    assert rate_hz == 44_100
    assert samples.tolist() == [0.125, 0.0625]


def test_chunks_around_the_data_are_skipped_with_their_padding() -> None:
    junk = chunk(b"LIST", b"x" * 70_001)
    data = riff(junk, fmt(1, 16), chunk(b"fact", b"1234"), chunk(b"odd ", b"o"), chunk(b"data", PACKED[1, 16]), junk)
    assert read(data).tolist() == VALUES
    assert read(data, (997,)).tolist() == VALUES


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_placeholder_length_means_until_the_end(size: int) -> None:
    data = riff(fmt(1, 16), chunk(b"data", PACKED[1, 16] * 3, size))
    assert read(data, (7,)).tolist() == VALUES * 3


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_rf64_keeps_its_length_elsewhere(magic: bytes) -> None:
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 8, 4, 0))
    data = riff(sizes, fmt(1, 16), chunk(b"data", PACKED[1, 16], 0xFFFFFFFF), NOTES, magic=magic)
    assert read(data, (9,)).tolist() == VALUES


def test_a_length_is_counted_down_not_believed() -> None:
    reader = RiffReader()
    reader.decode(riff(fmt(1, 16)) + struct.pack("<4sI", b"JUNK", 0xFFFFFFF0) + bytes(1 << 16))
    assert reader._unread == b""
    assert reader.body is None


def test_a_long_fmt_chunk_is_read_as_far_as_it_is_known() -> None:
    body = fmt(1, 16)[8:] + bytes(99)
    assert read(riff(chunk(b"fmt ", body), chunk(b"data", PACKED[1, 16]))).tolist() == VALUES


def test_a_sample_cut_off_at_the_end_is_dropped() -> None:
    assert read(riff(fmt(1, 16), chunk(b"data", PACKED[1, 16] + b"\x01", 100))[:-1]).tolist() == VALUES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x01\x02" * 8, "not a RIFF"),
        (b"OggS" + bytes(20), "not a RIFF"),
        (b"RIFF\0\0\0\0AVI " + bytes(20), "not a RIFF"),
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
        (riff(fmt(1, 16), bytes(range(40))), "no chunk where one should be"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BadAudio, match=reason):
        read(data)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("size", [1, 27, 4_097])
def test_an_odd_chunk_before_the_data_may_lack_its_padding(size: int, padded: bool) -> None:
    for body in (b"x" * size, b"\0" * size, b"dat" * size):
        odd = chunk(b"LIST", body[:size], padded=padded)
        for before in ([odd, fmt(1, 16)], [fmt(1, 16), odd], [odd, fmt(1, 16), odd, chunk(b"mine", b"12"), odd]):
            for sizes in ((1 << 30,), (1,), (7, 3)):
                assert read(riff(*before, DATA), sizes).tolist() == VALUES


@pytest.mark.parametrize("padded", [True, False])
def test_so_may_odd_data_and_what_stands_behind_it(padded: bool) -> None:
    odd = chunk(b"data", PACKED[1, 8][:3], padded=padded)
    for behind in ([NOTES], [NOTES, chunk(b"id3 ", b"odd", padded=padded), NOTES], [chunk(b"mine", b"12")], []):
        data = riff(fmt(1, 8), odd, *behind)
        for sizes in ((1 << 30,), (1,), (11,)):
            assert read(data, sizes).tolist() == VALUES[:3]


def test_the_beginning_of_a_chunk_at_the_end_is_no_sound() -> None:
    odd = chunk(b"LIST", b"odd", padded=False)
    for last in (odd + chunk(b"LIST", b""), NOTES[:5], odd + b"\0" + NOTES[:6]):
        assert read(riff(fmt(1, 16), DATA, last), (5,)).tolist() == VALUES


def test_a_padding_byte_need_not_be_zero() -> None:
    assert read(riff(fmt(1, 16), chunk(b"LIST", b"odd", padded=False) + b"d" + DATA)).tolist() == VALUES


@pytest.mark.parametrize("short", [0, 2, 6])
def test_samples_behind_a_length_that_was_too_short_are_heard(short: int) -> None:
    samples = s16(*np.linspace(-1, 0.9, 500))
    for size in (None, 0, 0xFFFFFFFF, 36 + short):
        data = riff(fmt(1, 16), chunk(b"data", samples, short), size=size)
        for sizes in ((1 << 30,), (1,), (13, 400)):
            assert np.array_equal(read(data, sizes), read(riff(fmt(1, 16), chunk(b"data", samples))))


def test_so_are_fewer_than_a_chunk_would_begin_with() -> None:
    for left in range(4):
        assert read(riff(fmt(1, 16), chunk(b"data", PACKED[1, 16], left * 2)), (5,)).tolist() == VALUES
    padded = riff(fmt(1, 8), chunk(b"data", PACKED[1, 8][:3]))
    assert read(padded, (5,)).tolist() == VALUES[:3]


def test_they_are_heard_in_place_where_the_length_ended_within_one() -> None:
    samples = b"".join(PACKED[1, 24] for _ in range(9))
    assert read(riff(fmt(1, 24), chunk(b"data", samples, 4)), (5,)).tolist() == VALUES * 9


def test_a_chunk_that_nobody_knows_is_none_where_the_file_was_to_end() -> None:
    loud = b"loudloudloud"
    known = riff(fmt(1, 16), DATA, chunk(b"loud", b"1234"))
    assert read(known).tolist() == VALUES
    assert len(read(riff(fmt(1, 16), DATA) + loud)) == len(VALUES) + len(loud) // 2


def test_an_empty_data_chunk_has_no_samples_but_those_behind_it() -> None:
    empty = chunk(b"data", b"")
    assert read(riff(fmt(1, 16), empty, NOTES)).size == 0
    assert read(riff(fmt(1, 16), empty)).size == 0
    assert read(riff(fmt(1, 16), empty, DATA)).tolist() == VALUES


def test_a_file_may_have_several_data_chunks_and_formats() -> None:
    reader = RiffReader()
    other = chunk(b"data", PACKED[1, 8])
    blocks = reader.decode(riff(fmt(1, 16), DATA, NOTES, DATA, fmt(1, 8, rate_hz=8_000), other))
    assert [rate_hz for rate_hz, _ in blocks] == [16_000, 16_000, 8_000]
    assert join([samples for _, samples in blocks]).tolist() == VALUES * 3


@given(
    values=st.lists(st.integers(-32_768, 32_767), max_size=50),
    extra=st.lists(st.binary(max_size=60), max_size=3),
    behind=st.lists(st.binary(max_size=20), max_size=3),
    extensible=st.booleans(),
    padded=st.booleans(),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4),
)
def test_any_layout_in_any_pieces(
    values: list[int], extra: list[bytes], behind: list[bytes], extensible: bool, padded: bool, sizes: list[int]
) -> None:
    packed = np.array(values, "<i2").tobytes()
    before, after = (
        [chunk(name, body, padded=padded) for body in bodies] for name, bodies in ((b"junk", extra), (b"LIST", behind))
    )
    data = riff(*before, fmt(1, 16, extensible=extensible), *before, chunk(b"data", packed), *after)
    assert (read(data, sizes) * 32_768).tolist() == values


@given(
    data=st.binary(max_size=300), keep=st.integers(0, 70), sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3)
)
def test_only_audio_errors_escape(data: bytes, keep: int, sizes: list[int]) -> None:
    good = riff(fmt(1, 16, extensible=True), chunk(b"data", PACKED[1, 16]))
    try:
        samples = read(good[:keep] + data, sizes)
    except AudioError:
        return
    assert np.abs(samples).max(initial=0) <= 1


def test_where_the_samples_are_is_told_before_they_are_decoded() -> None:
    data = riff(chunk(b"junk", b"abc"), fmt(1, 16, 2), chunk(b"data", PACKED[1, 16]))
    reader = RiffReader()
    assert reader.read_header(data[:30]) == 30
    assert reader.body is None
    at = 30 + reader.read_header(data[30:])
    whole = len(PACKED[1, 16]) - len(PACKED[1, 16]) % 4
    assert reader.body == (pcm(16_000, Encoding.S16LE, 2), whole)
    assert data[at : at + whole] == PACKED[1, 16][:whole]
    endless = RiffReader()
    assert endless.read_header(streaming_header(8000) + PACKED[1, 16]) == 44
    assert endless.body == (pcm(8000), None)
