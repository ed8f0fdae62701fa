"""HTTP as pulling models needs it: which failures are worth another try, how long to wait, and who gets the token.

Proxies and certificates come from the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE), as requests reads them.

`hf_hub_download` of huggingface_hub (2.4) cannot take its place, on the hub's own layout either: it refuses a mirror
that any web server serves (without the header X-Repo-Commit), gives up where a server is busy for a moment (HTTP 503),
throws away what it has of a file then, and sends the token unencrypted.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from dragoman.models.files.errors import DownloadFailed, NotPublished, Unreachable

LONGEST_WAIT_S = 120.0
"""The longest that a server may ask to wait; one that asks for more is given up."""

_FIRST_WAIT_S, _LONGEST_OWN_WAIT_S = 0.5, 30.0
_FAILURES_IN_A_ROW, _FAILURES = 6, 100
_TIMEOUT_S = (10.0, 60.0)  # to connect, and between two pieces of an answer
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_ABSENT = {404, 410}


class Again(Exception):
    """A failure that may pass. `after_s` is how long the server asks to wait, if it does."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        self.reason = reason
        self.after_s = after_s
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, so that tests need not wait. `now` gives seconds since 1970."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


class Patience:
    """How often and after which time one thing is tried again: longer and longer, and not for ever."""

    def __init__(self, clock: Clock, told: Callable[[str], None]) -> None:
        self._clock = clock
        self._told = told
        self._in_a_row = self._failures = 0

    def progressed(self) -> None:
        """Something was got: the next failure is the first in a row."""
        self._in_a_row = 0

    def wait(self, url: str, failure: Again) -> None:
        """Wait until the next try. Raises Unreachable when there should be none."""
        self._in_a_row += 1
        self._failures += 1
        if self._in_a_row >= _FAILURES_IN_A_ROW or self._failures >= _FAILURES:
            raise Unreachable(url, f"{failure.reason}, {self._in_a_row} times in a row; try again later")
        wait_s = min(_FIRST_WAIT_S * 2 ** (self._in_a_row - 1), _LONGEST_OWN_WAIT_S)
        if failure.after_s is not None:
            if failure.after_s > LONGEST_WAIT_S:
                raise Unreachable(url, f"{failure.reason}, for another {failure.after_s:.0f} s; try again then")
            wait_s = max(failure.after_s, wait_s)
        self._told(f"{failure.reason}; trying again in {wait_s:g} s")
        self._clock.sleep(wait_s)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads; nowhere for the hub's head of a large file, which may lead where only GET is known."""
        said = resp.request.method == "HEAD" and "X-Linked-Etag" in resp.headers
        return None if said else super().get_redirect_target(resp)


class HttpClient:
    """Requests to hubs. `token` goes to the origin of `hub` and to nobody else, redirected or not."""

    def __init__(self, *, hub: str = "", token: str = "", clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._hub = _origin(hub)
        private = self._hub[0] == "https" or self._hub[1] in {"127.0.0.1", "localhost"}
        self._token = token if private else ""
        self._session = _Session()
        self._session.max_redirects = 10
        # Lengths and ranges must be those of the file itself, so it must not be compressed on the way.
        self._session.headers.update({"User-Agent": "dragoman", "Accept-Encoding": "identity"})

    def close(self) -> None:
        self._session.close()

    def open(self, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> requests.Response:
        """The answer's head; its body is still to be read. Raises Again, DownloadFailed and NotPublished.

        Status 416 is given back: it answers a question of the caller's.
        """
        sent = dict(headers or {})
        if self._token and _origin(url) == self._hub:
            sent["Authorization"] = f"Bearer {self._token}"  # requests takes it off when it is led to another host
        try:
            answer = self._session.request(
                method, url, headers=sent, stream=True, timeout=_TIMEOUT_S, allow_redirects=True
            )
        except requests.exceptions.SSLError as error:
            raise DownloadFailed(url, f"the certificate of the server is not accepted ({root_cause(error)})") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Again(f"{urlsplit(url).netloc} cannot be reached ({root_cause(error)})") from error
        except (requests.RequestException, ValueError) as error:
            raise DownloadFailed(url, root_cause(error)) from error
        try:
            self._check(url, answer)
        except BaseException:
            answer.close()
            raise
        return answer

    def _check(self, url: str, answer: requests.Response) -> None:
        status, host = answer.status_code, urlsplit(answer.url).netloc
        if url.startswith("https://") and not answer.url.startswith("https://"):
            raise DownloadFailed(url, f"it leads to {host} without encryption")
        if status in _PASSING:
            said = "has too many requests" if status == 429 else f"has a problem (HTTP {status})"
            raise Again(f"{host} {said}", self._asked_to_wait_s(answer.headers.get("Retry-After")))
        if status in _ABSENT:
            raise NotPublished(url, status)
        if status in {401, 403}:
            raise DownloadFailed(url, f"{host} refuses it (HTTP {status}); if it asks for an account, set HF_TOKEN")
        if status not in {200, 206, 416} and not answer.is_redirect:
            raise DownloadFailed(url, f"{host} answers HTTP {status}")

    def _asked_to_wait_s(self, text: str | None) -> float | None:
        if text is None:
            return None
        if text.strip().isdigit():
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self.clock.now())
        except (TypeError, ValueError):
            return None


def body_of(answer: requests.Response, most: int) -> bytes:
    """The body of an answer, or its first `most` bytes. Raises requests.RequestException."""
    body = bytearray()
    for chunk in answer.iter_content(1 << 16):
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])


def root_cause(error: BaseException) -> str:
    """The innermost reason of a failed request in a few words."""
    seen: BaseException = error
    for _ in range(10):
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        inner = inner or next((part for part in seen.args if isinstance(part, BaseException)), None)
        if not isinstance(inner, BaseException):
            break
        seen = inner
    text = getattr(seen, "strerror", None) or str(seen) or type(seen).__name__
    return " ".join(str(text).split())[:200]


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; three times nothing for what is no address, which a request will find out."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", "", None
