import numpy as np
import pytest

from dragoman.models.base import Samples
from dragoman.pipeline.audio.codec_encode import CODECS, CodecEncoder
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.errors import UnsupportedFormat
from dragoman.pipeline.audio.formats import Container, media, ogg_opus
from tests.pipeline.audio.signals import decoded, encoded, ffmpeg_decoded, tone

LOSSY = (Container.MP3, Container.AAC)
RATES = [(container, rate_hz) for container, codec in CODECS.items() for rate_hz in codec.rates_hz]
FRAME = {Container.MP3: 1_152, Container.AAC: 1_024, Container.FLAC: 0}
"""Samples of the longest frame, of which two may be filled up at the end."""


def speechlike(rate_hz: int, count: int) -> Samples:
    """Something that is nowhere like itself a moment later, far below the half of the lowest rate."""
    at_s = np.arange(count) / rate_hz
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * at_s) * at_s)).astype(np.float32)


def heard_of(container: Container, data: bytes, rate_hz: int) -> Samples:
    """What our decoder makes of it; none of a stream without a byte."""
    return decoded(media(container), data, rate_hz) if data else np.zeros(0, np.float32)


@pytest.mark.parametrize(("container", "rate_hz"), RATES)
def test_what_went_in_is_heard_where_the_codec_puts_it(container: Container, rate_hz: int) -> None:
    sound, lead = speechlike(rate_hz, rate_hz), CODECS[container].lead
    heard = heard_of(container, encoded(media(container, rate_hz), sound, 333), rate_hz)
    assert len(sound) + lead <= len(heard) <= len(sound) + lead + 2 * FRAME[container]
    here = heard[lead : lead + len(sound)]
    assert np.corrcoef(sound, here)[0, 1] > 0.99
    one_late = heard[lead + 1 : lead + 1 + len(sound)]
    assert len(one_late) < len(sound) or np.corrcoef(sound, here)[0, 1] > np.corrcoef(sound, one_late)[0, 1]


@pytest.mark.parametrize("container", list(CODECS))
@pytest.mark.parametrize("count", [0, 1, 575, 576, 577, 1_024, 1_025])
def test_short_streams_end_whole(container: Container, count: int) -> None:
    sound = tone(24_000, count)
    data = encoded(media(container, 24_000), sound)
    if container is Container.FLAC:
        assert data.startswith(b"fLaC")
        assert len(ffmpeg_decoded(data)) == count
    else:
        assert bool(data) == bool(count)
        assert len(heard_of(container, data, 24_000)) >= count


@pytest.mark.parametrize("container", list(CODECS))
def test_pieces_make_the_stream_that_the_whole_makes(container: Container) -> None:
    sound, fmt = speechlike(24_000, 10_000), media(container, 24_000)
    assert encoded(fmt, sound) == encoded(fmt, sound, 1) == encoded(fmt, sound, 997)


@pytest.mark.parametrize("container", list(CODECS))
def test_little_is_held_back(container: Container) -> None:
    encoder = make_encoder(media(container, 24_000))
    heard = encoder.header() + b"".join(encoder.encode(tone(24_000, 2_400)) for _ in range(20))
    assert 20 * 2_400 - len(ffmpeg_decoded(heard)) <= 2 * 1_152


@pytest.mark.parametrize("container", LOSSY)
def test_more_bits_for_who_asks_for_them_as_far_as_the_codec_can(container: Container) -> None:
    noise = (0.2 * np.random.default_rng(1).standard_normal(24_000)).astype(np.float32)
    sizes = [len(encoded(media(container, 24_000, bits), noise)) for bits in (32_000, 64_000, 320_000)]
    assert sizes == sorted(sizes)
    assert 8 * sizes[0] == pytest.approx(32_000, rel=0.2)
    assert 8 * sizes[1] == pytest.approx(64_000, rel=0.2)
    assert len(encoded(media(container, 24_000), noise)) == sizes[1]


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("bits_per_s", [None, 1, 64_000, 1_000_000])
def test_opus_takes_every_rate_of_its_own(rate_hz: int, bits_per_s: int | None) -> None:
    sound = speechlike(rate_hz, rate_hz)
    data = encoded(ogg_opus(rate_hz, bits_per_s), sound, 700)
    assert len(ffmpeg_decoded(data)) == 48_000, "to the sample, whatever the encoder was given"
    heard = decoded(ogg_opus(), data, rate_hz)
    assert len(heard) == len(sound)
    assert bits_per_s == 1 or np.corrcoef(sound, heard)[0, 1] > 0.98


@pytest.mark.parametrize("container", LOSSY)
def test_a_stream_may_be_joined_in_its_middle(container: Container) -> None:
    encoder = CodecEncoder(container, 24_000)
    first = encoder.encode(speechlike(24_000, 24_000))
    rest = encoder.encode(speechlike(24_000, 24_000)) + encoder.finish()
    assert first
    assert len(heard_of(container, rest, 24_000)) == pytest.approx(24_000, abs=4 * 1_152)


@pytest.mark.parametrize("container", list(CODECS))
def test_wild_samples_are_tamed(container: Container) -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 9] * 3_000, np.float32)
    assert np.isfinite(heard_of(container, encoded(media(container, 24_000), wild), 24_000)).all()


@pytest.mark.parametrize("container", list(CODECS))
def test_the_end_is_the_end(container: Container) -> None:
    encoder = make_encoder(media(container, 16_000))
    assert encoder.encode(np.zeros(0, np.float32)) == b""
    encoder.encode(tone(16_000, 10))
    assert encoder.finish()
    assert encoder.finish() == b""
    with pytest.raises(RuntimeError, match="finish"):
        encoder.encode(tone(16_000, 1))


@pytest.mark.parametrize("fmt", [media(Container.MP3, 96_000), media(Container.FLAC, 11_111), media(Container.AAC)])
def test_rates_that_a_codec_does_not_know_are_told(fmt: object) -> None:
    with pytest.raises(UnsupportedFormat, match=r"rate|Hz"):
        make_encoder(fmt)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "container", sorted({*Container} - {*CODECS, Container.RAW, Container.WAV, Container.OGG_OPUS})
)
def test_containers_that_we_do_not_write(container: Container) -> None:
    with pytest.raises(UnsupportedFormat):
        make_encoder(media(container, 16_000))


def test_libav_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for container in CODECS:
        encoded(media(container, 8_000, 1_000_000), tone(8_000, 8_000))
    assert capfd.readouterr() == ("", "")
