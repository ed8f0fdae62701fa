"""The page as it is served: to whom, with which headers, and that nothing in it leads elsewhere."""

import re
from importlib import resources
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from dragoman.config.settings import load_settings
from dragoman.models.registry import Engines
from dragoman.server.app import create_app
from dragoman.server.page.assets import FACTS, POLICY, TYPES, load_assets
from dragoman.server.page.routes import takes_html
from dragoman.server.services import Services

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
ASSETS = load_assets(version="1", asks_for_key=False)
SOURCES = {name: asset.body.decode() for name, asset in ASSETS.items()}


def client(authority: str = "127.0.0.1:8000", **settings: Any) -> httpx.AsyncClient:
    def never(*_: object) -> Engines:
        raise AssertionError

    app = create_app(Services(load_settings(overrides=settings), never))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{authority}")


async def test_a_browser_gets_the_page_with_a_strict_policy() -> None:
    async with client() as browser:
        answer = await browser.get("/", headers=BROWSER)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text == SOURCES["index.html"]
        assert answer.headers["content-security-policy"] == POLICY
        assert "Accept" in answer.headers["vary"].split(", ")
        for name in ASSETS:
            file = await browser.get(f"/page/{name}")
            assert file.status_code == 200, name
            assert file.headers["content-type"] == TYPES[name.rpartition(".")[2]]
            assert file.headers["x-content-type-options"] == "nosniff"
            assert file.headers["content-security-policy"] == POLICY


def test_the_policy_allows_nothing_but_the_page_itself() -> None:
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert set(directives.values()) <= {"'none'", "'self'", "'script'"}
    assert {name for name, value in directives.items() if value == "'self'"} == {
        "script-src", "style-src", "img-src", "connect-src",
    }  # fmt: skip


async def test_head_is_get_without_the_body() -> None:
    async with client() as browser:
        for path in ("/", "/page/app.mjs"):
            got, head = await browser.get(path, headers=BROWSER), await browser.head(path, headers=BROWSER)
            assert head.status_code == 200
            assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize("known", ["{}", 'W/{}, "x"', '"x", {}', "*"])
async def test_what_a_browser_has_is_not_sent_again(known: str) -> None:
    async with client() as browser:
        first = await browser.get("/page/app.mjs")
        assert first.headers["cache-control"] == "no-cache"
        again = await browser.get("/page/app.mjs", headers={"if-none-match": known.format(first.headers["etag"])})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = await browser.get("/page/app.mjs", headers={"if-none-match": '"another"'})
        assert other.status_code == 200


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER["accept"], True),
        ("text/html", True),
        ("TEXT/HTML; q=0.5, application/json; q=0.5", True),
        ("application/xhtml+xml", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/plain, */*", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=high", True),
    ],
)
async def test_programs_get_what_they_got_before(accept: str, page: bool) -> None:
    assert takes_html(Headers({"accept": accept})) is page
    async with client() as program:
        for method in ("GET", "HEAD"):
            answer = await program.request(method, "/", headers={"accept": accept})
            assert answer.status_code == (200 if page else 426), method
        assert (await program.post("/", headers=BROWSER)).status_code == 404


async def test_without_the_setting_there_is_nothing() -> None:
    async with client(page=False) as browser:
        assert (await browser.get("/", headers=BROWSER)).status_code == 426
        assert (await browser.get("/page/app.mjs")).status_code == 404
        assert (await browser.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/page/",
        "/page/nothing.mjs",
        "/page/__init__.py",
        "/page/static/app.mjs",
        "/page/../routes.py",
        "/page/..%2froutes.py",
        "/page/%2e%2e/routes.py",
        "/page/..%5croutes.py",
        "/page/%00app.mjs",
        "/page//etc/passwd",
        "/page/app.mjs/",
    ],
)
async def test_no_path_leads_out_of_the_files(path: str) -> None:
    async with client() as browser:
        answer = await browser.get(httpx.URL("http://127.0.0.1:8000").copy_with(raw_path=path.encode()))
        assert answer.status_code in (404, 307)
        assert b"import" not in answer.content


async def test_the_page_says_whether_it_needs_a_key_and_holds_none() -> None:
    async with client() as browser:
        assert (await browser.get(f"/page/{FACTS}")).json()["asks_for_key"] is False
    async with client("translate.example.org", host="0.0.0.0", api_keys=["secret-key"]) as browser:
        facts = await browser.get(f"/page/{FACTS}")
        assert facts.json()["asks_for_key"] is True
        for path in ("/", *(f"/page/{name}" for name in ASSETS)):
            assert "secret-key" not in (await browser.get(path, headers=BROWSER)).text


async def test_a_key_is_asked_for_where_the_page_gets_its_token() -> None:
    async with client("translate.example.org", host="0.0.0.0", api_keys=["secret-key"]) as browser:
        origin = {"origin": "http://translate.example.org"}
        refused = await browser.post("/session-storage/session", json={}, headers=origin)
        assert refused.status_code == 401
        let_in = await browser.post(
            "/session-storage/session", json={}, headers={**origin, "ClientSecret": "secret-key"}
        )
        assert let_in.status_code == 201
        assert "secret-key" not in let_in.text


async def test_pages_from_elsewhere_and_rebound_names_do_not_get_it() -> None:
    async with client() as browser:
        for headers in ({"origin": "http://evil.example"}, {"host": "evil.example"}):
            for path in ("/", "/page/app.mjs", f"/page/{FACTS}"):
                assert (await browser.get(path, headers={**BROWSER, **headers})).status_code == 403


# --- the files


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    """Addresses stand in example programs and in the one name of a namespace, and nothing loads them."""
    addresses = set(re.findall(r"(?:https?:|wss?:)?//[\w.-]+", re.sub(r"(?m)^\s*//.*$|\s//\s.*$", "", SOURCES[name])))
    assert addresses <= {"http://www.w3.org", "http://localhost."}, name
    assert not re.search(
        r"@import|url\(|eval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", SOURCES[name]
    )
    assert "localStorage" not in SOURCES[name]


def test_the_html_has_nothing_inline() -> None:
    html = SOURCES["index.html"]
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", html)
    assert re.findall(r"<script\b[^>]*>(.*?)</script>", html, re.DOTALL) == [""]
    for loaded in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert loaded.removeprefix("page/") in ASSETS, loaded


def test_every_module_that_is_imported_is_there() -> None:
    for name, source in SOURCES.items():
        if name.endswith(".mjs"):
            for imported in re.findall(r'from "([^"]+)"', source):
                assert imported.removeprefix("./") in ASSETS, (name, imported)


def test_files_are_small() -> None:
    assert sum(len(asset.body) for asset in ASSETS.values()) < 100_000
    assert all(source.count("\n") <= 400 for source in SOURCES.values())


def test_all_of_the_folder_is_served() -> None:
    folder = resources.files("dragoman.server.page").joinpath("static")
    assert {entry.name for entry in folder.iterdir()} | {FACTS} == set(ASSETS)
