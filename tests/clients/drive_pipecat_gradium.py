"""Jobs of Pipecat's Gradium services; runs in the clients' environment. The last line printed is the answer."""

import asyncio
import json
import sys
import time
import warnings
import wave

warnings.simplefilter("ignore")

import numpy as np
import soxr
from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.gradium.stt import GradiumSTTService
from pipecat.services.gradium.tts import GradiumTTSService

RATE_HZ = 16_000
FRAME_S = 0.02
PATIENCE_S = 60.0


class Head(FrameProcessor):
    """Keeps the errors, which go up."""

    def __init__(self, errors):
        super().__init__()
        self.errors = errors

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)


class Sink(FrameProcessor):
    """Keeps what comes."""

    def __init__(self):
        super().__init__()
        self.audio, self.words, self.texts, self.turns, self.errors, self.stopped = 0, [], [], [], [], 0

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.audio += len(frame.audio)
        elif isinstance(frame, TTSStoppedFrame):
            self.stopped += 1
        elif isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        elif isinstance(frame, TranscriptionFrame):
            self.texts.append(frame.text.strip())
        elif type(frame).__name__.startswith("Proposed"):
            self.turns.append("start" if "Started" in type(frame).__name__ else "stop")
        await self.push_frame(frame, direction)


def pipeline(service):
    sink = Sink()
    parameters = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=48_000)
    return sink, PipelineTask(Pipeline([Head(sink.errors), service, sink]), params=parameters, idle_timeout_secs=None)


async def run(task, work):
    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), work)


async def until(true):
    started = time.monotonic()
    while not true() and time.monotonic() - started < PATIENCE_S:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def stt(url, path, key="k"):
    """Turns, as the service's own detector finds them, of a recording that is spoken in real time."""
    endpoint = f"{url.replace('http', 'ws')}/api/speech/asr"
    service = GradiumSTTService(api_key=key, api_endpoint_base_url=endpoint, enable_turn_detection=True)
    sink, task = pipeline(service)
    with wave.open(path) as file:
        sound, rate_hz = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
    silence = np.zeros(RATE_HZ, np.int16)
    sound = np.concatenate([silence, soxr.resample(sound, rate_hz, RATE_HZ).astype(np.int16), *[silence] * 3])

    async def speak():
        size = round(RATE_HZ * FRAME_S)
        for start in range(0, len(sound), size):
            piece = sound[start : start + size].tobytes()
            await task.queue_frame(InputAudioRawFrame(audio=piece, sample_rate=RATE_HZ, num_channels=1))
            await asyncio.sleep(FRAME_S)
        await until(lambda: sink.errors or len(sink.texts) >= sink.turns.count("stop") > 0)
        await task.queue_frame(EndFrame())

    await run(task, speak())
    return {"texts": sink.texts, "turns": sink.turns, "errors": sink.errors}


async def tts(url, text, key="k", interruptions=0):
    """The last of some turns of which the others are interrupted: seconds of sound, words, ends."""
    sink, task = pipeline(GradiumTTSService(api_key=key, url=f"{url.replace('http', 'ws')}/api/speech/tts"))

    async def speak():
        for number in range(interruptions):
            before = sink.audio
            await task.queue_frame(TTSSpeakFrame(f"Turn {number} will be interrupted. It goes on for quite a while."))
            await until(lambda before=before: sink.audio > before or sink.errors)
            await task.queue_frame(InterruptionFrame())
        await asyncio.sleep(0.5)
        sink.words.clear()
        sink.stopped = 0
        before = sink.audio
        await task.queue_frame(TTSSpeakFrame(text))
        await until(lambda: sink.stopped or sink.errors)
        await task.queue_frame(EndFrame())
        sink.audio -= before

    await run(task, speak())
    return {"seconds": sink.audio / 96_000, "words": sink.words, "errors": sink.errors}


async def main():
    logger.remove()
    order = json.loads(sys.argv[1])
    print(json.dumps(await globals()[order.pop("job")](**order)))


asyncio.run(main())
