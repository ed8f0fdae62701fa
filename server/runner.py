"""Runs the application under uvicorn, on connections of our own; a signal first drains it, then ends it.

Every step to the end has a limit: the drain (`limits.drain_s`), the clients' last words (services.py), uvicorn's wait
for connections, and END_S for all that comes after the drain. An engine may be in a call that never returns, or in the
middle of loading, and Python cannot end a thread.
"""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from dragoman.config.settings import Settings, check_exposure
from dragoman.server.app import create_app
from dragoman.server.door import Door, Entry, most_connections
from dragoman.server.http import HttpProtocol
from dragoman.server.listener import Listener, bind
from dragoman.server.logs import OnceAMinute
from dragoman.server.services import EngineLoader, Services
from dragoman.server.websocket import LiveWebSocketProtocol

log = logging.getLogger("dragoman.server")

GOODBYE_S = 5
"""How long connections may take to close once the drain is over."""
END_S = 6.0
"""How long the process may live once the drain is over, those GOODBYE_S included; nobody waits for what still runs."""


class DrainingServer(uvicorn.Server):
    """A uvicorn server whose first signal starts the drain; uvicorn alone would cut every socket at once.

    A second signal does not wait for the sessions, and one that comes when they are gone ends the process at once. It
    listens by itself: uvicorn lets everybody in.
    """

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services
        self._listeners: list[Listener] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None
        self._say_refused = OnceAMinute(log, logging.INFO)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, listen, and say where. Exits where the address cannot be had."""
        self._loop = asyncio.get_running_loop()
        try:
            listening = sockets or bind(self.config.host, self.config.port)
        except OSError as error:
            log.error("cannot listen on %s, port %d: %s", self.config.host, self.config.port, error)
            sys.exit(STARTUP_FAILURE)
        await super().startup([])
        limits = self._services.settings.limits
        most = most_connections(limits.connections)
        if most < limits.connections:
            log.warning(
                "limits.connections is %d, but the limit of open files leaves room for %d", limits.connections, most
            )
        say = OnceAMinute(log, logging.WARNING)
        door = Door(most, limits.connections_per_address, say)
        self._listeners = [Listener(one, door, self._protocol, say) for one in listening]
        for listener in self._listeners:
            host, port = listener.address
            log.info("serving on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, then end as uvicorn does. From here on the process has END_S."""
        _leave_in(END_S)
        for listener in self._listeners:
            listener.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, and SIGHUP too: a terminal that is closed cuts nobody off."""
        with super().capture_signals():
            # Under `nohup` it is ignored, and stays so.
            if (
                threading.current_thread() is not threading.main_thread()
                or (before := signal.getsignal(signal.SIGHUP)) is signal.SIG_IGN
            ):
                yield
                return
            signal.signal(signal.SIGHUP, self.handle_exit)
            try:
                yield
            finally:
                signal.signal(signal.SIGHUP, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called from the signal handler: begin to drain, then to end, then leave.

        Nothing is logged here: the signal may have come in the middle of a line, and a stream can then take no other.
        """
        del frame
        if self.should_exit:
            os._exit(0)
        if self._loop is None or self._services.admission.draining:
            self.should_exit = True
            return
        self._services.admission.draining = True
        self._loop.call_soon_threadsafe(self._begin_drain, sig)

    def _protocol(self, entry: Entry) -> HttpProtocol:
        return HttpProtocol(
            self.config,
            self.server_state,
            self.lifespan.state,
            self._loop,
            entry=entry,
            limits=self._services.settings.limits,
            say=self._say_refused,
        )

    def _begin_drain(self, sig: int) -> None:
        log.info("signal %d: draining", sig)
        self._drain = asyncio.create_task(self._drain_and_exit())

    async def _drain_and_exit(self) -> None:
        try:
            await self._services.drain()
        finally:
            self.should_exit = True


def serve(settings: Settings, load: EngineLoader) -> None:
    """Serve until a signal ends it. Raises SettingsError when the address would be open to strangers."""
    check_exposure(settings)
    services = Services(settings, load)
    DrainingServer(uvicorn_config(create_app(services), settings), services).run()


def uvicorn_config(application: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=False,  # server/proxies.py
        http=HttpProtocol,
        ws=LiveWebSocketProtocol,
        ws_max_size=2 * settings.limits.message_bytes,
        # Realtime clients that only send never answer a ping.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        # The protocol's own clock comes first.
        timeout_keep_alive=math.ceil(settings.limits.head_s) + 1,
        timeout_graceful_shutdown=GOODBYE_S,
    )


def _leave_in(seconds: float) -> None:
    """End the process, as if all were well, when it has not ended by itself by then."""

    def leave() -> None:
        busy = [thread.name for thread in threading.enumerate() if thread not in (threading.main_thread(), timer)]
        log.warning("leaving, though not everything has come to its end; threads: %s", ", ".join(busy) or "none")
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
