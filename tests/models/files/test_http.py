"""Failures of HTTP: which are worth another try, how long that waits, and who gets the token."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
import requests

from dragoman.models.files.errors import DownloadFailed, NotPublished, Unreachable
from dragoman.models.files.http import Again, Clock, HttpClient, Retries, body_of, root_cause
from dragoman.testing import reserved_port
from tests.fakes.hub import FakeHub, redirect, status

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Slept(list[float]):
    """What a client would have waited."""

    @property
    def clock(self) -> Clock:
        return Clock(self.append, NOW.timestamp)


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add("us/m/resolve/main/a.bin", b"abc")
        yield hub


@pytest.fixture
def client(hub: FakeHub, slept: Slept) -> Iterator[HttpClient]:
    client = HttpClient(hub=hub.url, token="secret", clock=slept.clock)
    yield client
    client.close()


def test_patience_grows_and_ends(slept: Slept) -> None:
    told: list[str] = []
    patience = Retries(slept.clock, told.append)
    with pytest.raises(Unreachable, match="it broke, 6 times in a row; try again later"):
        for _ in range(6):
            patience.wait("http://h/a", Again("it broke"))
    assert slept == [0.5, 1, 2, 4, 8]
    assert told[0] == "it broke; trying again in 0.5 s"


def test_progress_makes_patient_again_but_not_for_ever(slept: Slept) -> None:
    patience = Retries(slept.clock, lambda _: None)
    with pytest.raises(Unreachable):
        for _ in range(1000):
            patience.wait("http://h/a", Again("it broke"))
            patience.progressed()
    assert 90 < len(slept) < 110
    assert set(slept) == {0.5}


def test_a_server_says_how_long(slept: Slept) -> None:
    patience = Retries(slept.clock, lambda _: None)
    patience.wait("http://h/a", Again("busy", 7))
    assert slept == [7]
    with pytest.raises(Unreachable, match="busy, for another 3600 s; try again then"):
        patience.wait("http://h/a", Again("busy", 3600))


@pytest.mark.parametrize(
    ("code", "retry_after", "after_s"),
    [
        (429, "3", 3),
        (429, format_datetime(datetime(2026, 11, 21, 0, 0, 9, tzinfo=UTC)), 9),
        (503, format_datetime(datetime(2026, 11, 20, tzinfo=UTC)), 0),
        (503, "soon", None),
        (503, None, None),
        (500, None, None),
        (408, None, None),
    ],
)
def test_failures_that_may_pass(
    hub: FakeHub, client: HttpClient, code: int, retry_after: str | None, after_s: float | None
) -> None:
    hub.fail("a.bin", status(code, retry_after))
    with pytest.raises(Again, match=r"127\.0\.0\.1") as caught:
        client.open(f"{hub.url}/us/m/resolve/main/a.bin")
    assert caught.value.after_s == after_s


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        (404, NotPublished, "there is no such file"),
        (410, NotPublished, "there is no such file"),
        (401, DownloadFailed, "set HF_TOKEN"),
        (403, DownloadFailed, "refuses it"),
        (418, DownloadFailed, "answers HTTP 418"),
    ],
)
def test_failures_that_will_not_pass(
    hub: FakeHub, client: HttpClient, code: int, kind: type[DownloadFailed], told: str
) -> None:
    hub.fail("a.bin", status(code))
    url = f"{hub.url}/us/m/resolve/main/a.bin"
    with pytest.raises(kind, match=told) as caught:
        client.open(url)
    assert url in str(caught.value)


def test_nobody_answers(client: HttpClient) -> None:
    with reserved_port() as port, pytest.raises(Again, match=r"cannot be reached .*refused"):
        client.open(f"http://127.0.0.1:{port}/a")


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/a", "http://[::1/a"])
def test_addresses_that_are_none(client: HttpClient, url: str) -> None:
    with pytest.raises(DownloadFailed):
        client.open(url)


def test_a_circle_of_redirections(hub: FakeHub, client: HttpClient) -> None:
    url = f"{hub.url}/us/m/resolve/main/a.bin"
    hub.fail("a.bin", *[redirect(url)] * 20)
    with pytest.raises(DownloadFailed, match="redirects"):
        client.open(url)


def test_the_token_goes_to_the_hub_alone(hub: FakeHub, client: HttpClient) -> None:
    path = "us/m/resolve/main/a.bin"
    with FakeHub() as other:
        other.add(path, b"abc")
        hub.fail("a.bin", redirect(f"{other.url}/{path}"))
        for url in (hub.url, other.url):
            with client.open(f"{url}/{path}") as answer:
                assert body_of(answer, 100) == b"abc"
        assert hub.requests[0].headers["Authorization"] == "Bearer secret"
        assert len(other.requests) == 2
        assert all("Authorization" not in request.headers for request in other.requests)


def test_the_token_does_not_travel_unencrypted() -> None:
    client = HttpClient(hub="http://hub.example.org", token="secret")
    assert client._token == ""
    client.close()


def test_encryption_is_not_given_up_on_the_way(client: HttpClient) -> None:
    answer = requests.Response()
    answer.status_code, answer.url = 200, "http://elsewhere/a"
    with pytest.raises(DownloadFailed, match="without encryption"):
        client._check("https://hub/a", answer)


def test_a_body_is_not_read_without_end(hub: FakeHub, client: HttpClient) -> None:
    hub.add("big", bytes(300_000))
    with client.open(f"{hub.url}/big") as answer:
        assert len(body_of(answer, 70_000)) == 70_000


def test_what_is_sent(hub: FakeHub, client: HttpClient) -> None:
    with client.open(f"{hub.url}/us/m/resolve/main/a.bin"):
        pass
    assert hub.requests[0].headers["User-Agent"] == "dragoman"
    assert hub.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_proxy_is_asked(monkeypatch: pytest.MonkeyPatch, hub: FakeHub, slept: Slept) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    client = HttpClient(clock=slept.clock)
    with client.open("http://hub.invalid/us/m/resolve/main/a.bin") as answer:
        assert body_of(answer, 100) == b"abc"
    client.close()
    assert hub.requests[0].path == "http://hub.invalid/us/m/resolve/main/a.bin"


def test_the_cause_in_a_few_words() -> None:
    assert root_cause(OSError(28, "No space left on device")) == "No space left on device"
    assert root_cause(ValueError()) == "ValueError"
