"""Audio for the tests: bursts of tone that the scripted engines take for speech, and real recordings."""

import io
import wave
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


def bursts(count: int, rate_hz: int, length_s: float = 1.0, pause_s: float = 0.9) -> Pcm:
    """`count` utterances of tone with pauses behind them."""
    times = np.arange(round(length_s * rate_hz)) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * 300 * times)
    once = np.concatenate([tone, np.zeros(round(pause_s * rate_hz))])
    return (np.tile(once, count) * 32767).astype(np.int16)


def recording(name: str) -> tuple[Pcm, int]:
    """One of the recordings inside the recogniser's package, and its rate."""
    path = Path(str(resources.files("moonshine_voice"))) / "assets" / name
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


def resampled(samples: Pcm, source_hz: int, target_hz: int) -> Pcm:
    """The same sound at another rate."""
    import soxr

    return np.asarray(soxr.resample(samples, source_hz, target_hz), np.int16)


def as_wav(samples: Pcm, rate_hz: int) -> bytes:
    """A RIFF file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def as_ogg_opus(samples: Pcm, rate_hz: int) -> bytes:
    """An Ogg Opus file as FFmpeg writes it."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        resampler = av.AudioResampler("s16", "mono", 48000, frame_size=960)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def _segments(samples: Pcm, law: str) -> bytes:
    codec = av.CodecContext.create(law, "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate = 8000
    codec.layout = "mono"
    codec.format = "s16"
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate = 8000
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def as_ulaw(samples: Pcm) -> bytes:
    """G.711 mu-law at 8 kHz, by FFmpeg."""
    return _segments(samples, "pcm_mulaw")


def as_alaw(samples: Pcm) -> bytes:
    """G.711 A-law at 8 kHz, by FFmpeg."""
    return _segments(samples, "pcm_alaw")


def in_format(name: str, samples: Pcm, rate_hz: int) -> bytes:
    """`samples` as bytes of one of the vendor's input formats."""
    if name == "wav":
        return as_wav(samples, rate_hz)
    if name == "opus":
        return as_ogg_opus(samples, rate_hz)
    target_hz = 24000 if name == "pcm" else int(name.rpartition("_")[2])
    samples = resampled(samples, rate_hz, target_hz)
    if name in ("ulaw_8000", "mulaw_8000"):
        return as_ulaw(samples)
    return as_alaw(samples) if name == "alaw_8000" else samples.tobytes()


def from_format(name: str, data: bytes) -> tuple[Pcm, int]:
    """What a client hears in bytes of one of the vendor's output formats: samples and rate."""
    if name == "wav":
        with wave.open(io.BytesIO(data)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
    if name == "opus":
        with av.open(io.BytesIO(data)) as container:
            frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        return (np.concatenate(frames, axis=1)[0] * 32767).astype(np.int16), 48000
    if name in ("ulaw_8000", "mulaw_8000", "alaw_8000"):
        law = "pcm_alaw" if name.startswith("a") else "pcm_mulaw"
        codec = av.CodecContext.create(law, "r")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate = 8000
        codec.layout = "mono"
        frames = [frame.to_ndarray() for frame in codec.decode(av.Packet(data))]
        return np.concatenate(frames, axis=1)[0].astype(np.int16), 8000
    return np.frombuffer(data, np.int16), 48000 if name == "pcm" else int(name.rpartition("_")[2])


AGAIN = {
    "en": ("again",),
    "es": ("otra vez", "nuevamente", "intente"),
    "fr": ("autre fois", "nouveau", "importe"),
    "pt": ("outra vez", "novamente"),
}
"""What "try again" and "fail again" become, by Apertium alone and by way of the Firefox models."""


def says_again(text: str, language: str) -> bool:
    """Whether a translation of `beckett.wav` has the words that it must have."""
    return any(word in text.lower() for word in AGAIN[language])
