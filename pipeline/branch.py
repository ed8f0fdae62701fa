"""One target of a session: translate, speak and encode, joined by queues of their own.

A branch that is slow holds nobody back but, when its queue is full, the recogniser; `interrupt` makes it forget what it
was about to say. A branch without speech ends behind its translations.
"""

import asyncio

from dragoman.models.plan import BranchPlan
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.branch_state import BranchState
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.items import Clause, End, Flush, GivenText, SpokenBlock, TextEnd
from dragoman.pipeline.markers import Markers
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.stages.encode import BranchEncoder, encode
from dragoman.pipeline.stages.speak import speak
from dragoman.pipeline.stages.translate import translate

Said = Transcript | GivenText | Flush | End


class Branch:
    """The stages behind the recogniser for one target. `output_format` None: text only."""

    def __init__(
        self, context: SessionContext, number: int, plan: BranchPlan, output_format: AudioFormat | None
    ) -> None:
        self.state = BranchState(number, plan.wish, plan.voice)
        queues, self._context = context.settings.queues, context
        self._encoder = BranchEncoder(output_format, number) if output_format is not None and plan.wish.speaks else None
        self._said: MeteredQueue[Said] = MeteredQueue(queues.clauses)
        self._clauses: MeteredQueue[Clause | TextEnd | Flush | End] = MeteredQueue(queues.clauses)
        self._blocks: MeteredQueue[SpokenBlock | TextEnd | Flush | End] = MeteredQueue(queues.output_s)

    @property
    def depths(self) -> dict[str, float]:
        """How much waits before each stage."""
        return {"translate": self._said.weight, "speak": self._clauses.weight, "encode": self._blocks.weight}

    def push(self, item: Said) -> None:
        """What was heard or given, in order; does not wait."""
        if isinstance(item, GivenText) and not self._said.closed:
            self.state.texts_bytes += item.size_bytes
        self._said.push(item, 0 if isinstance(item, Flush | End) else 1)

    async def room(self) -> None:
        """Wait until no more than may wait to be translated does."""
        await self._said.room()

    def close(self) -> None:
        """Nothing more is taken, and whoever waits goes on."""
        self._said.close()
        self._clauses.close()
        self._blocks.close()
        self.state.texts_bytes = 0

    def start(self, stages: asyncio.TaskGroup, markers: Markers) -> None:
        """Run the stages until they have passed the end marker on."""
        context, state = self._context, self.state
        name = f"-{state.number}"
        stages.create_task(translate(context, state, self._said, self._clauses), name=f"translate{name}")
        if self._encoder is None:
            stages.create_task(_read_only(self._clauses, markers), name=f"read{name}")
            return
        stages.create_task(speak(context, state, self._clauses, self._blocks), name=f"speak{name}")
        stages.create_task(encode(context, state, self._encoder, self._blocks, markers), name=f"encode{name}")

    def interrupt(self) -> None:
        """Forget what was heard and is not said yet, and stop in the middle of what is being said."""
        self.state.epoch += 1
        self.state.cut_s = self._context.clock.received_s
        self._said.discard(lambda item: isinstance(item, Transcript | GivenText))
        self.state.texts_bytes = 0
        self._clauses.discard(lambda item: isinstance(item, Clause))
        self._blocks.discard(lambda item: isinstance(item, SpokenBlock) and not item.last)


async def _read_only(inbox: MeteredQueue[Clause | TextEnd | Flush | End], markers: Markers) -> None:
    """Nobody speaks: the translations have been told, only the markers count."""
    while True:
        item = await inbox.get()
        if not isinstance(item, Clause | TextEnd):
            markers.reached(item)
            if isinstance(item, End):
                return
