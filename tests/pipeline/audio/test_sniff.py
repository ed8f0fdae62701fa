import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.audio.formats import Container
from dragoman.pipeline.audio.sniff import SNIFFED_BYTES, Unknown, sniff
from tests.pipeline.audio.files import WRITERS, as_file
from tests.pipeline.audio.signals import tone

FILES = {container: as_file(container, tone(16_000, 16_000), 16_000) for container in WRITERS}
FILES[Container.OGG_OPUS] = FILES[Container.OGG]
FILES[Container.OGG] = as_file(Container.OGG, tone(16_000, 16_000), 16_000, codec="flac")
TAG = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 72]) + bytes(200)
"""An ID3v2 tag of 200 bytes."""


@pytest.mark.parametrize("container", FILES)
def test_every_container_is_known_by_its_first_bytes(container: Container) -> None:
    assert sniff(FILES[container][:4_096]) is container
    assert sniff(FILES[container], complete=True) is container


@pytest.mark.parametrize("container", FILES)
def test_less_than_the_first_bytes_tells_nothing_yet(container: Container) -> None:
    for size in range(12):
        assert sniff(FILES[container][:size]) == Unknown(final=False)


@pytest.mark.parametrize("container", [Container.MP3, Container.AAC])
@pytest.mark.parametrize("before", [b"\0" * 1_000, TAG, TAG + bytes(300), b"\xff" * 50, b"\xff\xf3\x14\xc4" * 3])
def test_frames_are_found_behind_what_is_none(container: Container, before: bytes) -> None:
    frames = FILES[container]
    frames = frames[frames.index(b"\xff") :]
    assert sniff(before + frames[:4_096]) is container


@pytest.mark.parametrize("cut", [1, 77, 333])
def test_a_broadcast_may_be_joined_within_a_frame(cut: int) -> None:
    for container in (Container.MP3, Container.AAC):
        frames = FILES[container]
        assert sniff(frames[frames.index(b"\xff") + cut :]) is container


def test_what_is_in_ogg_is_known_by_the_first_packet() -> None:
    for container in (Container.OGG, Container.OGG_OPUS):
        data = FILES[container]
        assert [sniff(data[:size]) for size in (16, 27, 34)] == [Unknown(final=False)] * 3
        assert sniff(data[:36]) is container
    assert sniff(FILES[Container.OGG_OPUS][:34], complete=True) is Container.OGG


def test_nothing_is_waited_for_where_magic_bytes_would_tell() -> None:
    for head in (bytes(16), b"\xff\xfb\x90\x00" + bytes(12)):
        assert sniff(head, Container.MP3) == sniff(head) == Unknown(final=False)
        assert sniff(head, Container.FLAC) == Unknown(final=True)
    assert sniff(TAG, Container.FLAC) == Unknown(final=False), "it may stand behind the tag"


def test_flac_may_stand_behind_a_tag() -> None:
    assert sniff(TAG + FILES[Container.FLAC][:100]) is Container.FLAC


def test_a_long_tag_stands_before_mpeg_audio() -> None:
    assert sniff(b"ID3\x03\x00\x00" + bytes([0, 8, 0, 0]) + bytes(100)) is Container.MP3


def test_a_short_file_has_as_many_frames_as_it_has() -> None:
    frames = FILES[Container.AAC]
    length = (frames[3] & 3) << 11 | frames[4] << 3 | frames[5] >> 5
    assert sniff(frames[:length]) == Unknown(final=False)
    assert sniff(frames[:length], complete=True) is Container.AAC


def test_samples_are_no_container() -> None:
    noise = (np.random.default_rng(5).normal(0, 800, SNIFFED_BYTES)).astype("<i2").tobytes()
    quiet = (np.random.default_rng(5).normal(0, 1.5, SNIFFED_BYTES)).astype("<i2").tobytes()
    for data in (noise, quiet, bytes(SNIFFED_BYTES), b"\xff" * SNIFFED_BYTES):
        assert sniff(data[: SNIFFED_BYTES - 1]) == Unknown(final=False)
        assert sniff(data[:SNIFFED_BYTES]) == Unknown(final=True)
        assert sniff(data[:100], complete=True) == Unknown(final=True)


def test_no_playlist_and_no_film_is_taken() -> None:
    for head in (b"#EXTM3U\n#EXT-X-VERSION:3\n", b"ffconcat version 1.0\n", b"\0\0\0\x18ftypisom" + bytes(20), b"%PDF"):
        assert sniff(head, complete=True) == Unknown(final=True)


@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_looked_at(data: bytes, complete: bool) -> None:
    assert isinstance(sniff(data, complete=complete), Container | Unknown)
    assert isinstance(sniff(b"ID3" + data, complete=complete), Container | Unknown)
