"""`dragoman.testing`, which the tests of other programs use too."""

import socket

import pytest

from dragoman.testing import reserved_port, running_server


def test_a_reserved_port_is_free_for_a_server_and_for_nobody_else() -> None:
    with reserved_port() as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port)).close()


def test_nobody_is_given_the_port_of_a_server_that_is_only_starting() -> None:
    with running_server(wait=False) as server, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((server.host, server.port))


def test_a_proxy_of_the_surroundings_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with reserved_port() as port:
        monkeypatch.delenv("no_proxy")
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        with running_server() as server:
            assert server.get_json("/health")["status"] == "ok"
