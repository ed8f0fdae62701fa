"""A whole application with fake engines, and a client of its REST that needs no network."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from dragoman.config.settings import load_settings
from dragoman.models.base import Hypothesis, RecognitionRequest, Samples, Synthesizer, Translator
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.server.app import create_app
from dragoman.server.services import Services
from tests.fakes.engines import (
    FakeDetector,
    FakeRecognizer,
    FakeSynthesizer,
    FakeTranslator,
    fake_voice,
    silence,
    tone,
)

Hear = Callable[[RecognitionRequest], str | Hypothesis]
URL = "http://127.0.0.1:8000"


class FakeIndianSynthesizer(FakeSynthesizer):
    """Speaks what the vendor's voices speak, as far as tests need it."""

    languages = frozenset({"en", "hi", "ta"})


@dataclass(frozen=True, slots=True)
class Called:
    """The client, and what it reaches."""

    client: httpx.AsyncClient
    services: Services

    async def post(self, path: str, **request: Any) -> httpx.Response:
        """One call, whose fault has the vendor's form."""
        answer = await self.client.post(path, **request)
        if answer.status_code >= 400:
            assert set(answer.json()["error"]) == {"message", "code", "request_id"}
        return answer


def indian_engines(
    hear: Hear = lambda request: "hello there",
    translator: Translator | None = None,
    synthesizer: Synthesizer | None = None,
) -> Engines:
    """English and Hindi in; English, Hindi and Tamil out."""
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear, ("en", "hi"))],
        translators=[translator or FakeTranslator("en", "hi", "en", "ta")],
        synthesizers=[synthesizer or FakeIndianSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice(language) for language in sorted(FakeIndianSynthesizer.languages)]),
    )


@asynccontextmanager
async def calling(make: Callable[[], Engines] = indian_engines, **settings: Any) -> AsyncIterator[Called]:
    """The application until the block ends; `settings` are the operator's."""
    limits = {"machine_share": 0.0, **settings.pop("limits", {})}
    services = Services(load_settings(overrides={"limits": limits, **settings}), lambda _settings, _observer: make())
    app = create_app(services)
    async with app.router.lifespan_context(app):
        await services.until_loaded()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
            yield Called(client, services)


def spoken(count: int = 1) -> Samples:
    """A second of noise and a second of nothing, again and again."""
    return np.concatenate([tone(1.0), silence(1.0)] * count)
