"""Where the models of Firefox Translations are: folders as Mozilla ships them, pulled or inside a package.

A folder holds the weights (`model.enes.intgemm.alphas.bin`), the shortlist (`lex.50.50.enes.s2t.bin`, which only makes
it quicker) and one vocabulary for both languages (`vocab.enes.spm`), or one for each (`srcvocab.enja.spm`,
`trgvocab.enja.spm`). See https://github.com/mozilla/firefox-translations-models.
"""

import hashlib
import importlib.util
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineUnavailable

NAME = "firefox"
FOLDER_NAME = re.compile(r"firefox-(?P<source>[a-z]{2,3})_(?P<target>[a-z]{2,3})")
"""What a pulled model's folder is called."""

EMBEDDED_REMEDY = "Run `pip install 'dragoman[embedded]'`"


@dataclass(frozen=True, slots=True)
class FirefoxModel:
    """One model's files. The vocabularies are one file where both languages share it; the shortlist may be missing."""

    pair: LanguagePair
    weights: Path
    source_vocabulary: Path
    target_vocabulary: Path
    shortlist: Path | None

    @property
    def paths(self) -> tuple[str, str, str, str]:
        """What a child is told of it (`child.py`)."""
        files = (self.weights, self.source_vocabulary, self.target_vocabulary, self.shortlist)
        weights, source, target, shortlist = (str(path) if path is not None else "" for path in files)
        return weights, source, target, shortlist


def read_model(folder: Path, pair: LanguagePair | None = None) -> FirefoxModel:
    """The model in `folder`, whose name tells its languages if `pair` does not. Raises EngineUnavailable."""
    if pair is None:
        if (named := FOLDER_NAME.fullmatch(folder.name)) is None:
            raise broken(folder, "its name is not of the form firefox-en_es")
        pair = LanguagePair(named["source"], named["target"])
    if fault := fault_of(folder):
        raise broken(folder, fault)
    weights, source, target = _files(folder)
    assert weights is not None and source is not None and target is not None  # noqa: S101  (without, it has a fault)
    return FirefoxModel(pair, weights, source, target, _one(folder, "lex.*.bin"))


def fault_of(folder: Path) -> str:
    """What keeps the files in `folder` from being a model, at a quick look; an empty text where nothing does."""
    weights, source, target = _files(folder)
    if weights is None:
        return "it has no model.….bin"
    if source is None or target is None:
        return "it has no vocabularies (vocab.….spm, or srcvocab and trgvocab)"
    empty = [path.name for path in (weights, source, target) if not path.stat().st_size]
    return f"its {empty[0]} is empty" if empty else ""


def pulled_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that should be models; a leading full stop marks one that is being pulled."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def packaged_models() -> tuple[list[FirefoxModel], list[EngineUnavailable]]:
    """The models inside installed packages that are those of `config/packaged.toml`, and what is wrong with others."""
    found: list[FirefoxModel] = []
    faults: list[EngineUnavailable] = []
    text = resources.files("dragoman.config").joinpath("packaged.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)[NAME]:
        spec = importlib.util.find_spec(entry["package"])
        if spec is None or not spec.submodule_search_locations:
            continue
        folder = Path(spec.submodule_search_locations[0]) / entry["folder"]
        try:
            _check(folder, entry["files"], entry["package"])
            found.append(read_model(folder, LanguagePair(*entry["languages"])))
        except EngineUnavailable as error:
            faults.append(error)
    return found, faults


def broken(folder: Path, reason: str) -> EngineUnavailable:
    """What is said of a model that cannot be used."""
    name = folder.name
    remedy = f"Run `dragoman models rm {name}`, then pull it again" if FOLDER_NAME.fullmatch(name) else EMBEDDED_REMEDY
    return EngineUnavailable(NAME, f"the model in {folder} cannot be used: {reason}", remedy)


def _check(folder: Path, files: list[dict[str, Any]], package: str) -> None:
    for file in files:
        path = folder / file["path"]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise broken(folder, f"{path.name} cannot be read ({error.strerror})") from error
        if len(data) != file["size"] or hashlib.sha256(data).hexdigest() != file["sha256"]:
            raise broken(folder, f"{path.name} of the package {package} is not the file that Dragoman knows")


def _files(folder: Path) -> tuple[Path | None, Path | None, Path | None]:
    """Weights, and the vocabularies of source and target."""
    shared = _one(folder, "vocab.*.spm")
    source, target = shared or _one(folder, "srcvocab.*.spm"), shared or _one(folder, "trgvocab.*.spm")
    return _one(folder, "model.*.bin"), source, target


def _one(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)
