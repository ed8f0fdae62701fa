"""Whisper models on the disk: what their folders must hold, which are installed, and which one is taken.

A folder holds what a faster-whisper model has: `model.bin` (CTranslate2), `config.json`, `vocabulary.json` or
`vocabulary.txt`, and `tokenizer.json`. A `preprocessor_config.json` may lie beside them and is not needed: all that it
says of a Whisper follows from the weights.
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dragoman.models.errors import EngineUnavailable
from dragoman.models.files.catalogue import Catalogue
from dragoman.models.files.ct2_file import ModelBin, NewerModel, read_model_bin
from dragoman.models.files.errors import CatalogueFault

NAME = "whisper"

NEWEST_REVISION = 3
"""Of the layout of Whisper's weights in CTranslate2 4."""

_ENGLISH_ONLY_TOKENS = 51_864
"""The vocabulary of OpenAI's English-only models; the others have at least one token more."""
_ALL_LANGUAGES = 99
_CONTROL_TOKENS = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|notimestamps|>"),
)
_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
_FILES = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_TRANSFORMERS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")
_PULL = "Run `dragoman models pull {}`"
_CODES = {"jw": "jv"}
"""Whisper's own codes that are none of ISO 639, and the right ones."""


@dataclass(frozen=True, slots=True)
class InstalledWhisper:
    """A model that can be used. `languages` maps ISO 639 codes to Whisper's own, which differ for one; `translates`
    tells whether it was also taught to translate to English; `aligns` whether it can tell the times of words.

    `english_only` is true of models whose prompts name no language.
    """

    folder: Path
    parameters: int
    mels: int
    languages: dict[str, str]
    english_only: bool
    translates: bool
    aligns: bool
    control_tokens: dict[str, int]
    """The tokens that no text has and that are used, with their numbers."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Of several models the highest is taken: of more than one language, largest, and last by name."""
        return len(self.languages) > 1, self.parameters, self.name


def unusable(folder: Path, reason: str, remedy: str = "") -> EngineUnavailable:
    """The error for a folder that is no whole model; `reason` begins after "it"."""
    return EngineUnavailable(
        f"whisper model {folder.name}", f"it {reason}", remedy or f"{_PULL} again".format(folder.name)
    )


def find_model(folder: Path, wanted: str) -> InstalledWhisper:
    """The model to load: the one called `wanted` in `folder`, by its name or an alias of the catalogue; the one in
    the folder `wanted`, if that is a path; or for "" the best that is installed (`InstalledWhisper.rank`).

    Raises EngineUnavailable, where none is there or the one is broken.
    """
    if wanted:
        if "/" in wanted or wanted.startswith("~"):
            return read_model(Path(wanted).expanduser())
        for name in (wanted, _name_of(wanted, folder)):
            if (folder / name).is_dir():
                return read_model(folder / name)
        raise _not_there(folder, wanted)
    models, broken = installed_models(folder)
    if models:
        return max(models, key=lambda model: model.rank)
    if broken:
        raise broken[0]
    raise EngineUnavailable(NAME, f"there is no model in {folder}", _PULL.format("NAME"))


def installed_models(folder: Path) -> tuple[list[InstalledWhisper], list[EngineUnavailable]]:
    """The models in `folder` that can be used, by name, and what is wrong with the others."""
    models, broken = [], []
    for path in _model_folders(folder):
        try:
            models.append(read_model(path))
        except EngineUnavailable as error:
            broken.append(error)
    return models, broken


def read_model(folder: Path) -> InstalledWhisper:
    """Look at the model in `folder` without loading it. Raises EngineUnavailable that names what is wrong."""
    if not folder.is_dir():
        remedy = "Set engines.whisper.model to the name of an installed model, or to its folder"
        raise EngineUnavailable(NAME, f"there is no folder {folder}", remedy)
    missing = [name for name in _FILES if not (folder / name).is_file()]
    vocabulary = next((folder / name for name in _VOCABULARIES if (folder / name).is_file()), None)
    if vocabulary is None:
        missing.append(_VOCABULARIES[0])
    if "model.bin" in missing and any((folder / name).exists() for name in _TRANSFORMERS):
        remedy = "Convert it with ct2-transformers-converter, or run `dragoman models pull NAME`"
        raise unusable(folder, "is a model for Transformers, not for CTranslate2", remedy)
    if missing or vocabulary is None:
        raise unusable(folder, f"has no {', '.join(missing)}")
    try:
        table = read_model_bin(folder / "model.bin")
    except NewerModel as error:
        reason = f"has a model.bin that {error}"
        raise unusable(folder, reason, "Take an older version of the model, or a newer Dragoman") from error
    except ValueError as error:
        raise unusable(folder, f"has a model.bin that {error}") from error
    except OSError as error:
        raise unusable(folder, f"cannot be read ({error.strerror})", "Check the permissions of its files") from error
    return _describe(folder, table, _read_tokens(vocabulary), _read_json(folder / "config.json"))


def _describe(folder: Path, table: ModelBin, tokens: list[str], config: Any) -> InstalledWhisper:
    if table.architecture != "WhisperSpec":
        raise unusable(folder, f"is no Whisper but a {table.architecture}", "Remove it")
    if table.revision > NEWEST_REVISION:
        raise unusable(folder, "is made for a newer CTranslate2", "Take an older version of it, or a newer Dragoman")
    if not isinstance(config, dict):
        raise unusable(folder, "has a config.json that is not a JSON object")
    try:
        (rows, _), (_, mels, _) = table.shapes["decoder/embeddings/weight"], table.shapes["encoder/conv1/weight"]
    except (KeyError, ValueError) as error:
        raise unusable(folder, "has a model.bin with other weights than a Whisper's") from error
    if len(tokens) != rows:
        raise unusable(folder, f"has a vocabulary of {len(tokens)} tokens for weights of {rows}")
    if absent := [token for token in _CONTROL_TOKENS if token not in tokens]:
        raise unusable(folder, f"has a vocabulary without {absent[0]}")
    english_only = len(tokens) <= _ENGLISH_ONLY_TOKENS
    languages = {"en": "en"} if english_only else _languages(folder, tokens, config)
    encoder, decoder = table.layers("encoder"), table.layers("decoder")
    # OpenAI's own have as many layers on both sides. Those with fewer in the decoder were cut down from one of them
    # and taught anew without translations (turbo: 4 of 32), the smallest with English alone (distil: 2).
    if decoder <= 2 < encoder and len(languages) >= _ALL_LANGUAGES:
        languages = {"en": "en"}
    return InstalledWhisper(
        folder,
        parameters=table.parameters,
        mels=mels,
        languages=languages,
        english_only=english_only,
        translates=len(languages) > 1 and decoder >= encoder,
        aligns=bool(config.get("alignment_heads")),
        control_tokens={token: tokens.index(token) for token in _CONTROL_TOKENS},
    )


def _languages(folder: Path, tokens: list[str], config: dict[str, Any]) -> dict[str, str]:
    """The languages whose tokens config.json lists. It may list fewer than there are tokens."""
    numbers = config.get("lang_ids")
    if not isinstance(numbers, list) or not numbers:
        raise unusable(folder, "has a config.json without lang_ids", "Convert it again with a newer CTranslate2")
    if not all(isinstance(number, int) and 0 <= number < len(tokens) for number in numbers):
        raise unusable(folder, "has a config.json for another vocabulary (lang_ids)")
    found = (_LANGUAGE_TOKEN.fullmatch(tokens[number]) for number in numbers)
    codes = [match[1] for match in found if match]  # some conversions list all control tokens
    if not codes:
        raise unusable(folder, "has a config.json for another vocabulary (lang_ids)")
    return {_CODES.get(code, code): code for code in codes}


def _model_folders(folder: Path) -> list[Path]:
    """What should be models; a leading full stop marks one that is being installed."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _name_of(alias: str, folder: Path) -> str:
    """The catalogue's name for what may be an alias ("large-v3-turbo" for "turbo")."""
    try:
        entry = Catalogue.load(folder.parent).find(alias)
    except CatalogueFault:
        return alias
    return entry.name if entry is not None and entry.kind == NAME else alias


def _not_there(folder: Path, wanted: str) -> EngineUnavailable:
    names = [path.name for path in _model_folders(folder)]
    near = get_close_matches(wanted, names, 1) or names
    hint = f" (there is {', '.join(near)})" if near else ""
    return EngineUnavailable(NAME, f"there is no model {wanted!r} in {folder}{hint}", _PULL.format(wanted))


def _read_tokens(path: Path) -> list[str]:
    if path.suffix == ".txt":
        text = _read_text(path)
        return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    tokens = _read_json(path)
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise unusable(path.parent, f"has a {path.name} that is not a list of tokens")
    return tokens


def _read_json(path: Path) -> Any:
    try:
        return json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise unusable(path.parent, f"has a {path.name} that is not JSON") from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise unusable(path.parent, f"has a {path.name} that is not text") from error
    except OSError as error:
        reason = f"has a {path.name} that cannot be read ({error.strerror})"
        raise unusable(path.parent, reason, "Check the permissions of its files") from error
