"""The command line as its users run it: in processes of its own, on the scripted engines."""

import json
import re
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from dragoman import __version__
from dragoman.config.settings import default_table
from tests.sdk.speech import as_ogg_opus, as_wav, bursts

SCRIPTED = ("--engines", "scripted")


def dragoman(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    return subprocess.run(
        [sys.executable, "-m", "dragoman", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**kept, "COLUMNS": "200", **environment},
    )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "in.wav"
    path.write_bytes(as_wav(bursts(3, 22050), 22050))
    return path


def test_version_and_help() -> None:
    assert dragoman("--version").stdout == f"dragoman {__version__}\n"
    done = dragoman("--help")
    assert done.returncode == 0
    for command in ("serve", "translate", "voices", "models", "config"):
        assert command in done.stdout


def test_translate_writes_sound_and_subtitles(recording: Path, tmp_path: Path) -> None:
    out, srt, vtt = (tmp_path / name for name in ("out.wav", "out.srt", "out.vtt"))
    done = dragoman("translate", recording, "--to", "es", "--out", out, "--srt", srt, "--vtt", vtt, *SCRIPTED)
    assert done.returncode == 0, done.stderr
    texts = ["Buenos días.", "¿Cómo está usted hoy?", "Muchas gracias."]
    assert done.stdout.splitlines() == texts
    with wave.open(str(out)) as file:
        assert file.getframerate() == 48000
        assert 4 < file.getnframes() / 48000 < 6
    cues = re.findall(r"(\d+)\n(\S+) --> (\S+)\n(.+)\n", srt.read_text(encoding="utf-8"))
    assert [cue[3] for cue in cues] == texts
    assert cues[1][1].startswith("00:00:01,8")
    assert vtt.read_text(encoding="utf-8").startswith("WEBVTT\n\n1\n00:00:00.")


def test_translate_reads_and_writes_other_formats(tmp_path: Path) -> None:
    source, out = tmp_path / "in.ogg", tmp_path / "out.opus"
    source.write_bytes(as_ogg_opus(bursts(1, 48000), 48000))
    assert dragoman("translate", source, "--to", "fr", "--out", out, *SCRIPTED).returncode == 0
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "opus"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("IN", "--to", "xx", "--out", "out.wav"), "no translator for"),
        (("IN", "--to", "es", "--out", "out.mp3"), "cannot write out.mp3"),
        (("IN", "--to", "es", "--out", "nowhere/out.wav"), "does not exist"),
        (("missing.wav", "--to", "es", "--out", "out.wav"), "cannot read missing.wav"),
        ((__file__, "--to", "es", "--out", "out.wav"), "cannot read"),
        (("IN", "--to", "es", "--out", "out.wav", "--voice", "nobody"), "unknown voice 'nobody'"),
        (("IN", "--to", "es", "--out", "out.wav", "--from", "xx"), "no recogniser for 'xx'"),
    ],
)
def test_translate_says_what_is_wrong(recording: Path, arguments: tuple[str, ...], told: str) -> None:
    named = [str(recording) if argument == "IN" else argument for argument in arguments]
    done = dragoman("translate", *named, *SCRIPTED)
    assert done.returncode == 1
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_voices_are_listed_whole() -> None:
    done = dragoman("voices", "--language", "es", *SCRIPTED, COLUMNS="60")
    assert done.returncode == 0
    assert len(re.findall(r"^ es-[a-z]+-espeak1 ", done.stdout, re.MULTILINE)) >= 2


def test_models_are_listed() -> None:
    done = dragoman("models", *SCRIPTED)
    assert done.returncode == 0
    assert "recognise" in done.stdout
    assert "scripted" in done.stdout


@pytest.mark.embedded
def test_models_say_what_is_missing() -> None:
    done = dragoman("models")
    assert done.returncode == 0
    assert "moonshine" in done.stdout
    assert "en→de" in done.stdout


@pytest.mark.embedded
def test_models_say_whose_voices_the_operator_may_not_want() -> None:
    assert "engines.pico = false turns it off" in dragoman("models").stdout
    done = dragoman("models", DRAGOMAN_ENGINES__PICO="false")
    assert "pico is turned off by engines.pico" in done.stdout
    assert done.stdout.count("pico") == 2


def setting_names(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from (f"{name}.{inner}" for inner in setting_names(value))
        else:
            yield name


def test_config_shows_every_setting_and_no_secret() -> None:
    done = dragoman("config", DRAGOMAN_API_KEYS="hush", DRAGOMAN_PORT="8123")
    assert done.returncode == 0
    assert "port = 8123" in done.stdout
    assert "hush" not in done.stdout
    for name in setting_names(default_table()):
        assert f"\n{name} = " in f"\n{done.stdout}"


@pytest.mark.parametrize("command", ["config", "models", "voices", "serve"])
def test_a_wrong_setting_is_told_and_ends_with_two(command: str) -> None:
    done = dragoman(command, DRAGOMAN_LIMITS__SESSIONS="many")
    assert done.returncode == 2
    assert "limits.sessions" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_catalogue_is_told(tmp_path: Path) -> None:
    catalogue = tmp_path / "voices.toml"
    catalogue.write_text('[[voice]]\nid = "short"\n')
    done = dragoman("voices", DRAGOMAN_VOICES__FILE=str(catalogue))
    assert done.returncode == 1
    assert str(catalogue) in done.stderr


def test_aliases_reach_the_list() -> None:
    aliases = json.dumps({"YTpq7expH9539ERJ": "es-lucia-espeak1"})
    assert "YTpq7expH9539ERJ" in dragoman("voices", *SCRIPTED, DRAGOMAN_VOICES__ALIASES=aliases).stdout
