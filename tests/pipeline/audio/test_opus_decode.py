import struct
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import ogg_opus
from dragoman.pipeline.audio.ogg import NO_GRANULE, PageReader, PageWriter, _crc
from dragoman.pipeline.audio.opus_decode import OggOpusSource, OpusHead
from tests.pipeline.audio.signals import decoded, encoded, ffmpeg_decoded, ffmpeg_ogg, loudest, taken, tone

HEAD = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
TAGS = b"OpusTags" + bytes(8)
SILENT_20_MS = b"\xf8\xff\xfe"
"""A packet as libopus writes it for digital silence: 960 samples."""
SOUND = tone(48_000, 10_000)
STREAM = encoded(ogg_opus(), SOUND, 1_000)


def read(data: bytes, sizes: tuple[int, ...] = (1 << 30,)) -> Samples:
    return taken(OggOpusSource(), data, sizes)


def stream(*pages: tuple[list[bytes], int, bool], head: bytes = HEAD, serial: int = 7) -> bytes:
    writer = PageWriter(serial)
    return b"".join(
        [writer.page([head], 0), writer.page([TAGS], 0), *(writer.page(p, g, last=last) for p, g, last in pages)]
    )


def raw_page(body: bytes, lacing: bytes, granule: int = NO_GRANULE, *, continued: bool) -> bytes:
    """A page of stream 7 whose segments may be cut anywhere, as our own writer never does."""
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, int(continued), granule, 7, 0, 0, len(lacing)) + lacing + body
    return page[:22] + struct.pack("<I", _crc(page)) + page[26:]


def audio_packets(data: bytes) -> list[bytes]:
    return [packet for page in PageReader().feed(data) for packet in page.packets if packet[:4] != b"Opus"]


@pytest.mark.parametrize(
    ("layout", "rate_hz"), [("mono", 48_000), ("stereo", 24_000), ("mono", 16_000), ("stereo", 8_000), ("5.1", 48_000)]
)
def test_what_ffmpeg_writes_is_read_in_its_place(layout: str, rate_hz: int) -> None:
    count = rate_hz + 77
    samples = decoded(ogg_opus(), ffmpeg_ogg(tone(rate_hz, count), rate_hz, layout), 16_000, (777,))
    assert abs(len(samples) - count * 16_000 / rate_hz) <= 1
    assert loudest((samples - tone(16_000, len(samples)))[400:-400]) < 0.05


@pytest.mark.parametrize("count", [100, 4_800, 60_000])
def test_we_read_as_many_samples_as_ffmpeg_does(count: int) -> None:
    data = ffmpeg_ogg(tone(48_000, count), 48_000)
    assert len(read(data)) == len(ffmpeg_decoded(data))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 2_000), min_size=1, max_size=5))
def test_chunk_borders_carry_no_meaning(sizes: list[int]) -> None:
    np.testing.assert_array_equal(read(STREAM, tuple(sizes)), read(STREAM))


def test_pre_skip_and_the_last_granule_position_cut_both_ends() -> None:
    assert len(read(stream(([SILENT_20_MS] * 3, 2_880, False)))) == 2_880 - 312
    assert len(read(stream(([SILENT_20_MS] * 3, 2_500, True)))) == 2_500 - 312
    assert len(read(stream(([SILENT_20_MS] * 2, 1_920, False), ([SILENT_20_MS], 2_000, True)))) == 2_000 - 312
    assert len(read(stream(([SILENT_20_MS], 960, False), ([], 960, True)))) == 960 - 312


def test_pre_skip_may_be_longer_than_a_packet() -> None:
    head = HEAD[:10] + struct.pack("<H", 3_840) + HEAD[12:]
    assert len(read(stream(([SILENT_20_MS] * 5, 4_800, False), head=head))) == 960


def test_positions_need_not_begin_at_zero() -> None:
    data = stream(([SILENT_20_MS] * 2, 101_920, False), ([SILENT_20_MS], 102_000, True))
    assert len(read(data)) == 2_000 - 312


def test_an_impossible_last_position_cuts_nothing() -> None:
    assert len(read(stream(([SILENT_20_MS] * 2, 1_920, False), ([SILENT_20_MS], 5, True)))) == 2_880 - 312


@pytest.mark.parametrize("sizes", [(1 << 30,), (1,), (50, 7)])
def test_silence_stands_where_positions_jump(sizes: tuple[int, ...]) -> None:
    packets = audio_packets(STREAM)[:10]
    sound = [(packets[:5], 4_800, False), (packets[5:], 9_600, False)]
    later = [(packets[:5], 4_800, False), (packets[5:], 9_600 + 96_000, False)]
    whole, heard = read(stream(*sound), sizes), read(stream(*later), sizes)
    place = 4_800 - 312
    np.testing.assert_array_equal(heard, np.concatenate([whole[:place], np.zeros(96_000, np.float32), whole[place:]]))


def test_so_it_does_however_long_the_pages_are() -> None:
    packets = audio_packets(STREAM)[:10]
    for per_page in (1, 2, 5):
        places = range(0, 10, per_page)
        pages = [(packets[at : at + per_page], 960 * (at + per_page) + 48_000 * (at >= 5), False) for at in places]
        assert len(read(stream(*pages))) == 9_600 - 312 + 48_000


def test_the_end_is_cut_behind_a_gap_too() -> None:
    jump = 48_000
    three = [SILENT_20_MS] * 3
    assert len(read(stream((three, 2_880, False), (three, 5_760 + jump - 500, True)))) == 5_760 + jump - 500 - 312
    assert len(read(stream((three, 2_880, False), (three, 5_760 - 500, True)))) == 5_760 - 500 - 312


def test_pre_skip_is_no_silence_of_the_gap() -> None:
    head = HEAD[:10] + struct.pack("<H", 1_920) + HEAD[12:]
    pages = [([SILENT_20_MS], 960, False), ([SILENT_20_MS] * 3, 3_840 + 48_000, False)]
    assert len(read(stream(*pages, head=head))) == 3_840 + 48_000 - 1_920


def test_little_jumps_are_jitter() -> None:
    pages = [([SILENT_20_MS] * 5, 4_800 * number + 960 * (number % 2), False) for number in range(1, 20)]
    assert len(read(stream(*pages))) == 19 * 4_800 - 312


def test_an_hour_that_is_missing_is_no_hour_of_samples() -> None:
    hour = 3_600 * 48_000
    for pages in ([960, hour, hour + 960], [hour, 2 * hour, 2 * hour + 960]):
        data = stream(*(([SILENT_20_MS], granule, False) for granule in pages))
        assert len(read(data)) == 3 * 960 - 312 + 30 * 48_000
    many = stream(*(([SILENT_20_MS], hour * number, False) for number in range(1, 200)))
    assert len(read(many)) < (60 + 200 * 0.42) * 48_000


def test_positions_that_go_back_are_followed() -> None:
    pages = [960_000, 960_960, 960, 1_920, 1_920 + 48_000 + 960]
    data = stream(*(([SILENT_20_MS], granule, False) for granule in pages))
    assert len(read(data)) == 5 * 960 - 312 + 48_000


def test_pages_without_a_position_have_no_gaps() -> None:
    pages = [([SILENT_20_MS], NO_GRANULE, False)] * 10
    assert len(read(stream(*pages))) == 9_600 - 312
    between = [([SILENT_20_MS], 960, False), *pages, ([SILENT_20_MS], 12 * 960 + 48_000, False)]
    assert len(read(stream(*between))) == 12 * 960 - 312 + 48_000


def test_each_link_of_a_chain_has_positions_of_its_own() -> None:
    pages = [([SILENT_20_MS] * 5, 4_800, False), ([SILENT_20_MS] * 5, 9_600 + 48_000, True)]
    later = [(packets, granule + 10**9, last) for packets, granule, last in pages]
    heard = read(stream(*pages, serial=1) + stream(*later, serial=2) + stream(*pages, serial=1), (500,))
    assert len(heard) == 3 * (9_600 + 48_000 - 312)


def test_the_louder_channel_is_heard_where_both_cancel_out() -> None:
    sound = tone(48_000, 96_000)
    heard = decoded(ogg_opus(), ffmpeg_ogg(sound, 48_000, "stereo", inverted=True), 48_000)
    assert loudest(heard[4_800:-4_800]) == pytest.approx(0.4, rel=0.05)


def test_chained_streams_follow_one_another() -> None:
    one = stream(([SILENT_20_MS] * 2, 1_000, True), serial=1)
    two = ffmpeg_ogg(tone(48_000, 60_000), 48_000)
    assert len(read(one + two + STREAM, (500,))) == (1_000 - 312) + 60_000 + len(SOUND)


def test_other_streams_in_the_file_are_passed_over() -> None:
    other = PageWriter(99)
    pages = [other.page([b"fishead\0" + bytes(56)], 0), STREAM[:47], other.page([b"fisbone"], 0), STREAM[47:]]
    assert STREAM[47:51] == b"OggS"
    np.testing.assert_array_equal(read(b"".join(pages)), read(STREAM))


def test_a_packet_may_go_on_on_the_next_pages() -> None:
    packet = audio_packets(STREAM)[0]
    # Code 3 with padding: the same frame in a packet of several segments (RFC 6716, section 3.2.5).
    padded = bytes([packet[0] | 3, 0x41, 255, 255, 255, 0]) + packet[1:] + bytes(3 * 254)
    whole = read(stream(([padded, packet], 1_920, False)))
    assert len(whole) == 1_920 - 312
    rest = padded[510:]
    begun = raw_page(padded[:255], b"\xff", continued=False)
    middle = raw_page(padded[255:510], b"\xff", continued=True)
    nothing = raw_page(b"", b"", continued=True)
    lacing = bytes([255] * (len(rest) // 255) + [len(rest) % 255, len(packet)])
    end = raw_page(rest + packet, lacing, 1_920, continued=True)
    np.testing.assert_array_equal(read(stream() + begun + middle + nothing + end, (100,)), whole)
    # Whoever missed the beginning of a packet drops the rest of it.
    assert len(read(stream() + middle + end)) == 960 - 312
    # So does whoever misses its end.
    assert len(read(stream() + begun + raw_page(packet, bytes([len(packet)]), 960, continued=False))) == 960 - 312


def test_large_tags_are_passed_over_without_being_kept() -> None:
    full = b"\xff" * 255
    pages = [
        PageWriter(7).page([HEAD], 0),
        raw_page(TAGS.ljust(65_025, b"p"), full, continued=False),
        *[raw_page(b"p" * 65_025, full, continued=True)] * 3,
    ]
    source = OggOpusSource()
    assert not any(len(samples) for _, samples in source.decode(b"".join(pages)))
    assert source._stream is not None
    assert source._stream._part is not None
    assert len(source._stream._part) < 70_000
    end = raw_page(b"p" + SILENT_20_MS, b"\x01\x03", 960, continued=True)
    assert sum(len(samples) for _, samples in source.decode(end)) == 960 - 312


def test_an_audio_packet_of_any_size_is_not_kept_either() -> None:
    body, lacing = bytes(61_440 + 15), b"\xff" * 241 + b"\x00"
    with pytest.raises(BadAudio, match="too large"):
        read(stream() + raw_page(body, lacing, 960, continued=False))


def test_an_empty_packet_is_ignored() -> None:
    assert len(read(stream(([SILENT_20_MS, b"", SILENT_20_MS], 1_920, False)))) == 1_920 - 312


def test_nothing_at_all_is_no_error() -> None:
    assert read(b"").size == 0


def test_output_gain_is_applied() -> None:
    louder = HEAD[:16] + struct.pack("<h", 256 * 6) + HEAD[18:]
    packets = audio_packets(STREAM)
    plain, gained = (read(stream((packets, NO_GRANULE, False), head=head)) for head in (HEAD, louder))
    assert loudest(gained) / loudest(plain) == pytest.approx(10 ** (6 / 20), rel=0.01)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"RIFF" + bytes(40), "not an Ogg page"),
        (b"Ogg", "no beginning of a stream"),
        (STREAM[47:], "no beginning of a stream"),
        (STREAM[:47], "within the headers"),
        (STREAM[:60], "within the headers"),
        (PageWriter(1).page([b"\x7fFLAC\x01\x00"], 0), "found FLAC"),
        (PageWriter(1).page([b"\x01vorbis" + bytes(23)], 0), "found Vorbis"),
        (PageWriter(1).page([b"who knows"], 0), "found an unknown codec"),
        (PageWriter(1).page([], 0), "found an unknown codec"),
        (stream(head=HEAD[:18]), "too short"),
        (stream(head=HEAD[:8] + b"\x10" + HEAD[9:]), "version"),
        (stream(head=HEAD[:9] + b"\x00" + HEAD[10:]), "0 channels"),
        (stream(head=HEAD[:18] + b"\x07"), "mapping"),
        (stream(([SILENT_20_MS], 960, False), head=HEAD[:9] + b"\x03" + HEAD[10:]), "cannot be decoded"),
        (stream(([b"\xff" * 5], 960, False)), "cannot be decoded"),
    ],
    ids=count(),  # the streams' serial numbers are random
)
def test_what_is_wrong_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BadAudio, match=reason):
        read(data)


def test_the_second_packet_must_be_the_comment_header() -> None:
    writer = PageWriter(1)
    with pytest.raises(BadAudio, match="second packet"):
        read(writer.page([HEAD], 0) + writer.page([SILENT_20_MS], 960))


@settings(max_examples=150, deadline=None)
@given(
    packets=st.lists(st.binary(max_size=40), max_size=6),
    granule=st.integers(NO_GRANULE, 10_000),
    head=st.binary(max_size=12),
    last=st.booleans(),
)
def test_only_audio_errors_escape_from_any_packets(packets: list[bytes], granule: int, head: bytes, last: bool) -> None:
    for header in (HEAD, HEAD[:9] + head.ljust(12, b"\0")):
        try:
            samples = read(stream((packets, granule, False), (packets, granule, last), head=header))
        except AudioError:
            continue
        assert samples.dtype == np.float32


@given(keep=st.integers(0, len(STREAM)), data=st.binary(max_size=100))
@settings(max_examples=60, deadline=None)
def test_only_audio_errors_escape_from_any_bytes(keep: int, data: bytes) -> None:
    try:
        read(STREAM[:keep] + data)
    except AudioError:
        return


def test_the_head_is_read() -> None:
    assert OpusHead.parse(HEAD) == OpusHead(1, 312, HEAD)
