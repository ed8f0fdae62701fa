"""Somebody opens the page, speaks, reads and hears."""

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dragoman.testing import RunningServer, running_server
from tests.browser.conftest import Visit, chromium, hearing, visitor
from tests.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

PICTURES = os.environ.get("PICTURES")
"""Where the pictures of the documentation are to be drawn; a plain run leaves them as they are."""


def begin(page: "Page", source: str = "en") -> None:
    page.select_option("#source", source)
    page.click("#start")
    page.wait_for_selector("body[data-state=listening]")


def until_line(page: "Page", track: str, text: str) -> None:
    page.wait_for_selector(f"[data-track={track}] [role=log] p >> text={text}")


def until_true(page: "Page", expression: str) -> None:
    """Playwright's own way of waiting evaluates text within the page, which its policy forbids."""
    until(lambda: page.evaluate(expression), expression)


def until_over(page: "Page") -> None:
    page.wait_for_selector("#start:visible")


def test_captions_grow_and_the_voice_is_heard(visit: Visit, server: RunningServer) -> None:
    page = visit(server.url)
    page.check("#targets [value=fr]")
    begin(page)
    until_line(page, "original", "Good morning.")
    until_line(page, "es", "Buenos días.")
    until_line(page, "fr", "Bonjour.")
    until_true(page, "document.getElementById('level-out').value > 0.05")
    until_true(page, "document.getElementById('lag').value.endsWith(' s')")
    assert page.is_visible("#headphones")
    page.click("#stop")
    until_over(page)
    assert page.inner_text("#status") == "Ready"
    assert not page.is_visible("#trouble")
    for form, beginning in (("txt", "Buenos días."), ("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n")):
        page.select_option("#track", "es")
        page.select_option("#format", form)
        with page.expect_download() as kept:
            page.click("#save")
        assert kept.value.suggested_filename == f"dragoman-es.{form}"
        assert Path(kept.value.path()).read_text(encoding="utf-8").startswith(beginning)


def test_a_muted_voice_is_silent(visit: Visit, server: RunningServer) -> None:
    page = visit(server.url)
    begin(page)
    page.click("#mute")
    until_true(page, "document.getElementById('lag').value.endsWith(' s')")  # a piece is being played
    until_line(page, "es", "Cómo")
    assert page.evaluate("document.getElementById('level-out').value") == 0
    page.click("#mute")
    until_true(page, "document.getElementById('level-out').value > 0.05")
    page.click("#stop")
    page.click("#stop")
    until_over(page)


def test_a_file_is_translated_to_its_end(visit: Visit, server: RunningServer, recording: Path) -> None:
    page = visit(server.url)
    page.check("[name=kind][value=file]")
    assert not page.is_visible("#headphones")
    page.click("#start")
    assert "No file was chosen" in page.inner_text("#trouble")
    page.set_input_files("#file", recording)
    begin(page)
    until_over(page)
    assert page.locator("[data-track=original] [role=log] p").count() == 4
    page.set_input_files("#file", {"name": "no.wav", "mimeType": "audio/wav", "buffer": b"this is no sound"})
    page.click("#start")
    page.wait_for_selector("#trouble:visible")
    assert "cannot read this file" in page.inner_text("#trouble")


def test_a_connection_that_is_cut_comes_back(visit: Visit, server: RunningServer) -> None:
    """The browser's own socket is closed under the page; captions stay, and go on."""
    page = visit(server.url)
    cut: list[Any] = []
    page.route_web_socket("**/stream?*", lambda socket: (cut.append(socket), socket.connect_to_server()))
    begin(page)
    until_line(page, "original", "Good morning.")
    lines = page.locator("[data-track=original] [role=log] p")
    before = lines.count()
    cut[0].close(code=3000)
    until_true(page, "document.getElementById('status').textContent.includes('back')")
    assert len(cut) == 2
    until_true(page, f"document.querySelectorAll('[data-track=original] [role=log] p').length > {before}")
    assert lines.first.inner_text() == "Good morning."
    page.click("#stop")
    until_over(page)


def test_a_language_that_is_not_installed(visit: Visit, server: RunningServer) -> None:
    page = visit(server.url)
    page.fill("#more", "cy")
    page.select_option("#source", "en")
    page.click("#start")
    until_over(page)
    page.wait_for_selector("#trouble:visible")
    assert "not installed" in page.inner_text("#trouble-title")
    assert "pull" in page.inner_text("#trouble-advice") or "package" in page.inner_text("#trouble-advice")


def test_a_key_and_a_full_server(visit: Visit) -> None:
    with running_server(environment={"DRAGOMAN_API_KEYS": "sesame", "DRAGOMAN_LIMITS__SESSIONS": "1"}) as server:
        page = visit(server.url)
        page.fill("#key", "wrong")
        page.click("#start")
        page.wait_for_selector("#trouble:visible")
        assert "wants a key" in page.inner_text("#trouble-title")
        until_over(page)
        addresses: list[str] = []
        page.on("request", lambda asked: addresses.append(asked.url))
        page.on("websocket", lambda dialled: addresses.append(dialled.url))
        page.fill("#key", "sesame")
        begin(page)
        assert not page.is_visible("#trouble")
        assert addresses
        assert not any("sesame" in address for address in addresses)
        other = visit(server.url)
        other.fill("#key", "sesame")
        other.click("#start")
        other.wait_for_selector("#trouble:visible")
        assert "full" in other.inner_text("#trouble-title")
        assert other.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        page.click("#stop")
        until_over(page)


def test_programs_are_shown_without_the_key(visit: Visit, server: RunningServer) -> None:
    page = visit(server.url)
    page.click("#show-code")
    for name in ("Gradium", "Soniox", "Sarvam", "Palabra"):
        page.select_option("#sdk", label=name)
        assert server.url.partition("://")[2] in page.inner_text("#program")
    page.keyboard.press("Escape")
    assert not page.is_visible("#code")


def test_the_keyboard_is_enough(visit: Visit, server: RunningServer) -> None:
    page = visit(server.url)
    page.focus("#source")
    page.keyboard.type("English")
    page.focus("#start")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-state=listening]")
    assert page.evaluate("document.activeElement.id") == "stop"
    page.keyboard.press("Enter")
    until_over(page)


def test_permission_denied(playwright: "Playwright", server: RunningServer) -> None:
    with chromium(playwright, "--deny-permission-prompts") as browser:
        for page in (one(server.url) for one in visitor(browser)):
            page.click("#start")
            page.wait_for_selector("#trouble:visible")
            assert "does not let this page use the microphone" in page.inner_text("#trouble-title")
            assert page.is_enabled("#start")


@pytest.mark.skipif(importlib.util.find_spec("axe_playwright_python") is None, reason="axe-playwright-python is absent")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_no_serious_finding_of_axe(visit: Visit, server: RunningServer, scheme: str, width: int) -> None:
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = visit(server.url, color_scheme=scheme, viewport={"width": width, "height": 740})
    page.evaluate(axe)

    def check(where: str) -> None:
        found = page.evaluate("axe.run().then(({violations}) => violations)")
        assert [(where, one["id"], one["help"]) for one in found if one["impact"] in ("serious", "critical")] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where

    check("before")
    page.check("#targets [value=ar]")
    begin(page)
    until_line(page, "es", "Buenos")
    page.wait_for_selector("[data-track=ar] [role=log] p[dir=rtl][lang=ar]")
    check("while somebody speaks")
    page.click("#stop")
    until_over(page)
    page.click("#show-code")
    check("code")


@pytest.mark.embedded
def test_a_real_talk_is_what_the_documentation_shows(playwright: "Playwright", tmp_path: Path) -> None:
    """With the engines that come with the installation; its pictures are those of README and docs/page.md."""
    package = importlib.util.find_spec("moonshine_voice")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the embedded engines are not installed")
    talk = Path(package.submodule_search_locations[0]) / "assets" / "two_cities.wav"
    pictures = Path(PICTURES).resolve() if PICTURES else tmp_path
    with running_server("embedded") as server, chromium(playwright, *hearing(talk)) as browser:
        for visit in visitor(browser):
            photograph(visit, server, pictures)


def photograph(visit: Visit, server: RunningServer, folder: Path) -> None:
    """The page while somebody speaks, on a desk and on a phone."""
    for scheme, size, name in (
        ("light", {"width": 1080, "height": 520}, "page"),
        ("dark", {"width": 390, "height": 720}, "page-phone"),
    ):
        page = visit(server.url, color_scheme=scheme, viewport=size)
        if name == "page":
            page.check("#targets [value=fr]")
        begin(page)
        until_true(page, "document.querySelectorAll('[data-track=es] [role=log] p').length >= 3")
        page.wait_for_selector("[data-track=original] .supposed:visible")
        assert "mejor" in page.inner_text("[data-track=es]")
        page.screenshot(path=folder / f"{name}.png")
        page.click("#stop")
        page.click("#stop")
        until_over(page)
