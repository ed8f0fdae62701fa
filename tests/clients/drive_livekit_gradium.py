"""Jobs of `livekit-plugins-gradium`; runs in the clients' environment. The last line printed is the answer."""

import asyncio
import json
import logging
import sys
import wave

import aiohttp
import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions
from livekit.plugins.gradium import STT, TTS

ONCE = APIConnectOptions(max_retry=0, timeout=10)
FRAME_S = 0.02


def samples(path, silence_s):
    with wave.open(path) as file:
        sound, rate_hz = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
    return np.concatenate([sound, np.zeros(round(silence_s * rate_hz), np.int16)]), rate_hz


async def stt(url, path, key="k", model="default", language="en", reconnects=False):
    """What is told for good while a recording is spoken in real time."""
    async with aiohttp.ClientSession() as session:
        endpoint = f"{url.replace('http', 'ws')}/api/speech/asr"
        engine = STT(model_endpoint=endpoint, api_key=key, model_name=model, language=language, http_session=session)
        sound, rate_hz = samples(path, 4.0)
        stream = engine.stream(conn_options=ONCE)

        async def push():
            size = round(rate_hz * FRAME_S)
            for number, start in enumerate(range(0, len(sound) - size, size)):
                stream.push_frame(rtc.AudioFrame(sound[start : start + size].tobytes(), rate_hz, 1, size))
                if reconnects and number == round(5.0 / FRAME_S):
                    stream.update_options(buffer_size_seconds=0.08)
                await asyncio.sleep(FRAME_S)
            await asyncio.sleep(3.0)
            await stream.aclose()

        pushing = asyncio.create_task(push())
        try:
            return [event.alternatives[0].text async for event in stream if event.type.value == "final_transcript"]
        finally:
            pushing.cancel()


async def tts(url, text, key="k", streamed=False):
    """Seconds of speech."""
    async with aiohttp.ClientSession() as session:
        endpoint = f"{url.replace('http', 'ws')}/api/speech/tts"
        engine = TTS(model_endpoint=endpoint, api_key=key, http_session=session)
        if streamed:
            stream = engine.stream(conn_options=ONCE)
            for word in text.split():
                stream.push_text(f"{word} ")
            stream.end_input()
        else:
            stream = engine.synthesize(text, conn_options=ONCE)
        count = 0
        async for event in stream:
            count += event.frame.samples_per_channel
        await engine.aclose()
        return count / engine.sample_rate


async def main():
    logging.basicConfig(level=logging.ERROR)
    order = json.loads(sys.argv[1])
    try:
        answer = await globals()[order.pop("job")](**order)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))


asyncio.run(main())
