"""Translates a real English recording to Spanish, in real time, through the vendor's own client.

A server is started on a free port; the recording (the one that comes with the recogniser) is sent at the speed at which
it was spoken; text is printed as it arrives, with the delay of each clause behind its last word. The translation
lands in `demo/out.wav`.
"""

import argparse
import asyncio
import time
import wave
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path

from gradium.client import GradiumClient
from rich.console import Console

from dragoman.testing import RunningServer, running_server

CHUNK_S = 0.08
OUTPUT_HZ = 48_000
OUT = Path(__file__).parent / "out.wav"
console = Console(highlight=False, soft_wrap=True)


def read_recording(path: Path | None) -> tuple[bytes, int]:
    """Samples (16-bit mono) and rate of a WAV file, or of the recording that comes with the recogniser."""
    if path is None:
        path = Path(str(resources.files("moonshine_voice"))) / "assets" / "two_cities.wav"
    with wave.open(str(path)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise SystemExit(f"{path} is not a 16-bit mono WAV file")
        return file.readframes(file.getnframes()), file.getframerate()


async def paced(samples: bytes, rate_hz: int, started: float) -> AsyncIterator[bytes]:
    """The samples in chunks of 80 ms, each when it would have been spoken."""
    step = int(rate_hz * CHUNK_S) * 2
    for number, start in enumerate(range(0, len(samples), step), 1):
        await asyncio.sleep(max(0.0, started + number * CHUNK_S - time.monotonic()))
        yield samples[start : start + step]


async def translate(url: str, samples: bytes, rate_hz: int, target: str, source: str | None = None) -> bytes:
    """Speak to the server and print what it says; returns its audio, 16-bit mono at 48 kHz.

    Without a `source` the server finds out which language is spoken.
    """
    # `source_language` and `source_times` are extensions of this server; with the latter each text says when its words
    # were spoken.
    config: dict[str, object] = {"target_language": target, "source_times": True}
    if source is not None:
        config["source_language"] = source
    client = GradiumClient(base_url=url, api_key="demo")
    audio = bytearray()
    delays: list[float] = []
    stream = client.s2s_realtime(
        input_format=f"pcm_{rate_hz}",
        output_format="pcm",
        json_config=config,
        wait_for_ready_on_start=True,
    )
    async with stream as session:
        started = time.monotonic()

        async def send() -> None:
            async for chunk in paced(samples, rate_hz, started):
                await session.send_audio(chunk)
            await session.send_eos()

        sending = asyncio.create_task(send())
        async for message in session:
            now_s = time.monotonic() - started
            if message["type"] == "text":
                delays.append(now_s - message["source_stop_s"])
                console.print(f"[dim]{now_s:6.2f} s[/dim]  [green]+{delays[-1]:.2f} s[/green]  {message['text']}")
            elif message["type"] == "audio":
                audio += message["audio"]
        await sending
        whole_s = time.monotonic() - started
    spoken_s = len(samples) / 2 / rate_hz
    console.print(
        f"\n{spoken_s:.1f} s of speech, {len(audio) / 2 / OUTPUT_HZ:.1f} s of translation; "
        f"the last sound came {max(0.0, whole_s - spoken_s):.2f} s after the speaker ended"
    )
    if not delays:
        console.print("nothing was understood of it")
    else:
        middle = sorted(delays)[len(delays) // 2]
        console.print(f"a clause came {middle:.2f} s (median) after its last word")
    return bytes(audio)


def who(server: RunningServer, source: str, target: str) -> str:
    """Which engines hear, translate and speak."""
    ready = server.get_json("/ready")
    heard, turned = ready["recognise"].get(source, "nobody"), ready["translate"].get(f"{source}→{target}", "nobody")
    return f"{heard} hears, {turned} translates, {ready['speak'].get(target, 'nobody')} speaks"


def main() -> None:
    """Start a server, translate, write the audio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", type=Path, help="a 16-bit mono WAV file of English speech")
    parser.add_argument("--to", default="es", help="target language (default: es)")
    arguments = parser.parse_args()
    samples, rate_hz = read_recording(arguments.recording)
    with running_server("auto") as server:
        console.print(f"server at {server.url}; English in, '{arguments.to}' out; {who(server, 'en', arguments.to)}")
        console.print("+delay is time since the clause's last word\n")
        audio = asyncio.run(translate(server.url, samples, rate_hz, arguments.to))
    with wave.open(str(OUT), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(OUTPUT_HZ)
        file.writeframes(audio)
    console.print(f"wrote {OUT}")


if __name__ == "__main__":
    main()
