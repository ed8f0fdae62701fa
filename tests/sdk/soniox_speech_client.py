"""Jobs of the real `soniox` package where it speaks (`tests/sdk/child.py`)."""

import contextlib
import functools
from typing import Any

from tests.sdk.child import run_job
from tests.sdk.soniox_client import _client

run = functools.partial(run_job, "tests.sdk.soniox_speech_client")


def _config(stream_id: str = "s", **fields: Any) -> Any:
    from soniox.types.realtime import RealtimeTTSConfig

    defaults = {"model": "tts-rt-v2", "language": "en", "voice": "Adrian", "audio_format": "pcm_s16le"}
    return RealtimeTTSConfig(stream_id=stream_id, **{**defaults, **fields})


def one_text(url: str, key: str = "k", text: str = "Hello there. Good.", **config: Any) -> bytes:
    """By REST."""
    from soniox.types import CreateTtsConfig

    voice, language = config.pop("voice", "Maya"), config.pop("language", "en")
    client = _client(url, key)
    return client.tts.generate(  # type: ignore[no-any-return]
        text=text, voice=voice, language=language, config=CreateTtsConfig(**config)
    )


async def one_text_asynchronous(url: str, key: str = "k", text: str = "Hello there. Good.") -> bytes:
    """By REST, without blocking."""
    client = _client(url, key, "AsyncSonioxClient")
    return await client.tts.generate(text=text, voice="Maya", language="en")  # type: ignore[no-any-return]


def stream(url: str, pieces: list[str], key: str = "k", **config: Any) -> list[dict[str, Any]]:
    """One stream: its events."""
    from soniox.errors import SonioxRealtimeError

    with _client(url, key).realtime.tts.connect(config=_config(**config)) as one:
        with contextlib.suppress(SonioxRealtimeError):  # the server has closed: the events say why
            one.send_text_chunks(iter(pieces))
        return [event.model_dump(exclude_unset=True) for event in one.receive_events()]


async def stream_asynchronous(url: str, pieces: list[str], key: str = "k") -> bytes:
    """One stream, without blocking: its audio."""
    client = _client(url, key, "AsyncSonioxClient")
    audio = b""
    async with client.realtime.tts.connect(config=_config()) as one:
        for piece in pieces:
            await one.send_text_chunk(piece)
        await one.finish()
        async for chunk in one.receive_audio_chunks():
            audio += chunk
    return audio


def several(url: str, key: str = "k") -> tuple[bytes, bytes, list[bytes], bytes]:
    """Two streams at once, one that is cancelled, and another of the same name behind it."""
    with _client(url, key).realtime.tts.connect_multi_stream() as connection:
        one, two, three = (connection.open_stream(config=_config(name)) for name in ("1", "2", "3"))
        one.send_text_chunk("Good morning. ")
        two.send_text_chunks("Good evening.")
        one.send_text_chunk("How are you?", text_end=True)
        three.send_text_chunk("Say ")
        three.cancel()
        spoken = b"".join(two.receive_audio_chunks()), b"".join(one.receive_audio_chunks())
        cancelled = [*three.receive_audio_chunks()]
        again = connection.open_stream(config=_config("3"))
        again.send_text_chunks("Again.")
        return *spoken, cancelled, b"".join(again.receive_audio_chunks())
