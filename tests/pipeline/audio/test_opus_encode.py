import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.formats import ogg_opus
from dragoman.pipeline.audio.ogg import PageReader
from dragoman.pipeline.audio.opus_encode import OggOpusEncoder
from tests.pipeline.audio.signals import decoded, encoded, ffmpeg_decoded, tone

HELD = [0, 1, 647, 648, 649, 959, 960, 961, 4_799, 48_000]


def signal_to_noise_db(sound: Samples, heard: Samples) -> float:
    return float(10 * np.log10(np.sum(sound**2) / np.sum((sound - heard) ** 2)))


@pytest.mark.parametrize("count", HELD)
def test_as_many_samples_come_out_as_went_in(count: int) -> None:
    data = encoded(ogg_opus(), tone(48_000, count), 700)
    assert len(decoded(ogg_opus(), data, 48_000)) == count
    assert len(ffmpeg_decoded(data)) == count


def test_it_sounds_the_same_to_us_and_to_ffmpeg() -> None:
    sound = tone(48_000, 48_000)
    data = encoded(ogg_opus(), sound, 3_840)
    assert signal_to_noise_db(sound, decoded(ogg_opus(), data, 48_000)) > 15
    assert signal_to_noise_db(sound, ffmpeg_decoded(data)) > 15


@settings(max_examples=15, deadline=None)
@given(block=st.integers(1, 9_000))
def test_no_more_than_a_frame_is_held_and_no_page_is_long(block: int) -> None:
    encoder = OggOpusEncoder()
    reader = PageReader()
    sound = tone(48_000, 10_000)
    assert [page.granule for page in reader.feed(encoder.header())] == [0, 0]
    sent = granule = 0
    for at in range(0, len(sound), max(block, 100)):
        part = sound[at : at + max(block, 100)]
        sent += len(part)
        for page in reader.feed(encoder.encode(part)):
            assert page.granule - granule == 960 * len(page.packets) <= 4_800
            granule = page.granule
        assert 0 <= sent - granule < 960
    (page,) = reader.feed(encoder.finish())
    assert page.last
    assert page.granule == len(sound) + 312


def test_the_stream_begins_and_ends_as_it_should() -> None:
    pages = list(PageReader().feed(encoded(ogg_opus(), tone(48_000, 5_000))))
    assert [page.first for page in pages] == [True] + [False] * (len(pages) - 1)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[0].packets[0].startswith(b"OpusHead")
    assert pages[1].packets[0].startswith(b"OpusTags")
    assert len({page.serial for page in pages}) == 1


def test_every_stream_has_its_own_serial_number() -> None:
    assert len({OggOpusEncoder().header()[14:18] for _ in range(8)}) == 8


def test_nan_and_too_loud_samples_do_no_harm() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 9] * 1_000, np.float32)
    assert np.isfinite(decoded(ogg_opus(), encoded(ogg_opus(), wild), 48_000)).all()


def test_the_end_is_the_end() -> None:
    encoder = OggOpusEncoder()
    encoder.finish()
    assert encoder.finish() == b""
    with pytest.raises(RuntimeError, match="finish"):
        encoder.encode(tone(48_000, 1))
