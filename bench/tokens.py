"""Section "tokens": from a word's end in the speech to its tokens on the Soniox socket, in real time.

A word's end is what the server says of its final token (an estimate where the recogniser gives no word times). Its
first non-final token is the first with the same letters that ends within NEAR_MS of it; its translation is the first
translation token behind its final one. How much of what was shown as non-final was taken back is told as normalised
erasure.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dragoman.bench.client import SessionFailed
from dragoman.bench.erasure import normalised_erasure
from dragoman.bench.percentiles import Spread
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import RATE_HZ, Talk
from dragoman.testing import RunningServer

CHUNK_S = 0.12
NEAR_MS = 900
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when it came, in seconds from the first spoken sample. `end_ms` is None on translations."""

    at_s: float
    text: str
    end_ms: int | None
    final: bool


@dataclass(slots=True)
class Stream:
    """All tokens of one session, in the order in which they came; `shown` are the original words that a reader saw
    after each message."""

    tokens: list[Token] = field(default_factory=list)
    shown: list[list[str]] = field(default_factory=list)
    failure: str = ""

    def take(self, tokens: Sequence[Token]) -> None:
        """The tokens of one message."""
        self.tokens += tokens
        spoken = [token for token in self.tokens if token.final and token.end_ms is not None]
        supposed = [token for token in tokens if not token.final and token.end_ms is not None]
        self.shown.append("".join(token.text for token in [*spoken, *supposed]).split())


def delays(tokens: list[Token]) -> dict[str, list[float]]:
    """Seconds from the end of each word to its first non-final, its final and its translation token."""
    found: dict[str, list[float]] = {"non-final": [], "final": [], "translation": []}
    guesses: dict[str, list[Token]] = {}
    for token in tokens:
        if token.end_ms is not None and not token.final:
            guesses.setdefault(_letters(token.text), []).append(token)
    for place, word in enumerate(tokens):
        if word.end_ms is None or not word.final:
            continue
        end_s = word.end_ms / 1000
        found["final"].append(word.at_s - end_s)
        near = [
            guess.at_s
            for guess in guesses.get(_letters(word.text), [])
            if guess.end_ms is not None and abs(guess.end_ms - word.end_ms) <= NEAR_MS and guess.at_s <= word.at_s
        ]
        if near:
            found["non-final"].append(min(near) - end_s)
        following = (
            token.at_s for token in tokens[place:] if token.end_ms is None and token.text not in {"<end>", "<fin>"}
        )
        if (at_s := next(following, None)) is not None:
            found["translation"].append(at_s - end_s)
    return found


def measure(server: RunningServer, talk: Talk) -> Stream:
    """One session. Raises SessionFailed."""
    stream = asyncio.run(_converse(server.url, talk))
    if stream.failure or not stream.tokens:
        raise SessionFailed(stream.failure or "no token came")
    return stream


def section(stream: Stream, talk: Talk) -> Section:
    """As a table and figures."""
    rows, figures = [], {}
    for name, values in delays(stream.tokens).items():
        if spread := Spread.of(values):
            rows.append([name, str(spread.count), f"{spread.p50:.2f}", f"{spread.p95:.2f}"])
            key = name.replace("-", "_")
            figures |= {f"{key}_p50_s": spread.p50, f"{key}_p95_s": spread.p95}
    erasure = normalised_erasure(stream.shown)
    figures["normalised_erasure"] = erasure
    note = (
        f"normalised erasure {erasure:.2f}; {talk.duration_s:.1f} s of speech in real time, one session, English to "
        "Spanish, Soniox's socket"
    )
    grid = Grid("From the end of a word to its token, s", ["token", "words", "p50", "p95"], rows, note)
    return Section("tokens", [grid], figures, stream)


async def _converse(url: str, talk: Talk) -> Stream:
    stream = Stream()
    headers = {"Authorization": "Bearer bench"}
    endpoint = url.replace("http", "ws", 1) + "/transcribe-websocket"
    async with connect(
        endpoint, additional_headers=headers, compression=None, ping_interval=None, max_size=None
    ) as socket:
        await socket.send(json.dumps(_config()))
        began_s = monotonic()
        hearing = asyncio.create_task(_hear(socket, stream, began_s - CHUNK_S))
        step = round(CHUNK_S * RATE_HZ)
        with suppress(ConnectionClosed):
            for number, start in enumerate(range(0, len(talk.samples), step)):
                await asyncio.sleep(max(0.0, began_s + number * CHUNK_S - monotonic()))
                await socket.send(talk.samples[start : start + step].tobytes())
            await socket.send("")
        await asyncio.wait_for(hearing, _PATIENCE_S)
    return stream


async def _hear(socket: ClientConnection, stream: Stream, zero_s: float) -> None:
    with suppress(ConnectionClosed):
        async for text in socket:
            at_s = monotonic() - zero_s
            message: dict[str, Any] = json.loads(text)
            stream.failure = stream.failure or str(message.get("error_message", ""))
            stream.take(
                [Token(at_s, token["text"], token.get("end_ms"), token["is_final"]) for token in message["tokens"]]
            )


def _config() -> dict[str, Any]:
    return {
        "model": "stt-rt-v5",
        "audio_format": "pcm_s16le",
        "sample_rate": RATE_HZ,
        "num_channels": 1,
        "translation": {"type": "one_way", "target_language": "es"},
    }


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.lower())
