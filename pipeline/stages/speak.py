"""speak: clauses become samples in the voice of the session."""

import numpy as np

from dragoman.models.base import SynthesisRequest
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.items import Clause, End, Flush, SpokenBlock
from dragoman.pipeline.queues import MeteredQueue


async def speak(
    context: SessionContext,
    inbox: MeteredQueue[Clause | Flush | End],
    outbox: MeteredQueue[SpokenBlock | Flush | End],
) -> None:
    """Run until the end marker. Every clause ends with a block marked `last`, even when there is nothing to hear."""
    engines = context.engines
    while True:
        item = await inbox.get()
        if not isinstance(item, Clause):
            await outbox.put(item, 0)
            if isinstance(item, End):
                return
            continue
        voice = context.plan.voice or engines.default_voice(item.language)
        request = SynthesisRequest(item.text, voice, context.settings.speak.tempo)
        rate_hz = engines.sample_rate_hz(voice)
        with context.timed("speak"):
            blocks = await engines.synthesize(request, context.session_id)
        length_s = sum(map(len, blocks)) / rate_hz
        for block in blocks:
            await outbox.put(SpokenBlock(item, block, rate_hz, length_s, last=False))
        await outbox.put(SpokenBlock(item, np.zeros(0, np.float32), rate_hz, length_s, last=True))
