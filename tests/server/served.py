"""One server's services in this process, with fake engines, for tests that need no network."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from dragoman.config.settings import load_settings
from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.models.registry import Engines
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines


@asynccontextmanager
async def in_process(
    engines: Callable[[], Engines] | None = None,
    hear: Callable[[RecognitionRequest], str | Hypothesis] = lambda request: "hello there",
    **limits: Any,
) -> AsyncIterator[Services]:
    """Services with their engines loaded; `limits` are settings of that table."""
    settings = load_settings(overrides={"limits": {"machine_share": 0.0, **limits}})
    services = Services(settings, lambda _settings, _observer: engines() if engines else fake_engines(hear))
    services.start()
    await services.until_loaded()
    try:
        yield services
    finally:
        await services.stop()
