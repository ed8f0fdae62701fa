"""A browser that has a recording as its microphone, and servers for it to visit."""

import importlib.util
import shutil
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dragoman.testing import RunningServer, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000
"""Until a test that would hang says what it waited for."""
RATE_HZ = 48_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and say why it is not run."""
    missing = "Chromium (apt-get install chromium)" if CHROMIUM is None else ""
    if importlib.util.find_spec("playwright") is None:
        missing = missing or "Playwright (pip install playwright)"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"there is no {missing} here"))


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something like syllables for 1.2 s, then a pause, over and over: what scripted engines take for speech."""
    time_s = np.arange(int(1.2 * RATE_HZ)) / RATE_HZ
    partials = ((150, 0.2), (300, 0.2), (450, 0.1), (900, 0.1), (1400, 0.05))
    voiced = sum(level * np.sin(2 * np.pi * hz * time_s) for hz, level in partials)
    syllables = voiced * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s))
    samples = np.tile(np.concatenate([syllables, np.zeros(RATE_HZ)]), 4)
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 26_000).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def playwright() -> "Iterator[Playwright]":
    """Ends with the module: while it lasts, no other test in this process can have an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as one:
        yield one


@contextmanager
def chromium(playwright: "Playwright", *arguments: str) -> "Iterator[Browser]":
    """A browser that plays without being clicked first."""
    common = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*common, *arguments])
    try:
        yield browser
    finally:
        browser.close()


def hearing(path: Path) -> tuple[str, ...]:
    """A microphone that may be used, and that hears this recording."""
    return ("--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={path}")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as one:
        yield one


Visit = Callable[..., "Page"]


def visitor(browser: "Browser") -> "Iterator[Visit]":
    """Opens a server's page and waits until it can be used; a fault of the page or a request elsewhere fails."""
    contexts = []
    faults: list[str] = []

    def visit(url: str, **options: Any) -> "Page":
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 700}, "locale": "en", **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        home = url.partition("://")[2].rstrip("/")
        addressed = lambda other: other.partition("://")[2].startswith(f"{home}/") or other.startswith("blob:")  # noqa: E731
        page.on("request", lambda asked: None if addressed(asked.url) else faults.append(f"request to {asked.url}"))
        page.on("websocket", lambda dialled: None if addressed(dialled.url) else faults.append(dialled.url))
        page.goto(f"{url}/")
        page.wait_for_selector("#start:enabled")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def browser(playwright: "Playwright", recording: Path) -> "Iterator[Browser]":
    with chromium(playwright, *hearing(recording)) as one:
        yield one


@pytest.fixture
def visit(browser: "Browser") -> "Iterator[Visit]":
    yield from visitor(browser)
