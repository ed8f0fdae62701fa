"""Jobs of the real `gradium` package for its recognition and synthesis (see `tests/sdk/client.py`)."""

import functools
from typing import Any

from tests.sdk.child import run_job
from tests.sdk.client import _chunks, _client

run = functools.partial(run_job, "tests.sdk.gradium_speech_client")


async def stt(url: str, setup: dict[str, Any], audio: Any, key: str = "k", rate: int | None = None) -> Any:
    """`client.stt`: the text, and each word with its place."""
    result = await _client(url, key).stt(setup, audio, rate)
    return {"text": result.text, "words": [(word.text, word.start_s) for word in result.text_with_timestamps]}


async def stt_stream(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """`client.stt_stream`: words as they come, and the delay that `ready` tells."""
    stream = await _client(url, key).stt_stream(setup, _chunks(audio, 3000, 0.0))
    return [word.text async for word in stream.iter_text()], stream.delay_in_frames


async def stt_realtime(
    url: str, setup: dict[str, Any], audio: bytes, key: str = "k", flush_after: int = 0, size: int = 3840
) -> Any:
    """`client.stt_realtime`: every message; a flush behind so many chunks."""
    received: list[Any] = []
    async with _client(url, key).stt_realtime(**setup) as session:
        for number, start in enumerate(range(0, len(audio), size), 1):
            await session.send_audio(audio[start : start + size])
            if number == flush_after:
                await session.send_flush(7)
        await session.send_eos()
        received += [message async for message in session]
    return received


async def tts(url: str, setup: dict[str, Any], text: Any, key: str = "k") -> Any:
    """`client.tts`: the bytes, their rate, and each word with its place."""
    result = await _client(url, key).tts(setup, text)
    words = [(word.text, word.start_s, word.stop_s) for word in result.text_with_timestamps]
    return {"raw": result.raw_data, "rate": result.sample_rate, "words": words}


async def tts_realtime(url: str, setup: dict[str, Any], texts: list[str], key: str = "k") -> Any:
    """`client.tts_realtime`: every message."""
    async with _client(url, key).tts_realtime(**setup) as session:
        for text in texts:
            await session.send_text(text)
        await session.send_eos()
        return [message async for message in session]


async def multiplexed_tts(url: str, setup: dict[str, Any], texts: dict[str, list[str]], key: str = "k") -> Any:
    """Several requests on one socket, their texts by turns; messages by their `client_req_id`."""
    received: dict[Any, list[Any]] = {name: [] for name in texts}
    async with _client(url, key).tts_realtime(send_setup_on_start=False) as session:
        for name in texts:
            await session.send_setup({**setup, "client_req_id": name, "close_ws_on_eos": False})
        for turn in range(max(map(len, texts.values()))):
            for name, said in texts.items():
                if turn < len(said):
                    await session.send_text(said[turn], client_req_id=name)
        for name in texts:
            await session.send_eos(client_req_id=name)
        left = set(texts)
        async for message in session:
            received[message["client_req_id"]].append(message)
            if message["type"] == "end_of_stream":
                left.discard(message["client_req_id"])
            if not left:
                return received
    return received


async def voice_tts(url: str, key: str = "k", **arguments: Any) -> Any:
    """`client.voice_tts`: synthesis by REST."""
    return await _client(url, key).voice_tts(**arguments)
