"""How much was used, for the vendors' usage endpoints: since the server started, or, where fronts share a state, by all
of them since that state began."""

import asyncio
from dataclasses import asdict, dataclass

from dragoman.server.failures import StateAway
from dragoman.server.state import State

TOLD_S = 1.0
"""How often each front tells the others what it has counted; a front that dies takes so much along."""

_NAME = "usage"


@dataclass(slots=True)
class Usage:
    """Plain counters; only the event loop writes them. Durations are seconds, sizes are characters."""

    sessions: int = 0
    messages_in: int = 0
    messages_out: int = 0
    text_in: int = 0
    text_out: int = 0
    audio_in_s: float = 0.0
    audio_out_s: float = 0.0


class SharedUsage:
    """The counters of this front (`own`), and of all fronts together."""

    def __init__(self, state: State, own: Usage) -> None:
        self._state = state
        self._own = own
        self._told = Usage()
        self._telling = asyncio.Lock()

    async def total(self) -> Usage:
        """What all fronts have counted. Raises StateAway."""
        await self.tell()
        found = await self._state.totals(_NAME)
        kinds = {name: type(amount) for name, amount in asdict(Usage()).items()}
        return Usage(**{name: kind(round(found.get(name, 0.0), 6)) for name, kind in kinds.items()})

    async def tell(self) -> None:
        """Add to the shared counters what has been counted since the last time. Raises StateAway."""
        async with self._telling:
            now, told = asdict(self._own), asdict(self._told)
            more = {name: amount - told[name] for name, amount in now.items() if amount != told[name]}
            await self._state.add(_NAME, more)
            self._told = Usage(**now)

    async def tell_for_ever(self) -> None:
        """Tell what was counted, again and again; what cannot be told now is told later."""
        while True:
            await asyncio.sleep(TOLD_S)
            try:
                await self.tell()
            except StateAway:
                continue
