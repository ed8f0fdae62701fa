from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.models.engines.silero.detector import FRAME_SAMPLES, SileroDetector
from dragoman.pipeline.audio.dc import DcBlocker
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.errors import AudioError, BadAudio, UnsupportedFormat
from dragoman.pipeline.audio.formats import (
    AudioFormat,
    Container,
    Encoding,
    alaw,
    media,
    ogg_opus,
    pcm,
    sniffed,
    ulaw,
    wav,
)
from tests.models.recordings import recording
from tests.pipeline.audio.signals import decoded, encoded, loudest, tone

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]
STREAMS = {
    fmt.name: (fmt, encoded(fmt, tone(fmt.rate_hz or 48_000, 3_000)))
    for fmt in (pcm(24_000), pcm(16_000), pcm(44_100, Encoding.F32LE), wav(22_050), ulaw(), alaw(), ogg_opus())
}


@pytest.mark.parametrize("rate_hz", RATES)
def test_the_same_sound_at_every_rate(rate_hz: int) -> None:
    for fmt in (pcm(rate_hz), wav(rate_hz)):
        heard = decoded(fmt, encoded(fmt, tone(rate_hz, rate_hz)), sizes=(3_841,))
        assert abs(len(heard) - 16_000) <= 1
        assert heard.dtype == np.float32
        expected = DcBlocker(16_000).process(tone(16_000, len(heard)))
        assert loudest((heard - expected)[500:-500]) < 1e-3


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(list(STREAMS)), sizes=st.lists(st.integers(1, 1_500), min_size=1, max_size=4))
def test_chunk_borders_carry_no_meaning(name: str, sizes: list[int]) -> None:
    fmt, data = STREAMS[name]
    sizes = [*sizes, 700]
    whole = decoded(fmt, data)
    np.testing.assert_allclose(decoded(fmt, data, sizes=sizes), whole, atol=1e-6)
    np.testing.assert_allclose(decoded(sniffed(fmt), data, sizes=sizes), whole, atol=1e-6)


@pytest.mark.parametrize("name", STREAMS)
def test_single_bytes_are_chunks_too(name: str) -> None:
    fmt, data = STREAMS[name]
    data = data[:1_500]
    np.testing.assert_allclose(decoded(fmt, data, sizes=(1,)), decoded(fmt, data), atol=1e-6)


@pytest.mark.parametrize("name", STREAMS)
def test_sniffing_finds_files_behind_any_fallback(name: str) -> None:
    fmt, data = STREAMS[name]
    if fmt.container is Container.RAW:
        assert np.array_equal(decoded(sniffed(fmt), data), decoded(fmt, data))
    else:
        assert np.array_equal(decoded(sniffed(pcm(24_000)), data, sizes=(3, 1)), decoded(fmt, data))
        assert np.array_equal(decoded(sniffed(ulaw()), data), decoded(fmt, data))


def test_a_sniffed_stream_may_be_shorter_than_what_is_looked_at() -> None:
    assert len(decoded(sniffed(pcm(16_000)), b"\x00\x40")) == 1
    assert len(decoded(sniffed(pcm(16_000)), b"RIF")) == 1
    assert decoded(sniffed(pcm(16_000)), b"").size == 0
    with pytest.raises(BadAudio):
        decoded(sniffed(wav()), b"RIF")
    decoder = make_decoder(sniffed(pcm(16_000)))
    decoder.decode(b"\x00\x40")
    assert decoder.finish().size == 1
    assert decoder.finish().size == 0


def test_wav_that_is_none_is_not_guessed_at() -> None:
    with pytest.raises(BadAudio, match="wav but the bytes are not"):
        decoded(wav(), bytes(100))
    with pytest.raises(BadAudio, match="wav but the bytes are not"):
        decoded(sniffed(wav()), bytes(100))


@pytest.mark.parametrize("name", STREAMS)
def test_no_bytes_no_samples(name: str) -> None:
    assert decoded(STREAMS[name][0], b"").size == 0


def test_an_odd_byte_at_the_end_is_dropped() -> None:
    assert len(decoded(pcm(16_000), b"\x00\x40\x01")) == 1


def test_clipped_input_stays_within_bounds_after_the_filter() -> None:
    square = np.where(np.arange(24_000) // 30 % 2, 1.0, -1.0).astype(np.float32)
    assert loudest(decoded(pcm(24_000), encoded(pcm(24_000), square))) <= 1


@pytest.mark.parametrize("fmt", [pcm(16_000), pcm(44_100, Encoding.F32LE), wav(22_050), ulaw()])
def test_a_constant_offset_is_taken_away(fmt: AudioFormat) -> None:
    assert fmt.rate_hz
    sound = tone(fmt.rate_hz, fmt.rate_hz, amplitude=0.05)
    plain, offset = (decoded(fmt, encoded(fmt, sound + by), sizes=(999,)) for by in (np.float32(0), np.float32(0.3)))
    middle = slice(2_000, -2_000)  # the resampler has nothing around its ends
    assert loudest(offset[middle]) < 0.07
    assert loudest((plain - offset)[middle]) < 0.03  # G.711 is coarser up there


@pytest.mark.embedded
@pytest.mark.parametrize("offset", [0.3, -0.1])
def test_quiet_speech_on_top_of_an_offset_is_speech(offset: float) -> None:
    quiet = 0.03 * recording("beckett.wav")[: 10 * 16_000]
    quiet = quiet[: len(quiet) // FRAME_SAMPLES * FRAME_SAMPLES]

    def speech(samples: Samples) -> int:
        heard = decoded(pcm(16_000, Encoding.F32LE), samples.astype("<f4").tobytes(), sizes=(5_120,))
        return int(np.count_nonzero(SileroDetector().stream().probabilities(heard) > 0.5))

    assert speech(quiet + np.float32(offset)) == pytest.approx(speech(quiet), rel=0.02)
    assert speech(quiet) > 60


def test_what_cannot_be_decoded_is_refused_at_once() -> None:
    with pytest.raises(UnsupportedFormat):
        make_decoder(replace(pcm(16_000), rate_hz=None))
    with pytest.raises(UnsupportedFormat):
        make_decoder(replace(pcm(16_000), encoding=Encoding.OPUS))
    with pytest.raises(BadAudio):
        make_decoder(pcm(16))
    with pytest.raises(BadAudio):
        make_decoder(sniffed(pcm(16_000, channels=0)))


@settings(max_examples=100, deadline=None)
@given(
    fmt=st.sampled_from([*(fmt for fmt, _ in STREAMS.values()), sniffed(pcm(24_000)), pcm(8_000, Encoding.F64BE, 3)]),
    magic=st.sampled_from([b"", b"RIFF", b"OggS", b"RIFF\0\0\0\0WAVEfmt "]),
    data=st.binary(max_size=300),
    sizes=st.lists(st.integers(1, 99), min_size=1, max_size=3),
)
def test_only_audio_errors_escape(fmt: AudioFormat, magic: bytes, data: bytes, sizes: list[int]) -> None:
    try:
        samples = decoded(fmt, magic + data, sizes=sizes)
    except AudioError:
        return
    assert np.isfinite(samples).all()
    assert loudest(samples) <= 1


@pytest.mark.parametrize(
    ("fmt", "data", "before", "after"),
    [
        (pcm(16_000), bytes(100), False, False),
        (wav(), STREAMS["wav"][1], False, False),
        (ogg_opus(), STREAMS["ogg_opus"][1], True, True),
        (sniffed(pcm(16_000)), bytes(100), True, False),
        (sniffed(pcm(16_000)), STREAMS["ogg_opus"][1], True, True),
        (media(Container.ANY), STREAMS["wav"][1], True, False),
    ],
)
def test_a_decoder_says_whether_a_few_bytes_may_take_it_long(
    fmt: AudioFormat, data: bytes, before: bool, after: bool
) -> None:
    decoder = make_decoder(fmt)
    assert decoder.coded is before
    decoder.decode(data)
    assert decoder.coded is after
    decoder.close()
