"""The image and the compose files, as far as they can be checked without a container engine."""

import json
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import ctranslate2
import pytest
import yaml

from dragoman.config.settings import load_settings
from dragoman.models.cuda_libraries import CUBLAS
from dragoman.server.runner import END_S
from dragoman.server.services import HURRY_S, LAST_WORDS_S
from dragoman.testing import reserved_port

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """YAML with Compose's tag `!override`, which says that a list replaces the one it would be added to."""


def _list(loader: _Loader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


_Loader.add_constructor("!override", _list)


def compose(name: str = "docker-compose.yml") -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), _Loader)


SERVICES = {"dragoman": "cpu", "gpu": "gpu"}
"""The services of Compose and the targets of the Dockerfile that they are built from."""


def service(file: str = "docker-compose.yml", name: str = "dragoman") -> Any:
    return compose(file)["services"][name]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(word, rest.strip()) for word, rest in pairs]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Each stage's instructions without FROM, those of the stage that it is made from first, in the file's order."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in instructions():
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = list(found.get(base, []))
        else:
            found[name].append((word, rest))
    return found


def only(word: str, target: str = "cpu") -> str:
    (found,) = (rest for name, rest in stages()[target] if name == word)
    return found


def image_environment(target: str = "cpu") -> dict[str, str]:
    pairs = (pair.split("=", 1) for word, rest in stages()[target] if word == "ENV" for pair in rest.split())
    return {name: value.strip('"') for name, value in pairs}


def filled(text: str, variables: dict[str, str] | None = None) -> str:
    """`text` with its variables replaced as Compose does."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        found = (variables or {}).get(name, "")
        if not found and kind == "?":
            raise LookupError(f"{name}: {rest}")
        return found or (rest if kind == "-" else "")

    return VARIABLE.sub(value, text)


def test_a_build_without_a_target_makes_the_image_for_any_machine() -> None:
    assert list(stages())[-1] == "cpu"


@pytest.mark.parametrize(("name", "target"), SERVICES.items())
def test_compose_builds_the_targets(name: str, target: str) -> None:
    assert service(name=name)["build"] == {"context": ".", "target": target}
    assert service(name=name)["image"] == f"dragoman:{target}"
    assert f"--target {target} -t dragoman:{target} ." in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_is_installed_is_installed_by_the_setup_script() -> None:
    commands = [part.split() for word, rest in instructions() if word == "RUN" for part in rest.split("&&")]
    plain = [[token for token in command if not token.startswith("--mount=")] for command in commands]
    setup = [" ".join(command) for command in plain if "scripts/setup.sh" in command]
    assert setup == [
        "scripts/setup.sh system",
        "VENV=/opt/dragoman EDITABLE='' scripts/setup.sh python embedded",
        "VENV=/opt/dragoman EDITABLE='' scripts/setup.sh python embedded,gpu",
    ]
    others = {command[0] for command in plain if "scripts/setup.sh" not in command}
    assert others == {"command", "rm", "useradd", "install"}
    assert image_environment()["PATH"] == "/opt/dragoman/bin:$PATH"


def test_both_images_are_the_same_but_for_the_gpu() -> None:
    cpu, gpu = stages()["cpu"], stages()["gpu"]
    assert [one for one in cpu if one not in gpu] == [("COPY", "--from=build /opt/dragoman /opt/dragoman")]
    assert [word for word, _ in gpu if (word, _) not in cpu] == ["COPY", "ENV"]
    more = {name: value for name, value in image_environment("gpu").items() if name not in image_environment()}
    assert more.pop("CUDA_CACHE_PATH").startswith(f"{image_environment()['DRAGOMAN_MODELS_DIR']}/")
    assert more == {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="CTranslate2's other packages have no CUDA in them")
def test_the_gpu_extra_has_what_ctranslate2_loads() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in extras["gpu"]}
    assert names == {"ctranslate2", "nvidia-cublas-cu12"}
    (library,) = Path(ctranslate2.__file__).parents[1].glob("ctranslate2.libs/libctranslate2-*.so*")
    asked = set(re.findall(rb"lib(cublas|cudnn)\.so\.(\d+)", library.read_bytes()))
    assert asked == {(b"cublas", CUBLAS.rpartition(".")[2].encode())}


def test_the_gpu_service_is_the_other_one_with_a_gpu() -> None:
    cpu, gpu = service(), service(name="gpu")
    assert {name for name in {*cpu, *gpu} if cpu.get(name) != gpu.get(name)} == {
        "build",
        "image",
        "ports",
        "profiles",
        "deploy",
    }
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


def test_the_gpu_service_starts_only_when_it_is_asked_for_and_beside_the_other() -> None:
    assert "profiles" not in service()
    assert service(name="gpu")["profiles"] == ["gpu"]
    published = {filled(service(name=name)["ports"][0]) for name in SERVICES}
    assert published == {"127.0.0.1:8000:8000", "127.0.0.1:8001:8000"}


def test_an_image_without_the_translator_is_a_failed_build() -> None:
    (command,) = (rest for word, rest in instructions() if word == "RUN" and "setup.sh system" in rest)
    assert "&& command -v apertium" in command


def test_the_process_is_not_root() -> None:
    assert only("USER") == "10001"
    (made,) = (rest for word, rest in stages()["cpu"] if word == "RUN" and "useradd" in rest)
    assert "--uid 10001 dragoman" in made


def test_the_process_gets_signals_itself() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["dragoman"]
    assert json.loads(only("CMD")) == ["serve"]
    assert only("STOPSIGNAL") == "SIGTERM"


def test_the_image_does_not_serve_strangers_by_itself() -> None:
    environment = image_environment()
    assert environment["DRAGOMAN_HOST"] == "0.0.0.0"
    assert not environment.keys() & {"DRAGOMAN_ALLOW_ANONYMOUS", "DRAGOMAN_API_KEYS"}


def test_no_library_reports_to_its_maker() -> None:
    assert image_environment()["ORT_DISABLE_TELEMETRY"] == "1"


def test_compose_and_image_name_the_same_things() -> None:
    environment, image = service()["environment"], image_environment()
    for name in ("DRAGOMAN_HOST", "DRAGOMAN_PORT", "DRAGOMAN_MODELS_DIR"):
        assert environment[name] == image[name]
    assert only("EXPOSE") == image["DRAGOMAN_PORT"]
    (volume,) = service()["volumes"]
    name, folder = volume.split(":")
    assert name in compose()["volumes"]
    assert folder == image["DRAGOMAN_MODELS_DIR"]
    (made,) = (rest for word, rest in stages()["cpu"] if word == "RUN" and "install -d" in rest)
    assert f"-o dragoman -g dragoman {folder}" in made


@pytest.mark.parametrize(("name", "target"), SERVICES.items())
def test_every_variable_is_a_setting(monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    for variable, value in {**image_environment(target), **service(name=name)["environment"]}.items():
        if variable.startswith("DRAGOMAN_"):
            monkeypatch.setenv(variable, filled(value))
    settings = load_settings()
    assert (settings.host, settings.port, settings.models_dir) == ("0.0.0.0", 8000, "/var/lib/dragoman")
    assert settings.allow_anonymous
    assert settings.keys == ()


def test_the_port_is_published_on_loopback() -> None:
    (port,) = service()["ports"]
    inside = service()["environment"]["DRAGOMAN_PORT"]
    assert filled(port) == f"127.0.0.1:8000:{inside}"
    strangers = {"DRAGOMAN_PUBLISH": "0.0.0.0", "DRAGOMAN_HOST": "0.0.0.0", "DRAGOMAN_PORT": "9000"}
    assert filled(port, strangers) == f"127.0.0.1:9000:{inside}"


@pytest.mark.parametrize(("name", "default"), [("dragoman", 8000), ("gpu", 8001)])
def test_publishing_to_others_needs_keys(monkeypatch: pytest.MonkeyPatch, name: str, default: int) -> None:
    public = service("docker-compose.public.yml", name)
    assert set(public) == {"environment", "ports"}
    (port,) = public["ports"]
    assert filled(port) == f"0.0.0.0:{default}:8000"
    assert filled(port, {"DRAGOMAN_PUBLISH": "192.0.2.1"}) == f"192.0.2.1:{default}:8000"
    with pytest.raises(LookupError, match="DRAGOMAN_API_KEYS"):
        filled(public["environment"]["DRAGOMAN_API_KEYS"])
    for variable, value in {**service(name=name)["environment"], **public["environment"]}.items():
        monkeypatch.setenv(variable, filled(value, {"DRAGOMAN_API_KEYS": "a,b", "DRAGOMAN_ALLOW_ANONYMOUS": "true"}))
    assert len(load_settings().keys) == 2
    assert not load_settings().allow_anonymous
    text = (ROOT / "docker-compose.public.yml").read_text(encoding="utf-8")
    assert text.count("ports: !override") == text.count("ports:") == len(SERVICES)


def test_running_sessions_get_their_time_to_finish() -> None:
    defaults = tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))
    grace_s = int(service()["stop_grace_period"].removesuffix("s"))
    longest_s = defaults["limits"]["drain_s"] + LAST_WORDS_S + HURRY_S + END_S
    assert longest_s < grace_s <= longest_s + 5


@contextmanager
def answering(status: int) -> Iterator[int]:
    """An HTTP server whose `/ready` has this status; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health(port: int) -> int:
    """Exit code of the image's health check where Dragoman listens on `port`."""
    program, *arguments = json.loads(only("HEALTHCHECK").partition(" CMD ")[2])
    assert program == "python"
    # A proxy in the environment must not be asked about 127.0.0.1.
    environment = {"DRAGOMAN_PORT": str(port), "http_proxy": "http://192.0.2.1:3128"}
    return subprocess.run([sys.executable, *arguments], env=environment, check=False, capture_output=True).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_the_health_check_asks_the_port_of_the_settings(status: int, code: int) -> None:
    with answering(status) as port:
        assert health(port) == code


def test_the_health_check_fails_where_nobody_listens() -> None:
    with reserved_port() as port:
        assert health(port) != 0


def test_the_build_context_holds_what_the_package_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    linked = {path.readlink().name for path in (ROOT / "dragoman").iterdir() if path.is_symlink()}
    assert "*" in lines
    assert kept == {"dragoman", "scripts", "pyproject.toml", project["readme"], *project["license-files"], *linked}
    assert [name for name in kept if not (ROOT / name).exists()] == []
