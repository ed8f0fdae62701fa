"""Where the page is: `/` for browsers, its files below `/page/`.

`/` is also a socket of Gradium's. Programs that ask for it without an upgrade are told so, as without a page: only who
says that it takes HTML, as every browser does, gets the page.
"""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from dragoman import __version__
from dragoman.server.page.assets import HEADERS, INDEX, Asset, load_assets
from dragoman.server.services import Services

FILES = "/page/{name}"
_METHODS = ("GET", "HEAD")


def page_routes(services: Services) -> Sequence[BaseRoute]:
    """The page's routes; none where the operator wants no page."""
    if not services.settings.page:
        return ()
    assets = load_assets(version=__version__, asks_for_key=not services.gatekeeper.anonymous)

    async def index(request: Request) -> Response:
        """The page itself. What it is depends on what is asked for, which caches must know."""
        return _answer(assets[INDEX], request, {"Vary": "Accept"})

    async def file(request: Request) -> Response:
        """One of its files."""
        asset = assets.get(request.path_params["name"])
        return JSONResponse({"detail": "Not Found"}, 404) if asset is None else _answer(asset, request, {})

    return (_ForBrowsers("/", index, methods=_METHODS), Route(FILES, file, methods=_METHODS))


class _ForBrowsers(Route):
    """A route that is not there for anybody else."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Full where a browser asks, none where another route, or what is there without any, should answer."""
        match, child = super().matches(scope)
        if match is Match.FULL and takes_html(Headers(scope=scope)):
            return match, child
        return Match.NONE, {}


def takes_html(headers: Headers) -> bool:
    """Whether HTML is asked for by name, and JSON not more than it (RFC 9110, 12.5.1)."""
    ranges = [part for line in headers.getlist("accept") for part in line.split(",")]
    wanted = dict(map(_weighed, ranges))
    html = max(wanted.get("text/html", 0.0), wanted.get("application/xhtml+xml", 0.0))
    return html > 0 and html >= wanted.get("application/json", 0.0)


def _weighed(media_range: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    weights = [match[1] for text in parameters if (match := re.fullmatch(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", text))]
    return name, float(weights[0]) if weights else 1.0


def _answer(asset: Asset, request: Request, more: dict[str, str]) -> Response:
    headers = {**HEADERS, **more, "ETag": asset.etag}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if asset.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
