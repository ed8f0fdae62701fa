import pytest

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import (
    Container,
    Encoding,
    alaw,
    check_rate_and_channels,
    ogg_opus,
    pcm,
    sniffed,
    ulaw,
    wav,
)


def test_the_constructors_name_what_they_make() -> None:
    assert pcm(24_000).name == "pcm_s16le_24000"
    assert pcm(16_000, Encoding.F32BE, 2).channels == 2
    assert (ulaw().name, ulaw().encoding, ulaw().rate_hz) == ("ulaw_8000", Encoding.ULAW, 8_000)
    assert (alaw().name, alaw().encoding, alaw().rate_hz) == ("alaw_8000", Encoding.ALAW, 8_000)
    assert (wav().container, wav().rate_hz, wav(48_000).rate_hz) == (Container.WAV, None, 48_000)
    assert (ogg_opus().container, ogg_opus().encoding) == (Container.OGG_OPUS, Encoding.OPUS)


def test_sniffed_is_the_fallback_and_a_second_look() -> None:
    fmt = sniffed(pcm(24_000))
    assert fmt.sniff
    assert (fmt.name, fmt.rate_hz) == (pcm(24_000).name, 24_000)


@pytest.mark.parametrize(("rate_hz", "channels"), [(1_000, 1), (384_000, 32)])
def test_the_limits_themselves_are_allowed(rate_hz: int, channels: int) -> None:
    check_rate_and_channels(rate_hz, channels)


@pytest.mark.parametrize(("rate_hz", "channels"), [(999, 1), (384_001, 1), (0, 1), (-1, 1), (8_000, 0), (8_000, 33)])
def test_what_is_beyond_the_limits_is_bad_audio(rate_hz: int, channels: int) -> None:
    with pytest.raises(BadAudio):
        check_rate_and_channels(rate_hz, channels)
