"""The FastAPI application: its lifespan, the operator's endpoints, every vendor's routes, and the page's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dragoman import __version__
from dragoman.server.bodies import BodyLimit
from dragoman.server.door import AddressGuard
from dragoman.server.failures import NotReady
from dragoman.server.origins import PageGuard, Pages
from dragoman.server.page.routes import page_routes
from dragoman.server.protocols.gradium.routes import UPLOADS, gradium_routes
from dragoman.server.protocols.palabra.rest import refusal as palabra_refusal
from dragoman.server.protocols.palabra.routes import palabra_routes
from dragoman.server.protocols.sarvam.rest.errors import refusal as sarvam_refusal
from dragoman.server.protocols.sarvam.rest.routes import ENDPOINTS as SARVAM
from dragoman.server.protocols.sarvam.rest.routes import uploads as sarvam_uploads
from dragoman.server.protocols.sarvam.routes import SLASHES, sarvam_routes
from dragoman.server.protocols.sarvam.unserved import ENDPOINTS as SARVAM_UNSERVED
from dragoman.server.protocols.sarvam.unserved import unserved_refusal as sarvam_unserved
from dragoman.server.protocols.soniox.api import refusal as soniox_refusal
from dragoman.server.protocols.soniox.routes import UPLOADS as SONIOX_UPLOADS
from dragoman.server.protocols.soniox.routes import soniox_routes
from dragoman.server.protocols.soniox.speech.rest import speech_refusal as soniox_speech_refusal
from dragoman.server.proxies import TrustedProxies
from dragoman.server.refusals import Refusals
from dragoman.server.services import Services
from dragoman.server.trimming import trim_for_ever, trimmer
from dragoman.server.upgrades import guide_upgrades
from dragoman.server.uploads.uploads import Uploads


def create_app(services: Services) -> FastAPI:
    """The application over `services`; engines are loaded in the background once it has started."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        trimming = asyncio.create_task(trim_for_ever(trimmer()), name="trim-memory")
        async with uploads.running():
            yield
        trimming.cancel()
        await services.stop()

    app = FastAPI(title="Dragoman", version=__version__, lifespan=lifespan, redoc_url=None)
    settings, uploads = services.settings, Uploads(services)
    pages = Pages(settings.allowed_origins, anonymous=services.gatekeeper.anonymous, host=settings.host)
    refusals = Refusals(
        {f"{slash}{name}": sarvam_unserved for slash in SLASHES for name in SARVAM_UNSERVED}
        | {f"{slash}{name}": sarvam_refusal for slash in SLASHES for name in SARVAM}
        | {"/v1/tts-models": soniox_refusal, "/v1/tts": soniox_speech_refusal, "/tts": soniox_speech_refusal}
        | {
            "/v1/": soniox_refusal,
            "/session-storage/": palabra_refusal,
            "/saas/": palabra_refusal,
        }
    )
    # From the inside out.
    limits = settings.limits
    app.add_middleware(
        BodyLimit,
        limit_bytes=limits.control_bytes,
        refusals=refusals,
        uploads=dict.fromkeys(UPLOADS, limits.message_bytes),
        streamed={SONIOX_UPLOADS, *sarvam_uploads(SLASHES)},
    )
    app.add_middleware(CORSMiddleware, allow_methods=["*"], allow_headers=["*"], **pages.cors())
    app.add_middleware(PageGuard, pages=pages, refusals=refusals)
    app.add_middleware(AddressGuard, refusals=refusals)
    app.add_middleware(TrustedProxies)  # whoever comes behind it sees the client, not the proxy

    @app.get("/health", tags=["operation"])
    async def health() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok", "version": __version__}

    @app.get("/ready", tags=["operation"])
    async def ready() -> JSONResponse:
        """Whether a session could be opened now (200) or not (503), and who would serve it."""
        draining = services.admission.draining
        try:
            described = dict(services.engines.describe())
        except NotReady as error:
            return JSONResponse({"ready": False, "reason": str(error)}, 503)
        body = {"ready": not draining, "sessions": services.admission.running, **described}
        if draining:
            body["reason"] = "server is shutting down"
        return JSONResponse(body, 503 if draining else 200)

    @app.get("/metrics", tags=["operation"])
    async def metrics() -> Response:
        """Counters in Prometheus's text form."""
        services.metrics.tasks.set(len(asyncio.all_tasks()))
        return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.include_router(gradium_routes(services))
    app.include_router(soniox_routes(services, uploads))
    app.include_router(sarvam_routes(services))
    app.include_router(palabra_routes(services))
    app.router.routes.extend(page_routes(services))
    guide_upgrades(app)
    return app
