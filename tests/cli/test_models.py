"""`dragoman models` as its users run it, against a hub on this machine."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dragoman.cli.main import app
from dragoman.cli.models import _by_engine
from dragoman.models.files.catalogue import Catalogue
from dragoman.testing import running_server
from tests.cli.test_commands import SCRIPTED, dragoman
from tests.fakes.hub import FakeHub, corrupt, cut, stall, status
from tests.fakes.model_files import serve
from tests.waiting import PATIENCE_S, until

FOR_ES_DE = [entry.name for entry in Catalogue.load().needs(["es", "de"]).entries]
VOICE = "es_ES-davefx-medium"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def folder(hub: FakeHub, tmp_path: Path) -> Path:
    """A folder for models, with the catalogue of small files that the hub serves for es and de."""
    serve(hub, *FOR_ES_DE, size=500_000)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.toml").write_text(hub.catalogue())
    return folder


@pytest.fixture
def run(hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Runner":
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return Runner({**hub.environment, "DRAGOMAN_MODELS_DIR": str(folder), "COLUMNS": "200"})


class Runner:
    """Runs commands in this process, which is quicker."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str | Path, code: int = 0, **environment: str) -> Result:
        done = CliRunner().invoke(app, ["models", *map(str, arguments)], env={**self.environment, **environment})
        assert done.exit_code == code, done.output + repr(done.exception)
        assert "Traceback" not in done.output
        return done


def on_disk(folder: Path) -> int:
    """The size of what lies there, whole or not."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def installed(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/*/.dragoman.json")}


def test_from_nothing_to_a_machine_without_a_network(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    environment = {**hub.environment, "DRAGOMAN_MODELS_DIR": str(folder)}

    # The first pull is interrupted in the middle of the recogniser, after the hub has had its own troubles.
    hub.fail("model.bin", cut(100_000), status(503, "0"), stall(200_000))
    command = [sys.executable, "-m", "dragoman", "models", "pull", "--for", "es,de"]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=-1, stderr=-1, encoding="utf-8")
    until(lambda: len(hub.asked("model.bin")) == 3 and on_disk(folder) >= 100_000, "it has begun again")
    process.send_signal(signal.SIGINT)
    output, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "7 models to pull into" in output.splitlines()[7]
    assert "HTTP 503); trying again in" in output
    assert said == "error: interrupted; the same command goes on where this one stopped\n"
    assert installed(folder) == set()

    # The second goes on.
    hub.requests.clear()
    done = dragoman("models", "pull", "--for", "es,de", **environment)
    assert done.returncode == 0, done.stderr
    assert "of it are here already" in done.stdout
    assert installed(folder) == set(FOR_ES_DE)
    assert hub.asked("model.bin")[0].headers["Range"] != "bytes=0-"
    for name in FOR_ES_DE:
        assert f"{name} is installed, verified" in done.stdout

    # Elsewhere there is no network.
    bundle, elsewhere = tmp_path / "models.tar", {"DRAGOMAN_MODELS_DIR": str(tmp_path / "elsewhere")}
    assert dragoman("models", "export", bundle, **environment).returncode == 0
    offline = {**elsewhere, "HF_HUB_OFFLINE": "1"}
    assert dragoman("models", "import", bundle, **offline).returncode == 0
    assert installed(tmp_path / "elsewhere") == set(FOR_ES_DE)
    done = dragoman("models", "verify", **offline)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 7)


@pytest.mark.parametrize(
    ("setting", "names", "code"),
    [(f"small,{VOICE}", {"small", VOICE}, 0), ("es,de", set(FOR_ES_DE), 0), ("smal", set(), 1), ("", set(), 2)],
)
def test_what_the_setting_asks_for(run: Runner, folder: Path, setting: str, names: set[str], code: int) -> None:
    run("pull", code=code, DRAGOMAN_PULL=setting)
    assert installed(folder) == names


def test_a_dry_run_only_says_it(run: Runner, folder: Path, hub: FakeHub) -> None:
    lines = run("pull", "--for", "es,de", "--recognizer", "turbo", VOICE, "--dry-run").output.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [VOICE, "turbo", *FOR_ES_DE[1:-2], FOR_ES_DE[-1]]
    assert lines[-1].startswith(f"7 models to pull into {folder}, 1,62")
    assert hub.requests == []
    assert installed(folder) == set()


def test_what_is_there_is_not_pulled_again(run: Runner, hub: FakeHub) -> None:
    run("pull", "small")
    hub.requests.clear()
    assert "nothing to pull" in run("pull", "small").output
    assert hub.requests == []


def test_list(run: Runner) -> None:
    run("pull", "small")
    everything = run("list", "--all").output
    assert len(everything.splitlines()) > 150
    assert "~100 MB" in everything
    assert [line.split()[0] for line in run("list", "--installed").output.splitlines()] == ["name", "small"]
    row = run("list", "--engine", "whisper", "--language", "de").output.splitlines()[3]
    assert row.split()[:7] == ["small", "whisper", "98", "languages", "0.5", "MB", "MIT"]
    assert row.split()[7] == "yes"
    voices = run("list", "--engine", "piper", "--language", "pt").output
    assert "pt_PT-tugão-medium" in voices
    assert "CC0; from lessac" in voices
    assert "there is no engine 'vosk' with models" in run("list", "--engine", "vosk", code=1).output


def test_list_begins_with_who_serves_what(run: Runner) -> None:
    output = run("list", *SCRIPTED).output
    assert output.index("voice activity") < output.index("large-v3")
    assert "translate-en_de" in output
    assert "pl_PL-gosia-medium" not in output
    assert "more for other languages: dragoman models list --all" in output


def test_without_a_command_it_shows_who_serves_what_and_what_is_installed(run: Runner) -> None:
    assert "no such models are installed" in run(*SCRIPTED).output
    run("pull", VOICE)
    output = run(*SCRIPTED).output
    assert "recognise" in output
    assert VOICE in output
    assert "translate-en_de" not in output


def test_very_many_pairs_are_told_in_short() -> None:
    served = {
        f"{code}→de": "argos" for code in ("en", "es", *(f"x{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"))
    }
    assert len(_by_engine(served)["argos"].split()) == 28
    served |= {f"y{letter}→de": "argos" for letter in "abcdefghijklmnopqrstuvwxyz"}
    assert _by_engine(served) == {"argos": "en→de es→de and 52 more"}


def test_verify_and_remove(run: Runner, folder: Path) -> None:
    run("pull", "small", VOICE, "firefox-en_de")
    path = folder / "whisper" / "small" / "model.bin"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    (folder / "piper" / VOICE / f"{VOICE}.onnx.json").unlink()
    output = run("verify", code=1).output
    assert "firefox-en_de: as it was published" in output
    assert (
        "error: small: the content of model.bin has changed (sha256 differs); 'dragoman models rm small' and" in output
    )
    assert f"error: {VOICE}: its {VOICE}.onnx.json is missing" in output
    run("verify", "firefox-en_de")
    assert "broken: its" in run("list", "--installed").output
    assert "small is removed, 0.5 MB freed" in run("rm", "small", VOICE).output
    assert installed(folder) == {"firefox-en_de"}
    run("verify")


def test_a_voice_that_lost_its_json_is_mended_by_pulling(run: Runner, folder: Path) -> None:
    run("pull", VOICE)
    (folder / "piper" / VOICE / f"{VOICE}.onnx.json").unlink()
    assert f"{VOICE} is installed, verified" in run("pull", VOICE).output
    run("verify")


def test_what_was_begun_is_shown_and_can_be_thrown_away(run: Runner, folder: Path, hub: FakeHub) -> None:
    hub.fail("model.bin", cut(1 << 17), status(404))
    run("pull", "small", code=1)
    assert "begun, 0.1 MB" in run("list", "--engine", "whisper").output
    assert "small is half pulled: 0.1 MB are here; 'dragoman models pull small' goes on" in run("verify", code=1).output
    assert "small is removed, 0.1 MB freed" in run("rm", "small").output
    assert "no models are installed" in run("verify").output


def test_by_hand(run: Runner, folder: Path) -> None:
    run("pull", "small", VOICE)
    for name in (f"piper/{VOICE}", "whisper/small"):
        (folder / name / ".dragoman.json").unlink()
    (folder / "whisper" / "small").rename(folder / "whisper" / "ours")
    assert "yes, not verified" in run("list", "--installed").output
    output = run("verify").output
    assert f"{VOICE}: as the catalogue says; it has no manifest" in output
    assert "ours: installed by hand, so there is nothing to compare" in output
    (folder / "piper" / "pictures").mkdir()
    told = run("verify", code=1).output
    assert "pictures: a folder of this name is no piper model; 'dragoman models rm pictures' removes it" in told
    run("rm", "pictures", "ours")
    run("verify")


def test_a_mirror_without_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHub(sums=False) as hub:
        serve(hub, "small")
        (tmp_path / "models.toml").write_text(hub.catalogue(sums=False))
        run = Runner({**hub.environment, "DRAGOMAN_MODELS_DIR": str(tmp_path), "COLUMNS": "200"})
        assert "small is installed, not verified: no checksum is published for its files" in run("pull", "small").output
        assert "yes, not verified" in run("list", "--installed").output
        assert "as it came; no checksum was published then" in run("verify").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pull", "smal"], "there is no 'smal' in the catalogue; did you mean 'small'?"),
        (["pull", "--for", "xx"], "there is no 'xx' in the languages of the catalogue"),
        (["pull", "--for", "es", "--recognizer", "translate-en_de"], "not a recogniser"),
        (["rm", "small"], "there is no 'small' in the models installed in"),
        (["verify", "small"], "there is no 'small' in the models installed in"),
        (["export", "x.tar", "small"], "there is no 'small' in the models installed in"),
        (["export", "x.tar"], "no models are installed in"),
        (["import", "none.tar"], "none.tar: No such file"),
        (["import", __file__], "is not imported: it"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Runner, arguments: list[str], told: str) -> None:
    done = run(*arguments, code=1)
    assert told in done.output
    assert done.output.startswith("error: ")
    assert len(done.output.splitlines()) == 1


def test_one_wrong_file_does_not_keep_the_others_from_coming(run: Runner, folder: Path, hub: FakeHub) -> None:
    hub.fail("model.bin", corrupt)
    hub.fail("en_de-1_3.argosmodel", status(404))
    output = run("pull", "small", "translate-en_de", VOICE, code=1).output
    assert "model.bin: it is not the expected file" in output
    assert f"cannot pull {hub.url}/v1/translate-en_de-1_3.argosmodel: there is no such file (HTTP 404)" in output
    assert installed(folder) == {VOICE}


def test_offline(run: Runner) -> None:
    for setting in ("HF_HUB_OFFLINE", "DRAGOMAN_OFFLINE"):
        output = run("pull", "small", VOICE, code=1, **{setting: "1"}).output
        assert "error: small needs config.json, which is not here, and offline is set" in output
        assert output.count("error: ") == 1


def test_folders_that_cannot_be_written(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    output = run("pull", "small", code=1, DRAGOMAN_MODELS_DIR=str(tmp_path / "file" / "models")).output
    assert "Not a directory" in output.splitlines()[-1]
    assert "name another with DRAGOMAN_MODELS_DIR" in output.splitlines()[-1]
    run("pull", VOICE)
    assert "cannot write" in run("export", tmp_path / "none" / "x.tar", code=1).output


def test_a_full_disk(run: Runner, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr("dragoman.models.files.download._append", full)
        output = run("pull", "small", VOICE, code=1).output
    assert output.splitlines()[-1] == (
        f"error: {folder}: the disk is full; make room and run the same command again, it goes on where it stopped"
    )
    run("pull", "small")


def test_a_wrong_catalogue_of_the_operators(run: Runner, folder: Path) -> None:
    (folder / "models.toml").write_text("[[whisper]]\nname = 'x'")
    assert "models.toml: whisper 1 ('x'): 'languages' is missing" in run("pull", "small", code=1).output
    assert "models.toml" in run("list", "--all", code=1).output


ON_A_TERMINAL = "import sys; sys.stdout.isatty = lambda: True; from dragoman.cli.main import app; app()"
"""The command line where standard output is a terminal, on machines that have none to give as well."""


def test_bars_are_drawn_on_a_terminal_and_nowhere_else(hub: FakeHub, folder: Path) -> None:
    environment = {**os.environ, **hub.environment, "DRAGOMAN_MODELS_DIR": str(folder), "TERM": "xterm"}
    told = []
    for start in (["-c", ON_A_TERMINAL], ["-m", "dragoman"]):
        command = [sys.executable, *start, "models", "pull", "small"]
        told.append(subprocess.check_output(command, env={**environment, "COLUMNS": "120"}, timeout=PATIENCE_S))
        shutil.rmtree(folder / "whisper")
    assert [(b"\x1b[" in output, "━".encode() in output) for output in told] == [(True, True), (False, False)]
    assert all(b"small is installed, verified" in output for output in told)


def test_the_server_pulls_what_it_is_told_to_and_starts_without_what_cannot_be_had(
    hub: FakeHub, folder: Path, tmp_path: Path
) -> None:
    hub.fail("model.bin", status(404))
    environment = {**hub.environment, "DRAGOMAN_MODELS_DIR": str(folder), "DRAGOMAN_PULL": f"small,{VOICE}"}
    with running_server(environment=environment) as server:
        assert installed(folder) == {VOICE}
        output = server.log()
    assert "there is no such file (HTTP 404)" in output
    assert "not everything that 'pull' asks for is here; the server starts with what there is" in output


def test_a_mirror_of_what_is_installed(run: Runner, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    assert "none of the catalogue is installed" in run("mirror", mirror, code=2).output
    run("pull", "firefox-en_de")
    said = run("mirror", mirror, HF_HUB_OFFLINE="1").output
    assert "firefox-en_de: " in said
    assert "nothing had to be pulled" in said
    assert "set hub_url, argos_url and firefox_url to its address" in said
    assert len(list((mirror / "main-workspace" / "translations-models").iterdir())) == 3
    assert "offline" in run("mirror", mirror, VOICE, code=1, HF_HUB_OFFLINE="1").output
    run("mirror", mirror, VOICE)
    assert list(mirror.glob(f"rhasspy/piper-voices/resolve/*/es/es_ES/davefx/medium/{VOICE}.onnx"))


def test_a_mirror_for_languages(run: Runner, tmp_path: Path) -> None:
    run("mirror", tmp_path / "mirror", "--for", "es,de")
    assert len(list((tmp_path / "mirror").rglob("model.bin"))) == 1
    assert len(list((tmp_path / "mirror" / "main-workspace").rglob("*.bin"))) == 8
