from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from dragoman.cli.rendition import open_recording
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import Container
from tests.pipeline.audio.files import as_file
from tests.pipeline.audio.signals import tone
from tests.pipeline.audio.waves import chunk, fmt, riff, s16

RATE_HZ = 16_000
SOUND = tone(RATE_HZ, 2 * RATE_HZ)
WAV = riff(fmt(1, 16), chunk(b"data", s16(*SOUND)))


def opened(folder: Path, data: bytes, name: str = "talk") -> "np.ndarray":
    path = folder / name
    path.write_bytes(data)
    recording = open_recording(path)
    assert recording.duration_s == len(recording.samples) / RATE_HZ
    return recording.samples / 32_768


def late(at_s: float) -> float:
    return at_s + 3 if at_s >= 1 else at_s


@pytest.mark.parametrize(
    ("container", "codec", "muxer"),
    [
        (Container.WAV, "", ""),
        (Container.OGG, "", ""),
        (Container.OGG, "flac", ""),
        (Container.WEBM, "", ""),
        (Container.FLAC, "", ""),
        (Container.MP3, "", ""),
        (Container.AAC, "", ""),
        (Container.WAV, "adpcm_ms", ""),
        (Container.WEBM, "aac", "mp4"),
    ],
)
def test_every_file_is_read_and_both_channels_are_heard(
    tmp_path: Path, container: Container, codec: str, muxer: str
) -> None:
    for inverted in (False, True):
        heard = opened(tmp_path, as_file(container, SOUND, RATE_HZ, 2, codec, muxer, inverted=inverted))
        assert len(heard) == pytest.approx(len(SOUND), abs=2_000)
        assert np.abs(heard[8_000:24_000]).max() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize(
    ("container", "muxer", "codec"),
    [
        (Container.OGG, "ogg", "libopus"),
        (Container.WEBM, "webm", "libopus"),
        (Container.WEBM, "mp4", "aac"),
        (Container.WEBM, "mpegts", "aac"),
        (Container.WEBM, "flv", "aac"),
    ],
)
def test_silence_stands_where_packets_are_missing(tmp_path: Path, container: Container, muxer: str, codec: str) -> None:
    def heard(placed: Callable[[float], float]) -> int:
        return len(opened(tmp_path, as_file(container, SOUND, RATE_HZ, 1, codec, muxer, placed)))

    assert heard(late) - heard(lambda at_s: at_s) == pytest.approx(3 * RATE_HZ, abs=160)


def test_sound_that_begins_later_than_the_picture_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w", format="matroska") as film:
        picture = film.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sound = film.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for number in range(30):
            shown = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            shown.pts = number
            film.mux(picture.encode(shown))
        said = av.AudioFrame.from_ndarray((SOUND * 32_768).astype(np.int16)[None], format="s16", layout="mono")
        said.sample_rate, said.pts = RATE_HZ, RATE_HZ
        film.mux(sound.encode(said))
        film.mux([*picture.encode(None), *sound.encode(None)])
    recording = open_recording(path)
    assert recording.duration_s == pytest.approx(3.0, abs=0.01)
    assert not recording.samples[: RATE_HZ - 100].any()


def test_joined_wav_files_are_one_recording(tmp_path: Path) -> None:
    short = riff(fmt(1, 16), chunk(b"data", s16(*SOUND), 2_000), size=2_036)
    for data in (WAV * 2, short + WAV, WAV + riff(fmt(1, 16, rate_hz=8_000), chunk(b"data", s16(*SOUND[::2])))):
        assert len(opened(tmp_path, data)) == pytest.approx(2 * len(SOUND), abs=2)


def test_what_holds_no_audio_is_said(tmp_path: Path) -> None:
    for data in (b"", b"text" * 1_000, WAV[:30]):
        with pytest.raises(BadAudio, match="talk"):
            opened(tmp_path, data)
    with pytest.raises(BadAudio, match="cannot read"):
        open_recording(tmp_path / "nowhere")
