import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio, UnsupportedFormat
from dragoman.pipeline.audio.formats import Encoding
from dragoman.pipeline.audio.raw import RawSource
from tests.pipeline.audio.signals import taken

HALF_AND_MINUS_QUARTER = {
    Encoding.S8: "40 e0",
    Encoding.U8: "c0 60",
    Encoding.S16LE: "0040 00e0",
    Encoding.S16BE: "4000 e000",
    Encoding.U16LE: "00c0 0060",
    Encoding.U16BE: "c000 6000",
    Encoding.S24LE: "000040 0000e0",
    Encoding.S24BE: "400000 e00000",
    Encoding.U24LE: "0000c0 000060",
    Encoding.U24BE: "c00000 600000",
    Encoding.S32LE: "00000040 000000e0",
    Encoding.S32BE: "40000000 e0000000",
    Encoding.U32LE: "000000c0 00000060",
    Encoding.U32BE: "c0000000 60000000",
    Encoding.F32LE: "0000003f 000080be",
    Encoding.F32BE: "3f000000 be800000",
    Encoding.F64LE: "000000000000e03f 000000000000d0bf",
    Encoding.F64BE: "3fe0000000000000 bfd0000000000000",
}


@pytest.mark.parametrize(("encoding", "data"), HALF_AND_MINUS_QUARTER.items())
def test_every_encoding_of_the_same_two_values(encoding: Encoding, data: str) -> None:
    samples = taken(RawSource(encoding, 16_000), bytes.fromhex(data))
    assert samples.tolist() == [0.5, -0.25]
    assert samples.dtype == np.float32


@pytest.mark.parametrize(("encoding", "data"), HALF_AND_MINUS_QUARTER.items())
def test_channels_are_mixed_down(encoding: Encoding, data: str) -> None:
    assert taken(RawSource(encoding, 16_000, 2), bytes.fromhex(data)).tolist() == [0.125]


@pytest.mark.parametrize("encoding", [e for e in Encoding if e not in (Encoding.OPUS, Encoding.INNER)])
def test_all_encodings_but_codecs_are_read(encoding: Encoding) -> None:
    samples = taken(RawSource(encoding, 16_000), bytes(range(64)))
    assert len(samples) in (64, 32, 21, 16, 8)
    assert np.abs(samples).max() <= 1


def test_floats_beyond_full_scale_are_bounded() -> None:
    data = np.array([np.nan, np.inf, -7, 1e300], "<f8").tobytes()
    assert taken(RawSource(Encoding.F64LE, 16_000), data).tolist() == [0, 1, -1, 1]


@given(
    data=st.binary(max_size=200),
    sizes=st.lists(st.integers(1, 17), min_size=1, max_size=5),
    encoding=st.sampled_from([e for e in Encoding if e not in (Encoding.OPUS, Encoding.INNER)]),
    channels=st.integers(1, 3),
)
def test_chunk_borders_carry_no_meaning(data: bytes, sizes: list[int], encoding: Encoding, channels: int) -> None:
    whole = taken(RawSource(encoding, 16_000, channels), data)
    np.testing.assert_array_equal(taken(RawSource(encoding, 16_000, channels), data, sizes), whole)


def test_an_odd_byte_at_the_end_is_dropped() -> None:
    assert taken(RawSource(Encoding.S16LE, 16_000), b"\0\x40\0").tolist() == [0.5]


def test_what_cannot_be_read_is_refused_at_once() -> None:
    with pytest.raises(UnsupportedFormat):
        RawSource(Encoding.OPUS, 48_000)
    with pytest.raises(BadAudio):
        RawSource(Encoding.S16LE, 10)
    with pytest.raises(BadAudio):
        RawSource(Encoding.S16LE, 16_000, 33)
