import gc
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples
from dragoman.pipeline.audio import demux
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.demux import DEMUXERS, DemuxingDecoder
from dragoman.pipeline.audio.errors import AudioError, BadAudio, UnknownAudio
from dragoman.pipeline.audio.formats import Container, media
from dragoman.pipeline.audio.timeline import MAX_GAP_S
from tests.pipeline.audio.files import WRITERS, as_file
from tests.pipeline.audio.signals import cut, decoded, loudest, tone
from tests.waiting import PATIENCE_S, until

TONE = tone(16_000, 3 * 16_000)
FILES = {container: as_file(container, TONE, 16_000) for container in WRITERS}
FILES[Container.OGG] = as_file(Container.OGG, TONE, 16_000, codec="flac")  # Opus in Ogg is read elsewhere
ANY = media(Container.ANY)


def threads() -> int:
    return sum(thread.name == "dragoman-demux" for thread in threading.enumerate())


def settled() -> None:
    """Wait until no thread of a demuxer is left."""
    until(lambda: not threads(), "no demuxer's thread is left")


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples[4_000:-4_000]))))


@pytest.mark.parametrize("container", FILES)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_container_is_read(container: Container, channels: int) -> None:
    if container is Container.AMR and channels == 2:
        pytest.skip("AMR has one channel")
    data = as_file(container, TONE, 16_000, channels)
    fmt = media(container)
    heard = decoded(fmt, data, sizes=(1_000,))
    assert np.array_equal(heard, decoded(ANY, data, sizes=(37, 5_000)))
    assert abs(len(heard) - len(TONE)) < 4_000  # codecs pad their first or last frame, or lose it
    assert level(heard) == pytest.approx(level(TONE), rel=0.2 if container is Container.AMR else 0.06)
    spectrum = np.abs(np.fft.rfft(heard[8_000:24_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize(("codec", "channels"), [("vorbis", 2), ("flac", 1), ("libopus", 2)])
def test_ogg_holds_other_codecs_too(codec: str, channels: int) -> None:
    heard = decoded(media(Container.OGG), as_file(Container.OGG, TONE, 16_000, channels, codec=codec))
    assert level(heard) == pytest.approx(level(TONE), rel=0.05)


@pytest.mark.parametrize("codec", ["pcm_s8", "pcm_s24be", "pcm_s32be", "pcm_mulaw", "pcm_f64be", "pcm_u8"])
def test_plain_samples_of_any_width_inside_a_file(codec: str) -> None:
    if codec == "pcm_u8":
        data = as_file(Container.WEBM, TONE, 16_000, codec=codec, muxer="matroska")
        heard = decoded(media(Container.WEBM), data)
    else:
        heard = decoded(media(Container.AIFF), as_file(Container.AIFF, TONE, 16_000, codec=codec))
    assert level(heard) == pytest.approx(level(TONE), rel=0.05)


def test_samples_come_while_the_file_goes_on() -> None:
    """But for Ogg, whose pages hold a second each, and FLAC, which begins with kilobytes of padding."""
    for container in set(WRITERS) - {Container.OGG, Container.FLAC}:
        data = FILES[container]
        decoder = make_decoder(media(container))
        first = sum(len(decoder.decode(piece)) for piece in cut(data[: len(data) // 2], (512,)))
        assert first > 0.6 * len(TONE) / 2, container
        decoder.close()
    settled()


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(list(DEMUXERS)), sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=4))
def test_chunk_borders_carry_no_meaning(name: Container, sizes: list[int]) -> None:
    data = FILES[name]
    np.testing.assert_allclose(decoded(media(name), data, sizes=[*sizes, 900]), decoded(ANY, data), atol=1e-6)


def test_a_file_that_breaks_off_gives_what_it_has() -> None:
    for container in WRITERS:
        data = FILES[container][: len(FILES[container]) * 2 // 3]
        heard = decoded(media(container), data, sizes=(997,))
        assert len(heard) > 0.3 * len(TONE), container
    settled()


def late(gap_s: float, *, behind_s: float = 1.0) -> Callable[[float], float]:
    return lambda at_s: at_s + gap_s if at_s >= behind_s else at_s


def quiet_s(samples: Samples) -> list[tuple[float, float]]:
    """Where nothing is heard for 50 ms or more: from when on, and for how long."""
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    steps = np.diff(loud)
    return [(loud[at] / 16_000, steps[at] / 16_000) for at in np.flatnonzero(steps > 800)]


@pytest.mark.parametrize(
    ("container", "codec", "muxer", "channels"),
    [
        (Container.WEBM, "libopus", "webm", 1),
        (Container.WEBM, "vorbis", "webm", 2),
        (Container.WEBM, "aac", "matroska", 1),
        (Container.WEBM, "pcm_s16le", "matroska", 1),
        (Container.OGG, "vorbis", "ogg", 2),
        (Container.ASF, "wmav2", "asf", 1),
    ],
)
def test_silence_stands_where_packets_are_missing(container: Container, codec: str, muxer: str, channels: int) -> None:
    whole = as_file(container, TONE, 16_000, channels, codec, muxer)
    missing = as_file(container, TONE, 16_000, channels, codec, muxer, placed=late(2.0))
    heard = decoded(media(container), missing, sizes=(700,))
    assert len(heard) - len(decoded(media(container), whole)) == pytest.approx(2.0 * 16_000, abs=160)
    assert quiet_s(heard) == [(pytest.approx(1.0, abs=0.05), pytest.approx(2.0, abs=0.07))]
    np.testing.assert_array_equal(heard, decoded(ANY, missing, sizes=(64, 3_000)))


def test_a_stream_may_be_joined_in_the_middle() -> None:
    joined = as_file(Container.WEBM, TONE, 16_000, placed=lambda at_s: late(2.0)(at_s) + 5_000)
    assert len(decoded(ANY, joined)) == pytest.approx(5 * 16_000, abs=160)


def test_one_recording_behind_the_other_has_times_of_its_own() -> None:
    data = as_file(Container.WEBM, TONE, 16_000, placed=late(2.0))
    heard = decoded(ANY, data * 2, sizes=(1_500,))
    assert len(heard) == pytest.approx(10 * 16_000, abs=320)
    assert [length for _, length in quiet_s(heard)] == [pytest.approx(2.0, abs=0.01)] * 2


def test_times_that_jitter_are_no_gaps() -> None:
    rng = np.random.default_rng(3)
    data = as_file(Container.WEBM, TONE, 16_000, placed=lambda at_s: at_s + float(rng.uniform(0, 0.015)))
    assert len(decoded(ANY, data)) == len(decoded(ANY, FILES[Container.WEBM]))


def test_an_hour_that_is_missing_is_no_hour_of_samples() -> None:
    data = as_file(Container.WEBM, TONE, 16_000, placed=late(3_600.0))
    assert len(decoded(ANY, data)) == pytest.approx((3 + MAX_GAP_S) * 16_000, abs=160)


@pytest.mark.parametrize("container", [Container.MP3, Container.AAC, Container.FLAC])
def test_containers_without_times_have_no_gaps(container: Container) -> None:
    assert decoded(ANY, as_file(container, TONE, 16_000, placed=late(2.0))).size == decoded(ANY, FILES[container]).size


def test_the_louder_channel_is_heard_where_both_cancel_out() -> None:
    for container in (Container.WEBM, Container.FLAC, Container.OGG, Container.MP3):
        codec = "flac" if container is Container.OGG else ""
        heard = decoded(ANY, as_file(container, TONE, 16_000, 2, codec=codec, inverted=True), sizes=(900,))
        assert level(heard) == pytest.approx(level(TONE), rel=0.06), container


def test_a_damaged_stretch_is_a_gap() -> None:
    data = bytearray(FILES[Container.MP3])
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(300)
    assert len(decoded(ANY, bytes(data))) > 0.8 * len(TONE)


def test_one_song_behind_the_other() -> None:
    other = as_file(Container.MP3, tone(44_100, 44_100), 44_100)
    heard = decoded(media(Container.MP3), FILES[Container.MP3] + other)
    assert len(heard) == pytest.approx(len(TONE) + 16_000, abs=4_000)


@pytest.mark.parametrize("container", DEMUXERS)
def test_what_is_something_else_is_refused(container: Container) -> None:
    for data in (bytes(70_000), FILES[Container.WAV], b"", bytes(100)):
        if data:
            with pytest.raises(BadAudio, match=f"format is {container} but"):
                decoded(media(container), data)
        else:
            assert decoded(media(container), data).size == 0
    assert decoded(ANY, b"").size == 0


def test_what_is_nothing_that_is_known() -> None:
    noise = np.random.default_rng(1).integers(-9_000, 9_000, 40_000).astype("<i2").tobytes()
    for data in (noise, bytes(100), b"R"):
        with pytest.raises(UnknownAudio, match="no known container"):
            decoded(ANY, data, sizes=(3_200,))


FOREIGN = {
    "samples": tone(16_000, 16_000).astype("<f4").tobytes(),
    "silence": bytes(32_000),
    "MP4": b"\0\0\0\x18ftypisom" + bytes(range(256)) * 100,
    "text": b"The quick brown fox. " * 1_000,
    "bits": b"\xff" * 32_000,
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("size", [20, 640, 4_096, 32_000])
def test_what_is_foreign_is_refused_within_a_second(name: str, size: int) -> None:
    """Of G.711, the slowest of what has no header."""
    for container in (Container.ANY, Container.MP3, Container.AAC):
        decoder, taken = make_decoder(media(container)), 0
        with pytest.raises(BadAudio):
            for piece in cut(FOREIGN[name], (size,)):
                decoder.decode(piece)
                taken += len(piece)
        assert taken < 8_000


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("container", sorted(set(DEMUXERS) - {Container.MP3, Container.AAC}))
def test_and_at_once_where_the_first_bytes_would_tell(name: str, container: Container) -> None:
    decoder = make_decoder(media(container))
    assert decoder.decode(FOREIGN[name][:15]).size == 0
    with pytest.raises(BadAudio, match=f"format is {container} but"):
        decoder.decode(FOREIGN[name][15:40])


@pytest.mark.parametrize(
    ("container", "head"),
    [
        (Container.OGG, b"OggS" + bytes(5_000)),
        (Container.FLAC, b"fLaC" + bytes(5_000)),
        (Container.WEBM, b"\x1a\x45\xdf\xa3" + b"\xff" * 5_000),
        (Container.ASF, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(5_000)),
        (Container.AIFF, b"FORM\0\0\0\0AIFF" + bytes(5_000)),
        (Container.AMR, b"#!AMR\n" + bytes(3)),
        (Container.FLAC, FILES[Container.FLAC][:60]),
    ],
)
def test_a_good_beginning_is_not_enough(container: Container, head: bytes) -> None:
    with pytest.raises(BadAudio):
        decoded(ANY, head, sizes=(600,))
    with pytest.raises(BadAudio):
        decoded(media(container), head)
    settled()


def test_what_breaks_in_the_middle_is_told_while_more_comes() -> None:
    good = FILES[Container.FLAC]
    decoder = make_decoder(ANY)
    heard = decoder.decode(good)
    assert heard.size
    with pytest.raises(BadAudio):
        for _ in range(100_000 // 4):
            decoder.decode(b"\0" * 4_096 * 100)


def test_silence_that_is_packed_too_well_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demux, "_MAX_S_PER_PIECE", 15.0)
    packed = as_file(Container.FLAC, np.zeros(200 * 8_000, np.float32), 8_000)
    with pytest.raises(BadAudio, match="hold more than"):
        decoded(ANY, packed)
    settled()


def test_pictures_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demux, "_MAX_SILENT_BYTES", 1 << 20)
    decoder = make_decoder(ANY)
    with pytest.raises(BadAudio, match="no audio in the first 1 MiB"):
        decoder.decode(b"ID3\x03\x00\x00" + bytes([127, 127, 127, 127]) + bytes(2 << 20))
    decoder.close()
    settled()


def test_a_film_is_no_audio() -> None:
    file = as_file(Container.WEBM, tone(48_000, 48_000), 48_000, codec="ac3", muxer="matroska")
    with pytest.raises(BadAudio, match="holds ac3"):
        decoded(ANY, file)


@pytest.mark.parametrize("end", ["close", "drop"])
def test_a_decoder_that_is_given_up_leaves_no_thread(end: str) -> None:
    gc.collect()  # decoders of other tests
    settled()
    decoders = [DemuxingDecoder(Container.MP3, 16_000) for _ in range(20)]
    for decoder in decoders:
        decoder.decode(FILES[Container.MP3][:3_000])
    assert threads() == 20
    if end == "close":
        for decoder in decoders:
            decoder.close()
            decoder.close()
    del decoder
    decoders.clear()
    settled()


@pytest.mark.parametrize("wait", ["decode", "finish"])
def test_closing_lets_go_of_who_waits_for_a_reader_that_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    entered, released = threading.Event(), threading.Event()

    def spin(self: demux._Demuxer) -> None:
        entered.set()
        assert released.wait(PATIENCE_S)

    monkeypatch.setattr(demux._Demuxer, "run", spin)
    decoder = DemuxingDecoder(Container.MP3, 16_000)
    call = (lambda: decoder.decode(b"x")) if wait == "decode" else decoder.finish
    waiting = threading.Thread(target=call, daemon=True)
    waiting.start()
    assert entered.wait(PATIENCE_S)
    decoder.close()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    released.set()
    settled()


@settings(max_examples=120, deadline=None)
@given(
    container=st.sampled_from(list(WRITERS)),
    at=st.floats(0, 1),
    junk=st.binary(max_size=200),
    sizes=st.lists(st.integers(1, 5_000), min_size=1, max_size=3),
)
def test_only_audio_errors_escape(container: Container, at: float, junk: bytes, sizes: list[int]) -> None:
    data = FILES[container][:12_000]
    place = int(at * len(data))
    try:
        samples = decoded(ANY, data[:place] + junk + data[place:], sizes=[*sizes, 700])
    except AudioError:
        return
    assert np.isfinite(samples).all()
    assert loudest(samples) <= 1


def test_no_thread_is_left() -> None:
    settled()


def test_a_codec_that_nobody_knows_is_refused() -> None:
    data = FILES[Container.WEBM]
    assert b"A_OPUS" in data
    decoder = DemuxingDecoder(Container.WEBM, 16_000)
    with pytest.raises(BadAudio, match="the webm file holds an unknown codec, which is not supported"):
        decoder.decode(data.replace(b"A_OPUS", b"A_XXXX"))
        decoder.finish()
