"""What lies in an unpacked Argos package, looked at without loading any of it.

A package is a folder with `metadata.json` (from_code, to_code, package_version, perhaps type and target_prefix),
`model/` (CTranslate2) and `sentencepiece.model` or `bpe.model`; the form is described in the documentation of
Argos Translate, https://argos-translate.readthedocs.io.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineUnavailable
from dragoman.models.files.ct2_file import NewerModel, read_model_bin

PACKAGE_NAME = re.compile(r"translate-[a-z]{2,3}_[a-z]{2,3}")

_CODE = re.compile(r"[a-z]{2,3}")
_VARIANTS = {"nb": "no", "pb": "pt", "zt": "zh"}
"""Codes that Argos made up for variants (Brazilian, traditional script), and the language they are."""

_MAX_METADATA_BYTES = 1 << 20
_REINSTALL = "Install it again: dragoman models pull NAME, or dragoman install FILE.argosmodel"


@dataclass(frozen=True, slots=True)
class ArgosPackage:
    """One package. `pair` is in ISO 639-1, `name` and `codes` as Argos writes them; `target_prefix` may be empty.

    `tokens` is the file of its SentencePiece or BPE model.
    """

    folder: Path
    codes: LanguagePair
    version: str
    target_prefix: str
    tokens: Path

    @property
    def name(self) -> str:
        return f"translate-{self.codes.source}_{self.codes.target}"

    @property
    def pair(self) -> LanguagePair:
        return LanguagePair(*(_VARIANTS.get(code, code) for code in self.codes))

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def rank(self) -> tuple[bool, tuple[int, ...]]:
        """Among packages of one pair the highest is used: the plain language before a variant, then the newest."""
        return self.pair == self.codes, tuple(int(number) for number in re.findall(r"[0-9]{1,9}", self.version))


def broken(folder: Path, reason: str, remedy: str = _REINSTALL) -> EngineUnavailable:
    """The error that says what is wrong with the package in `folder`."""
    return EngineUnavailable(f"argos package {folder.name}", reason, remedy)


def read_package(folder: Path) -> ArgosPackage:
    """Look at the package in `folder`. Raises EngineUnavailable, naming what is wrong with it."""
    metadata = _metadata(folder)
    kind = metadata.get("type", "translate")
    if kind != "translate":
        raise broken(folder, f"it is of type {kind!r}, not a translation", "Remove it")
    source, target = metadata.get("from_code"), metadata.get("to_code")
    if not (
        isinstance(source, str) and isinstance(target, str) and _CODE.fullmatch(source) and _CODE.fullmatch(target)
    ):
        raise broken(folder, f"its metadata.json names no languages (from_code {source!r}, to_code {target!r})")
    prefix = metadata.get("target_prefix") or ""
    if not isinstance(prefix, str):
        raise broken(folder, f"its target_prefix is not a text ({prefix!r})")
    tokens = next((folder / name for name in ("sentencepiece.model", "bpe.model") if (folder / name).is_file()), None)
    if tokens is None:
        raise broken(folder, "it has neither sentencepiece.model nor bpe.model")
    _check_model(folder)
    version = str(metadata.get("package_version", ""))
    return ArgosPackage(folder, LanguagePair(source, target), version, prefix, tokens)


def _metadata(folder: Path) -> dict[str, Any]:
    path = folder / "metadata.json"
    try:
        with path.open("rb") as file:
            metadata = json.loads(file.read(_MAX_METADATA_BYTES))
    except FileNotFoundError as error:
        raise broken(folder, "it has no metadata.json") from error
    except OSError as error:
        raise broken(folder, f"its metadata.json cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise broken(folder, "its metadata.json is not JSON") from error
    if not isinstance(metadata, dict):
        raise broken(folder, "its metadata.json is not a JSON object")
    return metadata


def _check_model(folder: Path) -> None:
    try:
        read_model_bin(folder / "model" / "model.bin")
    except OSError as error:
        raise broken(folder, "it has no model/model.bin that can be read") from error
    except NewerModel as error:
        raise broken(
            folder, f"its model {error}", "Install an older version of the package, or a newer Dragoman"
        ) from error
    except ValueError as error:
        raise broken(folder, f"its model/model.bin {error}") from error
