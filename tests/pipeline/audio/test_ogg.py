import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.ogg import NO_GRANULE, Page, PageReader, PageWriter
from tests.pipeline.audio.signals import cut, ffmpeg_ogg, tone


def read(data: bytes, sizes: tuple[int, ...] = (1 << 30,)) -> list[Page]:
    reader = PageReader()
    return [page for piece in cut(data, sizes) for page in reader.feed(piece)]


@given(
    packets=st.lists(st.binary(max_size=600), max_size=5),
    granule=st.integers(NO_GRANULE, 2**63 - 1),
    serial=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=4),
)
def test_what_is_written_is_read(packets: list[bytes], granule: int, serial: int, sizes: list[int]) -> None:
    writer = PageWriter(serial)
    data = writer.page(packets, granule) + writer.page(packets, granule) + writer.page([], granule, last=True)
    assert read(data, tuple(sizes)) == [
        Page(serial, granule, tuple(packets), first=True),
        Page(serial, granule, tuple(packets)),
        Page(serial, granule, (), last=True),
    ]


@pytest.mark.parametrize("length", [0, 254, 255, 256, 510])
def test_packets_whose_length_is_a_multiple_of_a_segment(length: int) -> None:
    (page,) = read(PageWriter(1).page([b"x" * length], 0))
    assert page.packets == (b"x" * length,)
    assert not page.unfinished


def test_the_checksum_is_the_one_that_others_compute() -> None:
    pages = read(ffmpeg_ogg(tone(48_000, 4_800), 48_000), (1_000,))
    assert pages[0].first
    assert pages[0].packets[0].startswith(b"OpusHead")
    assert pages[-1].last


def test_a_damaged_page_is_noticed() -> None:
    page = PageWriter(1).page([b"hello"], 0)
    for at in range(len(page)):
        damaged = page[:at] + bytes([page[at] ^ 1]) + page[at + 1 :]
        try:
            assert read(damaged) == []  # a length grew: the page is not complete
        except BadAudio:
            continue


def test_bytes_that_are_no_page_are_refused_at_the_first_one() -> None:
    with pytest.raises(BadAudio, match="not an Ogg page"):
        read(b"x")
    with pytest.raises(BadAudio, match="not an Ogg page"):
        read(PageWriter(1).page([b"hello"], 0) + b"Oggx")


def test_less_than_a_page_is_kept() -> None:
    reader = PageReader()
    writer = PageWriter(1)
    page = writer.page([b"x" * 254] * 255, 0)
    for _ in range(3):
        assert list(reader.feed(page[:-1])) == []
        assert len(reader._buffer) <= 65_307
        assert len(list(reader.feed(page[-1:]))) == 1
        assert len(reader._buffer) == 0
