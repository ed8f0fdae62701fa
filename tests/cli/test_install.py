"""`dragoman install` as its users run it."""

from pathlib import Path

import pytest

from tests.cli.test_commands import dragoman
from tests.fakes.argos import argosmodel, package_files


def test_packages_are_installed_and_told(tmp_path: Path) -> None:
    files = [
        argosmodel(tmp_path / "one.argosmodel"),
        argosmodel(tmp_path / "two.argosmodel", package_files("de", "en", package_version="1.9")),
    ]
    done = dragoman("install", *files, DRAGOMAN_MODELS_DIR=str(tmp_path / "models"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "translate-en_de 1.0 is installed: en→de can now be translated",
        "translate-de_en 1.9 is installed: de→en can now be translated",
    ]
    assert (tmp_path / "models" / "argos" / "translate-en_de" / "metadata.json").is_file()
    assert (
        "translate-en_de: as it came"
        in dragoman("models", "verify", DRAGOMAN_MODELS_DIR=str(tmp_path / "models")).stdout
    )


def test_a_wrong_file_is_told_in_one_line_and_the_others_are_installed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong[1].argosmodel"
    wrong.write_text("<html>")
    good = argosmodel(tmp_path / "good.argosmodel")
    absent = tmp_path / "absent.argosmodel"
    done = dragoman("install", wrong, absent, good, DRAGOMAN_MODELS_DIR=str(tmp_path / "models"))
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"error: {wrong} is not an Argos package")
    assert second == f"error: cannot install {absent}: {absent}: No such file or directory"
    assert "translate-en_de 1.0 is installed" in done.stdout


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    done = dragoman("install", argosmodel(tmp_path / "a.argosmodel"), DRAGOMAN_MODELS_DIR=str(tmp_path / "models"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot install")
    assert "Traceback" not in done.stderr


@pytest.mark.embedded
def test_models_show_what_was_installed(tmp_path: Path) -> None:
    (tmp_path / "argos" / "broken").mkdir(parents=True)
    dragoman("install", argosmodel(tmp_path / "a.argosmodel"), DRAGOMAN_MODELS_DIR=str(tmp_path))
    done = dragoman("models", DRAGOMAN_MODELS_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if "en→de" in line and line.rstrip().endswith("argos")]
    assert "argos package broken is not available: it has no metadata.json" in done.stdout


@pytest.mark.embedded
def test_models_say_how_to_get_german(tmp_path: Path) -> None:
    done = dragoman("models", DRAGOMAN_MODELS_DIR=str(tmp_path))
    assert "missing: en→de. It takes the model firefox-en_de" in done.stdout
    assert "dragoman models pull firefox-en_de" in done.stdout
