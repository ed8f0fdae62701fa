import io
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import wav
from dragoman.pipeline.audio.wav import WavSource, streaming_header
from tests.pipeline.audio.signals import cut, decoded, loudest, taken, tone
from tests.pipeline.audio.waves import PACKED, VALUES, chunk, fmt, riff, s16

FILE = riff(fmt(1, 16), chunk(b"data", PACKED[1, 16]))
NOTES = chunk(b"LIST", b"INFO")
CUTS = ((1 << 30,), (1,), (5, 30), (13,))


def endless(samples: bytes, size: int = 0xFFFFFFFF) -> bytes:
    return streaming_header(16_000)[:-4] + size.to_bytes(4, "little") + samples


def blocks(data: bytes, sizes: tuple[int, ...]) -> tuple[set[int], Samples]:
    """The rates, and the samples."""
    source = WavSource()
    found = [block for piece in cut(data, sizes) for block in source.decode(piece)] + source.finish()
    return {rate_hz for rate_hz, _ in found}, taken(WavSource(), data, sizes)


@pytest.mark.parametrize("sizes", CUTS)
@pytest.mark.parametrize(
    ("data", "times"),
    [
        (FILE * 2, 2),
        (FILE * 30, 30),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16]), NOTES) + FILE, 2),
        (riff(NOTES, fmt(1, 16), chunk(b"fact", b"1234"), chunk(b"data", PACKED[1, 16]), size=0) + FILE, 2),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16], 4), size=40) + FILE, 2),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16], 0), size=0) + FILE, 2),
        (endless(PACKED[1, 16]) + FILE, 2),
        (endless(PACKED[1, 16], 0) + endless(PACKED[1, 16], 0x7FFFF000) + FILE, 3),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16], 1_000)) + FILE, 2),
        (riff(fmt(1, 16), chunk(b"data", b"")) * 3 + FILE, 1),
        (riff(fmt(1, 16), chunk(b"data", b""), NOTES) + FILE, 1),
        (riff(fmt(1, 16)) + FILE, 1),
        (FILE + riff(fmt(1, 16)), 1),
        (FILE + b"\0" + FILE, 2),
        (endless(PACKED[1, 16] + b"\x7f") + FILE, 2),
        (riff(fmt(1, 16), chunk(b"LIST", b"odd", padded=False), chunk(b"data", PACKED[1, 16])) * 2, 2),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16]), chunk(b"LIST", b"odd", padded=False)) * 2, 2),
        (riff(fmt(1, 16), chunk(b"data", PACKED[1, 16]), chunk(b"LIST", b"", 1 << 30)) + FILE, 2),
        (
            riff(
                chunk(b"ds64", bytes(8) + (8).to_bytes(8, "little") + bytes(8)),
                *(fmt(1, 16), chunk(b"data", PACKED[1, 16], 0xFFFFFFFF)),
                magic=b"RF64",
            )
            * 2,
            2,
        ),
    ],
)
def test_the_next_header_is_read_as_such(data: bytes, times: int, sizes: tuple[int, ...]) -> None:
    assert taken(WavSource(), data, sizes).tolist() == VALUES * times


@pytest.mark.parametrize("sizes", CUTS)
def test_the_next_file_may_have_another_format(sizes: tuple[int, ...]) -> None:
    other = riff(fmt(3, 32, 2, 44_100), chunk(b"data", b"".join(np.array([v, v], "<f4").tobytes() for v in VALUES)))
    assert blocks(FILE + other + FILE, sizes) == ({16_000, 44_100}, pytest.approx(VALUES * 3))


@pytest.mark.parametrize("rates", [(16_000, 8_000), (44_100, 16_000, 48_000), (8_000, 24_000, 8_000)])
def test_each_file_is_resampled_from_its_own_rate(rates: tuple[int, ...]) -> None:
    data = b"".join(riff(fmt(1, 16, rate_hz=rate), chunk(b"data", s16(*tone(rate, rate)))) for rate in rates)
    heard = decoded(wav(), data, sizes=(1_000,))
    assert abs(len(heard) - len(rates) * 16_000) <= len(rates)
    for place in range(len(rates)):
        middle = heard[place * 16_000 + 4_000 : place * 16_000 + 12_000]
        assert abs(int(np.abs(np.fft.rfft(middle)).argmax()) - 220) <= 1


def test_a_file_for_each_piece_sounds_as_one() -> None:
    sound = tone(24_000, 24_000)
    pieces = (s16(*sound[at : at + 1_920]) for at in range(0, len(sound), 1_920))
    joined = b"".join(riff(fmt(1, 16, rate_hz=24_000), chunk(b"data", piece)) for piece in pieces)
    whole = riff(fmt(1, 16, rate_hz=24_000), chunk(b"data", s16(*sound)))
    np.testing.assert_allclose(decoded(wav(), joined), decoded(wav(), whole), atol=1e-6)


def test_samples_are_not_held_back() -> None:
    source = WavSource()
    source.decode(streaming_header(16_000))
    for last in (b"\0\0", b"RI", b"\0R"):
        found = source.decode(PACKED[1, 16] + last)
        assert sum(len(samples) for _, samples in found) >= len(VALUES)


def test_what_begins_like_a_header_is_heard_if_it_is_none() -> None:
    for begun in (b"RIFF", b"RIFFRIFF", b"RIFFabcdWAV", b"RF64abcdWAVe", b"BW", b"WAVEWAVE"):
        data = begun + b"x" * (len(begun) % 2)
        for sizes in CUTS:
            heard = taken(WavSource(), endless(data), sizes)
            assert heard.tolist() == (np.frombuffer(data, "<i2") / 32_768).tolist()


def test_what_is_wrong_is_said_at_the_first_byte_that_is() -> None:
    for data in (b"OggS", b"\0", b"RIFX", b"RIFF\0\0\0\0AVI ", b"RIFF\0\0\0\0WAVe", b"RI\0", bytes(2_000)):
        with pytest.raises(BadAudio, match="not a RIFF"):
            WavSource().decode(data)
    for data in (b"R", b"RIFF\0\0\0\0WAV", riff(fmt(1, 16)), riff(fmt(1, 16)) * 2):
        with pytest.raises(BadAudio, match="ended within the header"):
            taken(WavSource(), data)
    with pytest.raises(BadAudio, match="tag 85"):
        taken(WavSource(), FILE + riff(fmt(85, 16)))


def test_nothing_at_all_is_no_error() -> None:
    assert taken(WavSource(), b"").size == 0


@settings(deadline=None)
@given(
    files=st.lists(
        st.tuples(
            st.lists(st.integers(-32_768, 32_767), max_size=30),
            st.sampled_from(["exact", "short", "none", "endless", "long"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    ),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
)
def test_any_files_in_any_pieces(files: list[tuple[list[int], str, bool]], sizes: list[int]) -> None:
    data, expected = b"", list[int]()
    for values, length, notes in files:
        packed = np.array(values, "<i2").tobytes()
        known = {"exact": None, "short": len(packed) // 4 * 2, "none": 0, "endless": 0xFFFFFFFF, "long": 10_000}[length]
        data += riff(fmt(1, 16), chunk(b"data", packed, known), *([NOTES] if notes and known is None else []))
        expected += values
    assert (taken(WavSource(), data, sizes) * 32_768).tolist() == expected


@given(
    data=st.binary(max_size=300), keep=st.integers(0, 120), sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3)
)
def test_only_audio_errors_escape(data: bytes, keep: int, sizes: list[int]) -> None:
    try:
        samples = taken(WavSource(), (FILE * 2)[:keep] + data + FILE, sizes)
    except AudioError:
        return
    assert loudest(samples) <= 1


def test_our_own_header_is_read_by_python_and_by_us() -> None:
    header = streaming_header(48_000)
    assert len(header) == 44
    data = header + PACKED[1, 16]
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert file.readframes(file.getnframes()) == PACKED[1, 16]
    assert taken(WavSource(), data).tolist() == VALUES
