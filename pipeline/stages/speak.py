"""speak: clauses become samples in the voice of a branch, at a tempo that keeps up with the speaker (`pace.py`)."""

from contextlib import aclosing

import numpy as np

from dragoman.models.base import SynthesisRequest
from dragoman.models.errors import TextRefused
from dragoman.pipeline.branch_state import BranchState
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Unspoken
from dragoman.pipeline.items import Clause, End, Flush, SpokenBlock, TextEnd
from dragoman.pipeline.pace import Pace
from dragoman.pipeline.queues import MeteredQueue

S_PER_CHARACTER = 0.065
"""How long a clause is taken to be, by its characters, while its engine still speaks; about 15 characters a second."""

MOST_S = 5.0
"""A longer block of an engine is passed on in parts: a client's text may be of any length, and the pool that encodes it
serves all."""


async def speak(
    context: SessionContext,
    branch: BranchState,
    inbox: MeteredQueue[Clause | TextEnd | Flush | End],
    outbox: MeteredQueue[SpokenBlock | TextEnd | Flush | End],
) -> None:
    """Run until the end marker. Every clause ends with a block marked `last`, even when there is nothing to hear.

    A clause that the engine refuses is told to be unspoken; whatever else the engine raises ends the session.
    """
    pace, epoch = Pace(context.settings.speak), 0
    while True:
        item = await inbox.get()
        if not isinstance(item, Clause):
            await outbox.put(item, 0)
            if isinstance(item, End):
                return
            continue
        if item.epoch == branch.epoch:
            if epoch != branch.epoch:  # what the listener still had to hear is gone
                pace, epoch = Pace(context.settings.speak), branch.epoch
            await _speak(context, branch, pace, item, outbox)


async def _speak(
    context: SessionContext,
    branch: BranchState,
    pace: Pace,
    clause: Clause,
    outbox: MeteredQueue[SpokenBlock | TextEnd | Flush | End],
) -> None:
    engines = context.engines
    voice = branch.voice or engines.default_voice(clause.language)
    tempo = context.settings.speak.tempo * branch.wish.tempo
    if clause.stop_s is not None:
        pace.begin(clause.stop_s, context.clock.received_s)
        tempo *= pace.tempo
        context.observer.speech_lag(pace.lag_s)
    else:
        context.observer.given("speak", len(clause.text))
    gap_s = pace.gap_s(goes_on=clause.goes_on)
    rate_hz = engines.sample_rate_hz(voice)
    spoken_s = 0.0
    try:
        with context.timed("speak"):
            async with aclosing(
                engines.synthesize(SynthesisRequest(clause.text, voice, tempo), context.session_id)
            ) as said:
                async for block in said:
                    if clause.epoch != branch.epoch:
                        break
                    spoken_s += len(block.samples) / rate_hz
                    length_s = spoken_s if block.last else max(spoken_s, len(clause.text) * S_PER_CHARACTER / tempo)
                    step = round(MOST_S * rate_hz)
                    for start in range(0, len(block.samples), step):
                        part = block.samples[start : start + step]
                        spoken = SpokenBlock(clause, part, rate_hz, length_s, gap_s, last=False)
                        await outbox.put(spoken, len(part) / rate_hz)
    except TextRefused as error:
        context.emit(Unspoken(clause.clause_id, str(error), branch.number))
    await outbox.put(SpokenBlock(clause, np.zeros(0, np.float32), rate_hz, spoken_s, gap_s, last=True), 0)
    if clause.stop_s is not None and spoken_s:
        pace.spoke(gap_s + spoken_s)
