"""What holds for all tests: the same surroundings and examples everywhere, and no engine's thread left."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Neither the settings and models of whoever runs the tests, nor what changes how programs print, nor a proxy on the way
# to 127.0.0.1, nor an encoding without most letters are theirs. COLUMNS is set by parallel runs, and what prints tables
# would keep it for good.
NOT_OURS = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED", "TTY_COMPATIBLE", "FORWARDED_ALLOW_IPS"}
if real_models := os.environ.get("DRAGOMAN_REAL_MODELS"):
    os.environ["REAL_MODELS"] = real_models
for name in list(os.environ):
    if name in NOT_OURS or name.startswith(("DRAGOMAN_", "HF_")):
        del os.environ[name]
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
os.environ["PYTHONUTF8"] = "1"
os.environ["XDG_DATA_HOME"] = str(Path(__file__).parent / "no models are here")

# Run by `nohup`, or in the background of a script, a program inherits that these are ignored, and so do the servers
# that the tests send them to.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that is busy with something else is no failure of an example. The examples are the same in every run: a test
# that finds something only now and then would be red for somebody who has changed nothing. To look for new ones:
# pytest --hypothesis-profile=explore.
ANY_MACHINE: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("any machine", **ANY_MACHINE, derandomize=True)
settings.register_profile("explore", **ANY_MACHINE, max_examples=1_000)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def no_engine_outlives_the_tests() -> Iterator[None]:
    """A test that loads engines must close them."""
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("engine-")] == []
