"""Jobs of the real `palabra-ai` package (`tests/sdk/child.py`).

Of the package only the table of regions is changed: a local one is added. Its own events come back as they are.
"""

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

from tests.sdk.child import Raised, guarded, run_job
from tests.waiting import PATIENCE_S

MODULE = "tests.sdk.palabra_client"
run_client = functools.partial(run_job, MODULE)


def _palabra(url: str, key: str) -> Any:
    import palabra_ai

    base = url.replace("http", "ws", 1)
    palabra_ai.REGIONS["local"] = palabra_ai.Region(
        translation=f"{base}/streaming-api/{{random_hash}}/v1/speech-to-speech/stream",
        stt=f"{base}/asr/v1/speech-to-text/stream",
        tts=f"{base}/tts-api/v1/text-to-speech/stream",
    )
    return palabra_ai.Palabra(api_key=key, region="local")


def _is(event: Any, wanted: dict[str, Any]) -> bool:
    return all(getattr(event, name, None) == value for name, value in wanted.items())


async def translation(url: str, steps: list[Any], key: str = "k", **options: Any) -> Any:
    """`Palabra.translation(**options)` and what is done in it, one step after the other; all events behind ready.

    A step is the name of a method and its arguments, or `wait` with a number and what so many events must be like, or
    `nap` with seconds, or `vanish`. Without `end` among the steps the session is left as soon as they are done.
    """
    events: list[Any] = []
    changed = asyncio.Event()

    async def read(session: Any) -> None:
        async for event in session:
            events.append(event)
            changed.set()

    async with _palabra(url, key).translation(**options) as session, asyncio.timeout(PATIENCE_S):
        reading = asyncio.create_task(read(session))
        for name, *arguments in steps:
            if name == "wait":
                number, wanted = arguments
                while sum(_is(event, wanted) for event in events) < number:
                    changed.clear()
                    await changed.wait()
            elif name == "nap":
                await asyncio.sleep(arguments[0])
            elif name == "pcm":
                await session.send_pcm(arguments[0], realtime=False)
            elif name == "vanish":
                session._ws.transport.abort()
            else:
                keywords = (
                    arguments.pop() if arguments and isinstance(arguments[-1], dict) and name != "set_task" else {}
                )
                await getattr(session, name)(*arguments, **keywords)
        if any(step[0] in ("end", "vanish") for step in steps):
            await reading
        else:
            reading.cancel()
    return events


async def file(url: str, path: str, key: str = "k", **options: Any) -> Any:
    """`Palabra.atranslate_file`: what it gives, and what it tells meanwhile."""
    transcripts: list[Any] = []
    sound = await _palabra(url, key).atranslate_file(Path(path), on_transcript=transcripts.append, **options)
    return {"sound": sound, "transcripts": transcripts}


async def stt(url: str, audio: bytes, wait: int, key: str = "k", **options: Any) -> Any:
    """`Palabra.stt()`: the events until so many finals have come."""
    events: list[Any] = []
    async with _palabra(url, key).stt(**options) as session, asyncio.timeout(PATIENCE_S):
        for start in range(0, len(audio), 8000):
            await session.send_audio(audio[start : start + 8000])
        async for event in session:
            events.append(event)
            if sum(getattr(one, "is_eos", False) for one in events) >= wait:
                break
    return events


async def finalized(url: str, audio: bytes, turns: list[int], key: str = "k", **options: Any) -> Any:
    """`Palabra.stt()` as the vendor's integrations use it: what is final by each answer to `finalize`.

    The package has no method for it yet; they send it by the socket inside. `turns`: bytes before each.
    """
    answers: list[Any] = []
    async with _palabra(url, key).stt(**options) as session, asyncio.timeout(PATIENCE_S):
        for size in turns:
            turn, audio = audio[:size], audio[size:]
            if turn:
                await session.send_audio(turn)
            await session._ws.send(json.dumps({"message_type": "finalize"}))
            finals: list[Any] = []
            async for event in session:
                finals += [event] if event.is_eos else []
                if not event.is_translation and "<fin>" in event.text:
                    break
            answers.append(finals)
    return answers


async def tts(url: str, texts: list[tuple[str, dict[str, Any]]], key: str = "k", **options: Any) -> Any:
    """`Palabra.tts()`: what `synthesize` gives for each text, one after the other; an exception is an answer too."""
    answers: list[Any] = []
    async with _palabra(url, key).tts(**options) as session:
        for text, overrides in texts:
            try:
                answers.append(await session.synthesize(text, timeout=PATIENCE_S, **overrides))
            except Exception as error:  # noqa: BLE001
                answers.append(Raised.of(error))
    return answers


async def streamed_tts(url: str, pieces: list[str], cancel_after: int = 0, key: str = "k", **options: Any) -> Any:
    """`Palabra.tts()`: pieces of one text under one id; every chunk until the last. May cancel after some chunks."""
    chunks: list[Any] = []
    async with _palabra(url, key).tts(**options) as session, asyncio.timeout(PATIENCE_S):
        for number, piece in enumerate(pieces, 1):
            await session.send_text(piece, eos=number == len(pieces), generation_id="g")
        async for event in session:
            chunks.append(event)
            if len(chunks) == cancel_after:
                await session.cancel()
            if event.last_chunk:
                break
        after = await session.synthesize("Ya.", timeout=PATIENCE_S)
    return {"chunks": chunks, "after": after}


async def management(url: str, calls: list[tuple[str, str, dict[str, Any]]], key: str = "k") -> Any:
    """Methods of `Palabra.voices` and `Palabra.glossaries`; an exception is an answer too."""
    from palabra_ai import GlossariesAPI, VoicesAPI

    answers: list[Any] = []
    for api, method, arguments in calls:
        target = (VoicesAPI if api == "voices" else GlossariesAPI)(key, url)
        try:
            answers.append(await getattr(target, method)(**arguments))
        except Exception as error:  # noqa: BLE001
            answers.append(Raised.of(error))
    return answers


async def at_once(jobs: list[tuple[str, dict[str, Any]]]) -> Any:
    """Several jobs at the same time."""
    return await asyncio.gather(*(guarded(MODULE, job, arguments) for job, arguments in jobs))
