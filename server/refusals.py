"""What a request by REST is told that is refused before any route has seen it: in the form of the path's vendor."""

from collections.abc import Callable, Mapping

from fastapi.responses import JSONResponse
from starlette.responses import Response

Form = Callable[[int, str], Response]
"""Makes an answer of an HTTP status and one sentence."""


class Refusals:
    """Forms by the paths that begin with a prefix; everything else is told `{"detail": …}`."""

    def __init__(self, forms: Mapping[str, Form]) -> None:
        self._forms = dict(forms)

    def response(self, path: str, status: int, message: str) -> Response:
        """The answer for a request to `path`."""
        for prefix, form in self._forms.items():
            if path.startswith(prefix):
                return form(status, message)
        return JSONResponse({"detail": message}, status)
