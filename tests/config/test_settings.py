import re
from importlib import resources
from pathlib import Path

import pytest
from pydantic import SecretStr

from dragoman.config.settings import SettingsError, check_exposure, default_table, is_loopback, load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("DRAGOMAN_"):
            monkeypatch.delenv(name)


def test_defaults_come_from_the_packaged_file() -> None:
    table = default_table()
    settings = load_settings()
    assert settings.port == table["port"]
    assert settings.limits.model_dump() == table["limits"]
    assert settings.listen.model_dump() == table["listen"]


def test_every_default_has_a_line_of_why() -> None:
    text = resources.files("dragoman.config").joinpath("default.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.match(r"\w+ =", line):
            assert "#" in line, line


def test_file_environment_and_command_line_override_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text("port = 1\n[limits]\nsessions = 2\nidle_s = 3.0\n")
    assert load_settings(file).limits.sessions == 2
    monkeypatch.setenv("DRAGOMAN_LIMITS__SESSIONS", "4")
    monkeypatch.setenv("DRAGOMAN_CONFIG", str(file))
    settings = load_settings(overrides={"port": 5, "host": None, "engines": {"set": None}})
    assert (settings.port, settings.limits.sessions, settings.limits.idle_s) == (5, 4, 3.0)
    assert settings.limits.session_s == 3000.0
    assert settings.engines.set == "auto"


def test_keys_come_from_environment_and_file_and_never_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text("# ours\nthird\n\n")
    monkeypatch.setenv("DRAGOMAN_API_KEYS", "first, second,")
    monkeypatch.setenv("DRAGOMAN_API_KEYS_FILE", str(file))
    settings = load_settings()
    assert [key.get_secret_value() for key in settings.keys] == ["first", "second", "third"]
    assert "first" not in repr(settings)
    assert "first" not in str(settings.model_dump())


@pytest.mark.parametrize(
    ("said", "origins"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://App.Example.org/, http://localhost:3000", ("https://app.example.org", "http://localhost:3000")),
        ('["https://app.example.org"]', ("https://app.example.org",)),
        (
            "https://app.example.org:443,http://a:80,http://a:443",
            ("https://app.example.org", "http://a", "http://a:443"),
        ),
        ("null,tauri://localhost", ("null", "tauri://localhost")),
    ],
)
def test_origins_take_commas(said: str, origins: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_ALLOWED_ORIGINS", said)
    assert load_settings().allowed_origins == origins


def test_origins_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('allowed_origins = ["https://App.example.org/"]')
    assert load_settings(file).allowed_origins == ("https://app.example.org",)


@pytest.mark.parametrize(
    "said", ["app.example.org", "https://app.example.org/path", "https://a b", "https://u@a", "[", "[1]"]
)
def test_what_is_no_origin_is_told(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_ALLOWED_ORIGINS", said)
    with pytest.raises(SettingsError, match="allowed_origins"):
        load_settings()


def test_unreadable_key_file_is_told() -> None:
    with pytest.raises(SettingsError, match="api_keys_file"):
        _ = load_settings(overrides={"api_keys_file": "/nowhere/at/all"}).keys


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense = 1", "nonsense: no such setting"),
        ("[limits]\nsesions = 1", "limits.sesions: no such setting"),
        ("[limits]\nsessions = 0", "limits.sessions:"),
        ("port = 70000", "port:"),
        ('[engines]\nset = "best"', "engines.set:"),
        ("[listen]\nthreshold = 1.5", "listen.threshold:"),
        ('public_url = "translate.example.org"', "public_url:"),
        ('public_url = "wss://translate.example.org"', "public_url:"),
        ('public_url = "https://translate.example.org/?key=1"', "public_url:"),
        ("port = = 1", "is not TOML"),
    ],
)
def test_wrong_file_is_told_by_name(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=re.escape(told)):
        load_settings(file)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "none.toml")


def test_wrong_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_LIMITS__SESSIONS", "many")
    with pytest.raises(SettingsError, match=r"limits\.sessions"):
        load_settings()
    monkeypatch.setenv("DRAGOMAN_LIMITS", "{")
    with pytest.raises(SettingsError, match="environment"):
        load_settings()


@pytest.mark.parametrize(("host", "only_here"), [("127.0.0.1", True), ("localhost", True), ("::1", True),
                                                 ("[::1]", True), ("127.8.8.8", True), ("0.0.0.0", False),
                                                 ("::", False), ("example.org", False), ("", False)])  # fmt: skip
def test_loopback(host: str, only_here: bool) -> None:
    assert is_loopback(host) is only_here


def test_strangers_are_served_only_on_purpose() -> None:
    check_exposure(load_settings())
    open_host = {"host": "0.0.0.0"}
    with pytest.raises(SettingsError, match="DRAGOMAN_API_KEYS"):
        check_exposure(load_settings(overrides=open_host))
    check_exposure(load_settings(overrides={**open_host, "allow_anonymous": True}))
    check_exposure(load_settings(overrides={**open_host, "api_keys": (SecretStr("k"),)}))


def test_models_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert load_settings().models_path == Path("/data/dragoman/models")
    assert load_settings(overrides={"models_dir": "/m"}).models_path == Path("/m")
