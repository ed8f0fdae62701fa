import av
import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.pipeline.audio.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

CODES = np.arange(256, dtype=np.uint8)
LINEAR = np.arange(-32_768, 32_768).astype(np.int16)


def linear_of(samples: Samples) -> NDArray[np.int32]:
    return np.rint(samples * 32_768).astype(np.int32)


def ffmpeg_values(codec: str) -> NDArray[np.int32]:
    decoder = av.CodecContext.create(codec, "r")
    decoder.sample_rate = 8_000
    decoder.layout = "mono"
    (frame,) = decoder.decode(av.Packet(CODES.tobytes()))
    values: NDArray[np.int32] = frame.to_ndarray().reshape(-1).astype(np.int32)
    return values


def test_codes_of_the_recommendation() -> None:
    ulaw = linear_of(decode_ulaw(CODES))
    assert [ulaw[code] for code in (0x00, 0x7F, 0x80, 0xFF)] == [-32_124, 0, 32_124, 0]
    alaw = linear_of(decode_alaw(CODES))
    assert [alaw[code] for code in (0x55, 0xD5, 0x2A, 0xAA)] == [-8, 8, -32_256, 32_256]


def test_every_code_means_what_ffmpeg_reads() -> None:
    assert np.array_equal(linear_of(decode_ulaw(CODES)), ffmpeg_values("pcm_mulaw"))
    assert np.array_equal(linear_of(decode_alaw(CODES)), ffmpeg_values("pcm_alaw"))


def test_every_code_comes_back() -> None:
    ulaw = encode_ulaw(linear_of(decode_ulaw(CODES)).astype(np.int16))
    assert ulaw[0x7F] == 0xFF  # there are two zeros; the negative one is never written for a 0
    assert np.array_equal(np.delete(ulaw, 0x7F), np.delete(CODES, 0x7F))
    assert np.array_equal(encode_alaw(linear_of(decode_alaw(CODES)).astype(np.int16)), CODES)


def decision_values(first_step: int, segment_ends: list[int]) -> NDArray[np.int32]:
    """Where the intervals of the positive codes begin, in the law's own resolution: sixteen to a segment."""
    values = [0]
    for number, end in enumerate(segment_ends):
        step = first_step << number
        values += range(end - 16 * step, end, step)
    return np.array(sorted({value for value in values if value >= 0}), np.int32)


def test_mu_law_decides_where_the_recommendation_does() -> None:
    begins = decision_values(2, [31, 95, 223, 479, 991, 2_015, 4_063, 8_159]) * 4
    assert len(begins) == 128
    positive = np.arange(32_768, dtype=np.int16)
    expected = 0xFF - (np.searchsorted(begins, positive, side="right") - 1)
    assert np.array_equal(encode_ulaw(positive), expected)
    assert np.array_equal(encode_ulaw(~positive), expected & 0x7F)


def test_a_law_decides_where_the_recommendation_does() -> None:
    ends = [64, 128, 256, 512, 1_024, 2_048, 4_096]
    begins = np.concatenate([np.arange(0, 32, 2), decision_values(2, ends)[-112:]]) * 8
    assert len(begins) == 128
    positive = np.arange(32_768, dtype=np.int16)
    expected = (np.searchsorted(begins, positive, side="right") - 1) ^ 0xD5
    assert np.array_equal(encode_alaw(positive), expected)
    assert np.array_equal(encode_alaw(~positive), expected & 0x7F)


def test_the_decoded_values_rise_with_the_samples() -> None:
    assert np.all(np.diff(linear_of(decode_ulaw(encode_ulaw(LINEAR)))) >= 0)
    assert np.all(np.diff(linear_of(decode_alaw(encode_alaw(LINEAR)))) >= 0)
