"""What every connection of one server shares."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from typing import Protocol

from dragoman.config.settings import Settings
from dragoman.models.batching import BatchRecord
from dragoman.models.errors import ModelError
from dragoman.models.registry import Engines
from dragoman.pipeline.offload import Offload
from dragoman.server.auth import Gatekeeper
from dragoman.server.failures import NotReady, StateAway
from dragoman.server.limits import Admission
from dragoman.server.metrics import Metrics
from dragoman.server.seats import Seats
from dragoman.server.state import open_state
from dragoman.server.usage import SharedUsage, Usage

log = logging.getLogger("dragoman.server")

SHOWN = 12
"""More languages or pairs than this are only counted in the log; `/ready` has them all."""

LAST_WORDS_S = 2.0
"""After the drain: how long what waits for slow clients may take to leave."""
HURRY_S = 1.0
"""And then the Close frames."""

EngineLoader = Callable[[Settings, Callable[[BatchRecord], None]], Engines]
"""Builds the engines; blocks, and runs in a thread."""


class Closable(Protocol):
    """What can be told that the server is ending."""

    @property
    def busy(self) -> bool:
        """Whether there is something to finish first."""
        ...

    def shut_down(self) -> None:
        """Say, behind all that waits, that the server is ending."""
        ...

    def hurry(self) -> None:
        """Forget what waits, and say only that."""
        ...


class Services:
    """Settings, engines, counters and doors of one server. Engines are loaded in the background after `start`."""

    def __init__(self, settings: Settings, load: EngineLoader) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.usage = Usage()
        self.state = open_state(settings)
        self.shared_usage = SharedUsage(self.state, self.usage)
        self.gatekeeper = Gatekeeper(settings.keys, settings.limits.token_s, self.state)
        # Without keys anybody may call himself anything.
        self.seats = Seats(self.state, 0 if self.gatekeeper.anonymous else settings.limits.sessions_per_key)
        meter, share = self.metrics.load, settings.limits.machine_share
        self.admission = Admission(settings.limits.sessions, lambda: meter.capacity(share) if share else math.inf)
        self.offload = Offload()
        self.parsing = Offload(threads=1)
        """Where long messages are read: what a client makes long there holds up nobody's audio."""
        self.connections: set[Closable] = set()
        """Every open connection, to be told when the server ends."""
        self._load = load
        self._engines: Engines | None = None
        self._loading: asyncio.Task[None] | None = None
        self._sharing: list[asyncio.Task[None]] = []
        """What tells other fronts what this one knows."""
        self._fault = ""

    @property
    def engines(self) -> Engines:
        """The loaded engines. Raises NotReady."""
        if self._engines is None:
            raise NotReady(self._fault or "engines are being loaded")
        return self._engines

    @property
    def ready(self) -> bool:
        """Whether a session could be opened now."""
        return self._engines is not None and not self.admission.draining

    def start(self) -> None:
        """Begin to load the engines, and to tell other fronts what they share."""
        self._loading = asyncio.create_task(self._load_engines(), name="load-engines")
        if self.seats.counts:
            self._sharing.append(asyncio.create_task(self.seats.mind(), name="mind-seats"))
        if self.state.shared:
            self._sharing.append(asyncio.create_task(self.shared_usage.tell_for_ever(), name="tell-usage"))

    async def until_loaded(self) -> None:
        """Wait until loading has ended, well or badly."""
        if self._loading is not None:
            await asyncio.shield(self._loading)

    async def drain(self) -> None:
        """Let nobody in, give running sessions their time to finish, then close every connection."""
        self.admission.begin_drain()
        try:
            async with asyncio.timeout(self.settings.limits.drain_s):
                await self.admission.until_empty()
                # What a session has said may still be on its way to a client that reads slowly.
                while any(connection.busy for connection in self.connections):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            busy = sum(connection.busy for connection in self.connections)
            log.warning("%d connections did not finish in time", busy)
        for connection in tuple(self.connections):
            connection.shut_down()
        await self._until_gone(LAST_WORDS_S)
        for connection in tuple(self.connections):
            connection.hurry()
        await self._until_gone(HURRY_S)

    async def _until_gone(self, limit_s: float) -> None:
        """Wait until every connection is closed, or for `limit_s` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End the engines and the threads."""
        await self.until_loaded()
        if self._engines is not None:
            await asyncio.to_thread(self._engines.close)
            self._engines = None
        self.offload.close()
        self.parsing.close()
        await self._stop_sharing()

    async def _stop_sharing(self) -> None:
        for task in self._sharing:
            task.cancel()
        if self._sharing:
            await asyncio.wait(self._sharing)
        with contextlib.suppress(StateAway):
            await self.seats.settle()
            await self.shared_usage.tell()
        await self.state.close()

    async def _load_engines(self) -> None:
        try:
            engines = await asyncio.to_thread(self._load, self.settings, self.metrics.engine)
        except (ModelError, ValueError) as error:
            self._fault = f"engines could not be loaded: {error}"
            log.error("%s", self._fault)
            return
        except Exception:
            self._fault = "engines could not be loaded; the log says why"
            log.exception("engines could not be loaded")
            return
        self._engines = engines
        self.metrics.engines(engines.batching, engines.stages)
        for stage, served in engines.describe().items():
            if stage == "chosen" and isinstance(served, dict):
                for language, why in served.items():
                    log.info("%s is recognised by %s", language, why)
            elif isinstance(served, dict) and stage != "why":
                log.info("%s: %s", stage, _summary(served))
        for absent in engines.missing:
            log.warning("%s", absent)
        log.info("engines are ready (%s)", engines.name)


def _summary(served: dict[str, str]) -> str:
    """What each engine serves, in full while it is short."""
    by_engine: dict[str, list[str]] = {}
    for what, who in served.items():
        by_engine.setdefault(who, []).append(what)
    return (
        "; ".join(
            f"{who} {' '.join(what) if len(what) <= SHOWN else f'{len(what)} of them'}"
            for who, what in by_engine.items()
        )
        or "nothing"
    )
