"""What holds for all tests: no engine's thread outlives them."""

import os
import threading
from collections.abc import Iterator

import pytest

# Parallel runs set it, and what prints tables would keep it for good when it is imported.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session", autouse=True)
def no_engine_outlives_the_tests() -> Iterator[None]:
    """A test that loads engines must close them."""
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("engine-")] == []
