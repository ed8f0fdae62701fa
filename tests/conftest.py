"""What holds for all tests: the same surroundings everywhere, no clock for Hypothesis, no engine's thread left."""

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Neither the settings of whoever runs the tests, nor what changes how programs print, nor a proxy on the way to
# 127.0.0.1 are theirs. COLUMNS is set by parallel runs, and what prints tables would keep it for good.
NOT_OURS = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED", "TTY_COMPATIBLE"}
if real_models := os.environ.get("DRAGOMAN_REAL_MODELS"):
    os.environ["REAL_MODELS"] = real_models
for name in list(os.environ):
    if name in NOT_OURS or name.startswith("DRAGOMAN_"):
        del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

# A machine that is busy with something else is no failure of an example.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def no_engine_outlives_the_tests() -> Iterator[None]:
    """A test that loads engines must close them."""
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("engine-")] == []
