"""Runs the application under uvicorn; a signal first drains it, then ends it."""

import asyncio
import logging
import socket
from types import FrameType

import uvicorn

from dragoman.config.settings import Settings, check_exposure
from dragoman.server.app import create_app
from dragoman.server.services import EngineLoader, Services
from dragoman.server.websocket import LiveWebSocketProtocol

log = logging.getLogger("dragoman.server")


class DrainingServer(uvicorn.Server):
    """A uvicorn server whose first signal starts the drain; uvicorn alone would cut every socket at once.

    A second signal ends it immediately.
    """

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and say where."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                log.info("serving on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called from the signal handler: begin to drain, or stop at once if that has begun already."""
        del frame
        if self._loop is None or self._drain is not None or self._services.admission.draining:
            self.should_exit = True
            return
        log.info("signal %d: draining", sig)
        self._services.admission.draining = True
        self._loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
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
    config = uvicorn.Config(
        create_app(services),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        ws=LiveWebSocketProtocol,
        # One message over our own limit is answered in the vendor's form; one twice as large is cut by the transport.
        ws_max_size=2 * settings.limits.message_bytes,
        # Realtime clients that only send never answer a ping.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
    DrainingServer(config, services).run()
