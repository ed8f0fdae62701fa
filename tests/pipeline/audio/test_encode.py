import io
import wave
from dataclasses import replace

import numpy as np
import pytest

from dragoman.pipeline.audio.dc import DcBlocker
from dragoman.pipeline.audio.encode import make_encoder
from dragoman.pipeline.audio.errors import BadAudio, UnsupportedFormat
from dragoman.pipeline.audio.formats import AudioFormat, Encoding, alaw, ogg_opus, pcm, ulaw, wav
from tests.pipeline.audio.signals import decoded, encoded, loudest, tone

ROUND_TRIPS = [
    (pcm(24_000), 1 / 65_536),
    (pcm(44_100, Encoding.S16BE), 1 / 65_536),
    (pcm(48_000, Encoding.F32LE), 0),
    (wav(22_050), 1 / 65_536),
    (ulaw(8_000), 0.02),
    (alaw(8_000), 0.02),
]


@pytest.mark.parametrize(("fmt", "error"), ROUND_TRIPS)
def test_round_trips(fmt: AudioFormat, error: float) -> None:
    assert fmt.rate_hz
    sound = tone(fmt.rate_hz, 5_000)
    heard = decoded(fmt, encoded(fmt, sound, 333), fmt.rate_hz)
    assert len(heard) == len(sound)
    # The decoder takes offsets away, also of the error.
    assert loudest(heard - DcBlocker(fmt.rate_hz).process(sound)) <= 2 * error


@pytest.mark.parametrize("fmt", [fmt for fmt, _ in ROUND_TRIPS] + [ogg_opus()])
def test_the_header_is_not_part_of_the_body(fmt: AudioFormat) -> None:
    encoder = make_encoder(fmt)
    header = encoder.header()
    assert header == encoder.header()
    body = encoder.encode(tone(encoder.rate_hz, 5_000)) + encoder.finish()
    assert not header or not body.startswith(header[:44])
    assert encoder.rate_hz == fmt.rate_hz or fmt == ogg_opus()


def test_rates_and_headers() -> None:
    assert make_encoder(ogg_opus()).rate_hz == 48_000
    assert make_encoder(wav(44_100)).rate_hz == 44_100
    assert make_encoder(pcm(8_000)).header() == b""
    assert make_encoder(ulaw()).header() == b""


def test_wild_samples_are_tamed() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 3, -3, 1, -1], np.float32)
    expected = [0, 32_767, -32_768, 32_767, -32_768, 32_767, -32_768]
    assert np.frombuffer(encoded(pcm(8_000), wild), "<i2").tolist() == expected
    assert np.frombuffer(encoded(pcm(8_000, Encoding.F32LE), wild), "<f4").tolist() == [0, 1, -1, 1, -1, 1, -1]
    assert encoded(ulaw(), wild)[:3] == b"\xff\x80\x00"


def test_python_reads_our_wav_fully() -> None:
    sound = tone(48_000, 4_801)
    with wave.open(io.BytesIO(encoded(wav(48_000), sound, 1_000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(frames) == len(sound)


@pytest.mark.parametrize(
    "fmt",
    [
        pcm(16_000, channels=2),
        pcm(16_000, Encoding.S24LE),
        replace(pcm(16_000), rate_hz=None),
        wav(),
        replace(wav(8_000), encoding=Encoding.ULAW),
        ogg_opus(44_100),
    ],
)
def test_what_we_do_not_write_is_refused(fmt: AudioFormat) -> None:
    with pytest.raises(UnsupportedFormat):
        make_encoder(fmt)


def test_an_impossible_rate_is_refused() -> None:
    with pytest.raises(BadAudio):
        make_encoder(pcm(10))
