"""What a client asks for, and where."""

import asyncio
import json

import pytest

from dragoman.bench.client import Wish, converse, endpoint_of
from dragoman.testing import reserved_port


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/api/speech/s2s"),
        ("https://example.org/api/", "wss://example.org/api/speech/s2s"),
        ("wss://example.org/dragoman", "wss://example.org/dragoman/api/speech/s2s"),
        ("localhost:9000", "ws://localhost:9000/api/speech/s2s"),
    ],
)
def test_the_socket_of_a_base_url(url: str, endpoint: str) -> None:
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize("url", ["", "ftp://example.org", "http://"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a server"):
        endpoint_of(url)


def test_a_wish_says_only_what_was_chosen() -> None:
    plain = json.loads(Wish().setup())
    assert plain["json_config"] == {"target_language": "es", "source_times": True}
    assert "voice_id" not in plain
    full = json.loads(Wish("fr", "en", "low", "a-voice").setup())
    assert full["json_config"] == {
        "target_language": "fr", "source_language": "en", "latency": "low", "source_times": True
    }  # fmt: skip
    assert full["voice_id"] == "a-voice"


def test_nobody_there_is_a_failure_and_no_session() -> None:
    with reserved_port() as port:
        heard = asyncio.run(converse(f"http://127.0.0.1:{port}", [], 0.0))
    assert "Refused" in heard.failure
    assert heard.began_s == 0.0
