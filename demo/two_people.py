"""Two people, two languages: what each of them says, and what the other one reads, with a colour for each speaker.

The official Soniox client does the talking; only its URLs point here. Without a recording of your own, the two that
come with the recogniser take turns (both are in English); without `--url`, a server is started on a free port. What is
heard depends on the installed engines: `dragoman models` shows it.
"""

import argparse
import wave
from collections.abc import Iterator
from importlib import resources
from itertools import groupby
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import soxr
from rich.console import Console
from rich.live import Live
from rich.text import Text
from soniox import SonioxClient
from soniox.types import RealtimeSTTConfig, Token
from soniox.utils import start_audio_thread

from dragoman.testing import running_server

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
RATE_HZ = 16_000
CHUNK_S = 0.12
TURNS = (
    ("beckett.wav", 0.0, 3.2),
    ("two_cities.wav", 0.0, 5.4),
    ("beckett.wav", 3.2, 7.4),
    ("two_cities.wav", 5.4, 9.6),
)
"""Recordings in the recogniser's package, and which seconds of them."""


def read(path: Path, from_s: float = 0.0, to_s: float | None = None) -> bytes:
    """Samples (16-bit mono, 16 kHz) of a WAV file, or of a piece of it."""
    with wave.open(str(path)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise SystemExit(f"{path} is not a 16-bit mono WAV file")
        rate_hz = file.getframerate()
        file.setpos(min(file.getnframes(), round(from_s * rate_hz)))
        stop = file.getnframes() if to_s is None else round(to_s * rate_hz)
        samples = np.frombuffer(file.readframes(stop - file.tell()), "<i2")
    return np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), "<i2").tobytes()


def read_packaged(name: str, from_s: float = 0.0, to_s: float | None = None) -> bytes:
    """The same of a recording that comes with the recogniser."""
    return read(Path(str(resources.files("moonshine_voice"))) / "assets" / name, from_s, to_s)


def turns() -> bytes:
    """Two voices that take turns, with a pause behind each."""
    pause = bytes(2 * RATE_HZ)
    return b"".join(read_packaged(*turn) + pause for turn in TURNS)


def paced(samples: bytes, speed: float) -> Iterator[bytes]:
    """The samples in small chunks, each when it would have been spoken."""
    step, started = int(RATE_HZ * CHUNK_S) * 2, monotonic()
    for number, start in enumerate(range(0, len(samples), step), 1):
        sleep(max(0.0, started + number * CHUNK_S / speed - monotonic()))
        yield samples[start : start + step]


def shown(tokens: list[Token]) -> Text:
    """A line for each stretch of one speaker in one language; translations in italics, what may change dimmed."""
    text = Text()
    signs = ("<end>", "<fin>")
    for (speaker, language, status), stretch in groupby(
        (token for token in tokens if token.text not in signs),
        lambda token: (token.speaker, token.language, token.translation_status),
    ):
        colour = COLOURS[(int(speaker) - 1) % len(COLOURS)] if speaker else "white"
        style = f"{colour} italic" if status == "translation" else f"{colour} bold"
        who = f"Speaker {speaker} " if speaker else ""
        text.append(f"{who}[{language}] ", colour)
        words = list(stretch)
        for number, word in enumerate(words):
            said = word.text.lstrip() if number == 0 else word.text
            text.append(said, style if word.is_final else f"{style} dim")
        text.append("\n")
    return text


def talk(url: str, samples: bytes, sides: tuple[str, str], speed: float) -> Text:
    """Send the conversation and show it as it is understood; returns all of it."""
    client = SonioxClient(
        api_key="demo",
        websocket_base_url=url.replace("http", "ws") + "/transcribe-websocket",
        api_base_url=f"{url}/v1",
    )
    config = RealtimeSTTConfig(
        model="stt-rt-v5",
        audio_format="pcm_s16le",
        sample_rate=RATE_HZ,
        num_channels=1,
        language_hints=list(sides),
        enable_speaker_diarization=True,
        enable_language_identification=True,
        enable_endpoint_detection=True,
        translation={"type": "two_way", "language_a": sides[0], "language_b": sides[1]},
    )
    finals: list[Token] = []
    with client.realtime.stt.connect(config=config) as session, Live(Text(), auto_refresh=False) as live:
        start_audio_thread(session, paced(samples, speed))
        for event in session.receive_events():
            if event.error_code is not None:
                raise SystemExit(f"{event.error_code}: {event.error_message}")
            finals += [token for token in event.tokens if token.is_final]
            live.update(shown([*finals, *(token for token in event.tokens if not token.is_final)]), refresh=True)
    return shown(finals)


def main() -> None:
    """Start a server, unless there is one, and hold the conversation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", nargs="?", type=Path, help="a 16-bit mono WAV file of a conversation")
    parser.add_argument("--sides", nargs=2, default=("en", "es"), metavar="LANGUAGE", help="default: en es")
    parser.add_argument("--url", help="a server that is running, such as http://127.0.0.1:8000")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast as it was spoken")
    arguments = parser.parse_args()
    samples = read(arguments.recording) if arguments.recording else turns()
    sides = (arguments.sides[0], arguments.sides[1])
    console = Console(highlight=False)
    console.print(f"{sides[0]} and {sides[1]}, in turns: what is said, and its translation\n")
    if arguments.url:
        talk(arguments.url, samples, sides, arguments.speed)
    else:
        with running_server("auto") as server:
            talk(server.url, samples, sides, arguments.speed)


if __name__ == "__main__":
    main()
