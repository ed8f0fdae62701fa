"""Real servers in processes of their own, one of each kind for all tests here."""

from collections.abc import Iterator

import pytest

from dragoman.testing import RunningServer, running_server


@pytest.fixture(scope="session")
def scripted() -> Iterator[RunningServer]:
    """A server with the scripted engines: fixed words, tones for speech."""
    with running_server("scripted") as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.fixture(scope="session")
def embedded() -> Iterator[RunningServer]:
    """A server with the engines that users get."""
    with running_server("embedded") as server:
        yield server
        assert "Traceback" not in server.log()
