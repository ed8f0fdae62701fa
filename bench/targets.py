"""Section "targets": what a second and a third target language cost, and how late each target is.

One speaker through the Palabra socket, in real time, into one language, then two, then three, on the same warm server.
Recognition is paid once; the difference between the runs is the price of translating into and speaking one more.
"""

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dragoman.bench.client import SessionFailed
from dragoman.bench.percentiles import Spread
from dragoman.bench.processes import Meter, Usage
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import RATE_HZ, Talk
from dragoman.testing import RunningServer

TARGETS = ("es", "fr", "pt")
CHUNK_S = 0.32
SETTLE_S = 0.3
_PATIENCE_S = 120.0


@dataclass(slots=True)
class Heard:
    """One session. Ends of the units on the input's clock by id; first sounds by target and id. Times in seconds."""

    targets: tuple[str, ...]
    ends_s: dict[str, float] = field(default_factory=dict)
    sounds_s: dict[str, dict[str, float]] = field(default_factory=dict)
    usage: Usage | None = None

    def delays(self, target: str) -> list[float]:
        """From the end of each unit in the speech to the first sound of its translation into `target`."""
        sounds = self.sounds_s.get(target, {})
        return [at_s - self.ends_s[unit_id] for unit_id, at_s in sounds.items() if unit_id in self.ends_s]


def measure(server: RunningServer, talk: Talk) -> list[Heard]:
    """One session for each number of targets. Raises SessionFailed."""
    found = []
    for count in range(1, len(TARGETS) + 1):
        meter = Meter(server.process.pid)
        heard = asyncio.run(_converse(server.url, talk, TARGETS[:count]))
        time.sleep(SETTLE_S)
        heard.usage = meter.read()
        found.append(heard)
    return found


def section(found: Sequence[Heard], talk: Talk) -> Section:
    """As a table and figures."""
    rows, figures = [], {}
    costs = [heard.usage.family_s for heard in found if heard.usage is not None]
    for number, (heard, cost_s) in enumerate(zip(found, costs, strict=True), 1):
        figures[f"{number}_targets_cpu_s"] = cost_s
        if number > 1:
            figures[f"target_{number}_over_first_ratio"] = (cost_s - costs[number - 2]) / costs[0]
        for target in heard.targets:
            spread = Spread.of(heard.delays(target))
            if spread is None:
                raise SessionFailed(f"nothing was heard in {target}")
            rows.append(
                [str(number), target, str(spread.count), f"{spread.p50:.2f}", f"{spread.p95:.2f}", f"{cost_s:.2f}"]
            )
            figures[f"{number}_targets_{target}_p50_s"] = spread.p50
            figures[f"{number}_targets_{target}_p95_s"] = spread.p95
    note = (
        f"{talk.duration_s:.1f} s of speech in real time, Palabra's socket; processor time of the server and its "
        f"children. Of the first target's cost, the second adds {figures['target_2_over_first_ratio']:.2f}, "
        f"the third {figures['target_3_over_first_ratio']:.2f}"
    )
    columns = ["targets", "language", "units", "delay p50, s", "delay p95, s", "processor, s"]
    return Section("targets", [Grid("One speaker, several languages", columns, rows, note)], figures, found)


async def _converse(url: str, talk: Talk, targets: tuple[str, ...]) -> Heard:
    heard = Heard(targets)
    endpoint = url.replace("http", "ws", 1) + "/streaming-api/bench/v1/speech-to-speech/stream?token=bench"
    async with connect(endpoint, compression=None, ping_interval=None, max_size=None) as socket:
        await _send(socket, "set_task", _task(targets))
        status = json.loads(await socket.recv())
        if status["message_type"] != "task_status":
            raise SessionFailed(str(status["data"]))
        began_s = monotonic()
        hearing = asyncio.create_task(_hear(socket, heard, began_s - CHUNK_S))
        step = round(CHUNK_S * RATE_HZ)
        for number, start in enumerate(range(0, len(talk.samples), step)):
            await asyncio.sleep(max(0.0, began_s + number * CHUNK_S - monotonic()))
            data = base64.b64encode(talk.samples[start : start + step].tobytes()).decode()
            await _send(socket, "input_audio_data", {"data": data})
        await _send(socket, "end_task", {})
        await asyncio.wait_for(hearing, _PATIENCE_S)
    return heard


async def _hear(socket: ClientConnection, heard: Heard, zero_s: float) -> None:
    with suppress(ConnectionClosed):
        async for text in socket:
            at_s = monotonic() - zero_s
            message = json.loads(text)
            data = message["data"]
            if message["message_type"] == "validated_transcription":
                said = data["transcription"]
                heard.ends_s[said["transcription_id"]] = max(segment["end"] for segment in said["segments"])
            elif message["message_type"] == "output_audio_data" and data["data"]:
                heard.sounds_s.setdefault(data["language"], {}).setdefault(data["transcription_id"], at_s)


async def _send(socket: ClientConnection, kind: str, data: dict[str, Any]) -> None:
    await socket.send(json.dumps({"message_type": kind, "data": data}))


def _task(targets: Sequence[str]) -> dict[str, Any]:
    audio = {"format": "pcm_s16le", "sample_rate": RATE_HZ, "channels": 1}
    return {
        "input_stream": {"content_type": "audio", "source": {"type": "ws", **audio}},
        "output_stream": {"content_type": "audio", "target": {"type": "ws", "format": "pcm_s16le"}},
        "pipeline": {
            "transcription": {"source_language": "en"},
            "translations": [{"target_language": target, "speech_generation": {}} for target in targets],
            "allowed_message_types": ["validated_transcription", "translated_transcription"],
        },
    }
