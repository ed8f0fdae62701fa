"""Section "soak": many short sessions on all four wires, a third of which end badly, and what they leave in the server.

Each caller takes one wire after the other, says a few seconds of the talk in real time, and then says goodbye, or
vanishes, or stops reading before it vanishes. What a server leaks shows as growth from the first third of the looks to
the last one, the first minute left out.
"""

import asyncio
import base64
import json
import random
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from dragoman.bench.percentiles import median
from dragoman.bench.processes import Memory, family
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import RATE_HZ, Talk
from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.testing import RunningServer

CALLERS = 6
CHUNK_S = 0.16
EVERY_S = 5.0
"""Between two looks at the server."""
WARM_S = 60.0
SHORTEST_S, LONGEST_S = 3.0, 9.0
ENDS = ("goodbye", "goodbye", "goodbye", "goodbye", "vanishes", "never reads")
_PATIENCE_S = 60.0
_AUDIO = {"format": "pcm_s16le", "sample_rate": RATE_HZ, "channels": 1}
_TASK = {
    "input_stream": {"content_type": "audio", "source": {"type": "ws", **_AUDIO}},
    "output_stream": {"content_type": "audio", "target": {"type": "ws", "format": "pcm_s16le"}},
    "pipeline": {
        "transcription": {"source_language": "en"},
        "translations": [{"target_language": language, "speech_generation": {}} for language in ("es", "pt")],
        "allowed_message_types": ["validated_transcription", "translated_transcription"],
    },
}
_SONIOX = {
    "model": "stt-rt-v5",
    "audio_format": "pcm_s16le",
    "sample_rate": RATE_HZ,
    "num_channels": 1,
    "translation": {"type": "one_way", "target_language": "es"},
}


@dataclass(frozen=True, slots=True)
class Wire:
    """How one vendor's client begins, sends a chunk and says goodbye."""

    path: str
    begin: str | None
    chunk: Callable[[bytes], str | bytes]
    end: str
    rate_hz: int = RATE_HZ


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


WIRES = {
    "gradium": Wire(
        "/api/speech/s2s",
        json.dumps({"type": "setup", "input_format": "pcm", "json_config": {"target_language": "es"}}),
        lambda data: json.dumps({"type": "audio", "audio": _base64(data)}),
        json.dumps({"type": "end_of_stream"}),
    ),
    "soniox": Wire("/transcribe-websocket", json.dumps(_SONIOX | {"api_key": "soak"}), lambda data: data, ""),
    "sarvam": Wire(
        "/speech-to-text-translate/ws?sample_rate=16000&input_audio_codec=pcm_s16le",
        None,
        lambda data: json.dumps(
            {"audio": {"data": _base64(data), "encoding": "audio/wav", "sample_rate": SAMPLE_RATE_HZ}}
        ),
        json.dumps({"type": "flush"}),
        SAMPLE_RATE_HZ,
    ),
    "palabra": Wire(
        "/streaming-api/soak/v1/speech-to-speech/stream?token=soak",
        json.dumps({"message_type": "set_task", "data": _TASK}),
        lambda data: json.dumps({"message_type": "input_audio_data", "data": {"data": _base64(data)}}),
        json.dumps({"message_type": "end_task", "data": {}}),
    ),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The server at one moment: seconds since the beginning, bytes that are its own alone, and counts."""

    at_s: float
    uss: int
    descriptors: int
    threads: int
    processes: int
    tasks: int


@dataclass(slots=True)
class Soaked:
    """All looks, how many sessions ended how, and what was left when all had gone."""

    looks: list[Look] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    left: int = 0


def measure(server: RunningServer, talk: Talk, minutes: float) -> Soaked:
    """Call for `minutes`, then wait until nobody is left."""
    return asyncio.run(_soak(server, talk, minutes))


async def _soak(server: RunningServer, talk: Talk, minutes: float) -> Soaked:
    found, began_s = Soaked(), monotonic()
    stop_s = began_s + 60 * minutes
    callers = [
        asyncio.create_task(_calls(server, talk, random.Random(number), stop_s, found)) for number in range(CALLERS)
    ]
    while monotonic() < stop_s:
        await asyncio.sleep(EVERY_S)
        found.looks.append(await asyncio.to_thread(_look, server, monotonic() - began_s))
    await asyncio.gather(*callers)
    for _ in range(100):
        found.left = (await asyncio.to_thread(server.get_json, "/ready"))["sessions"]
        if not found.left:
            break
        await asyncio.sleep(0.1)
    return found


async def _calls(server: RunningServer, talk: Talk, choose: random.Random, stop_s: float, found: Soaked) -> None:
    while monotonic() < stop_s:
        name, how = choose.choice(sorted(WIRES)), choose.choice(ENDS)
        length_s = choose.uniform(SHORTEST_S, LONGEST_S)
        begin_s = choose.uniform(0.0, max(0.0, talk.duration_s - length_s))
        try:
            await _call(server.url, WIRES[name], talk.between(begin_s, begin_s + length_s), how, name, found)
            found.ended[f"{name}: {how}"] += 1
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
            found.ended[f"{name}: {type(error).__name__}"] += 1


async def _call(url: str, wire: Wire, talk: Talk, how: str, name: str, found: Soaked) -> None:
    address = url.replace("http", "ws", 1) + wire.path
    async with connect(address, compression=None, ping_interval=None, max_queue=1, close_timeout=1.0) as socket:
        hearing = asyncio.create_task(_hear(socket, name, found)) if how != "never reads" else None
        if wire.begin is not None:
            await socket.send(wire.begin)
        samples = talk.samples if wire.rate_hz == RATE_HZ else (talk.for_models() * 32767).astype(np.int16)
        began_s, step = monotonic(), round(CHUNK_S * wire.rate_hz)
        for number, start in enumerate(range(0, len(samples), step)):
            await asyncio.sleep(max(0.0, began_s + number * CHUNK_S - monotonic()))
            await socket.send(wire.chunk(samples[start : start + step].tobytes()))
        if how == "goodbye":
            await socket.send(wire.end)
            if name == "sarvam":  # it does not close by itself
                await asyncio.sleep(1.0)
                await socket.close()
            if hearing is not None:
                await asyncio.wait_for(hearing, _PATIENCE_S)
        else:
            socket.transport.abort()
            if hearing is not None:
                await hearing


async def _hear(socket: ClientConnection, name: str, found: Soaked) -> None:
    with suppress(ConnectionClosed):
        async for _ in socket:
            found.messages[name] += 1


def _look(server: RunningServer, at_s: float) -> Look:
    processes = family(server.process.pid)
    descriptors = threads = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            descriptors += process.num_fds()
            threads += process.num_threads()
    with urllib.request.urlopen(server.url + "/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    tasks = next(line for line in lines if line.startswith("dragoman_asyncio_tasks"))
    uss = Memory.of(server.process.pid).uss
    return Look(at_s, uss, descriptors, threads, len(processes), round(float(tasks.split()[-1])))


def section(found: Soaked) -> Section:
    """As tables and figures."""
    looks = [look for look in found.looks if look.at_s >= WARM_S] or found.looks
    third = max(1, len(looks) // 3)
    first, last = looks[:third], looks[-third:]
    rows, figures = [], {}
    parts: Sequence[tuple[str, str, Callable[[Look], float]]] = [
        ("memory of its own, MiB", "uss_mib", lambda look: look.uss / 2**20),
        ("descriptors", "descriptors", lambda look: look.descriptors),
        ("threads", "threads", lambda look: look.threads),
        ("processes", "processes", lambda look: look.processes),
        ("tasks", "tasks", lambda look: look.tasks),
    ]
    for title, key, part in parts:
        before, after = median(map(part, first)), median(map(part, last))
        most = max(map(part, looks))
        rows.append([title, f"{before:.1f}", f"{after:.1f}", f"{most:.1f}"])
        figures |= {f"first_{key}": before, f"last_{key}": after}
    minutes = found.looks[-1].at_s / 60 if found.looks else 0.0
    total = sum(found.ended.values())
    note = (
        f"{total} sessions of {CALLERS} callers in {minutes:.1f} minutes; sessions left when all had gone: {found.left}"
    )
    grids = [
        Grid("A soak: medians over its first and its last third", ["", "first", "last", "most"], rows, note),
        Grid(
            "How the sessions ended",
            ["", "sessions"],
            [[how, str(count)] for how, count in sorted(found.ended.items())],
            "messages heard: " + ", ".join(f"{name} {count}" for name, count in sorted(found.messages.items())),
        ),
    ]
    return Section("soak", grids, {**figures, "sessions": float(total), "left": float(found.left)}, found)
