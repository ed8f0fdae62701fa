"""The models that can be pulled: what they are called, where they come from, and what a set of languages needs.

The packaged catalogue is `config/models.toml`, whose head describes the form; the operator's own, a file `models.toml`
in the folder of model files, adds to it. What is installed is the business of `store.py`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from dragoman.models.files.errors import CatalogueFault, UnknownModel

PACKAGED = "models.toml"
KINDS = ("whisper", "firefox", "argos", "piper", "speakers")
"""Kinds of models, by the engine that runs them; each has a folder of that name."""

ON_HUB = frozenset({"whisper", "piper", "speakers"})
"""Those whose files lie in repositories of the hub."""

TRANSLATIONS = ("firefox", "argos")
"""Those that translate one pair; of two for the same pair the first is pulled."""

RECOGNIZER = "small"
"""The recogniser for `Catalogue.needs` where none is named."""

PIVOT = "en"

_NAMES = {
    "whisper": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    "firefox": re.compile(r"firefox-[a-z]{2,3}_[a-z]{2,3}"),
    "argos": re.compile(r"translate-[a-z]{2,3}_[a-z]{2,3}"),
    "piper": re.compile(r"[a-z]{2,3}_[A-Z]{2,3}-\w{1,64}-(x_low|low|medium|high)"),
    "speakers": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
}
_LANGUAGE = re.compile(r"[a-z]{2}")
_PATH = re.compile(r"[\w.+-]+(/[\w.+-]+)*")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.]*")
_SUMS = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}
_COMMON = {"name", "languages", "licence", "note", "size_mb"}
_KNOWN = {
    "whisper": _COMMON | {"aliases", "repo", "revision", "files", "packages"},
    "firefox": _COMMON | {"version", "files"},
    "argos": _COMMON | {"version", "url", "size", "sha256"},
    "piper": _COMMON | {"repo", "revision", "files", "speakers", "base"},
    "speakers": _COMMON | {"aliases", "repo", "revision", "files"},
}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file to pull. `path` is its place in the repository, or the whole URL of an Argos package.

    `called` is its name where that is another than the path's. `size` is in bytes; an empty `sha256` or `md5` was not
    found published. A model works without an `optional` file.
    """

    path: str
    size: int | None = None
    sha256: str = ""
    md5: str = ""
    optional: bool = False
    called: str = ""

    @property
    def name(self) -> str:
        """What it is called in the model's folder."""
        return self.called or PurePosixPath(urlsplit(self.path).path).name


@dataclass(frozen=True, slots=True)
class Entry:
    """One model. `languages` are ISO 639-1; for a translation source and target.

    `size_mb` estimates what the sizes of `files` do not say. `base` names the voice that a voice was trained from.
    `packages` are Python packages that carry the same files, each as NAME==VERSION.
    """

    name: str
    kind: str
    languages: tuple[str, ...]
    licence: str
    files: tuple[RemoteFile, ...]
    repo: str = ""
    revision: str = ""
    version: str = ""
    aliases: tuple[str, ...] = ()
    note: str = ""
    base: str = ""
    speakers: int = 1
    size_mb: int = 0
    packages: tuple[str, ...] = ()

    @property
    def size_is_exact(self) -> bool:
        return all(file.size is not None or file.optional for file in self.files)

    @property
    def size(self) -> int:
        """Bytes to pull, estimated where `size_is_exact` is not true."""
        known = sum(file.size or 0 for file in self.files)
        return known if self.size_is_exact else max(known, self.size_mb * 1_000_000)

    @property
    def serves(self) -> str:
        """Its languages in a few characters."""
        if self.kind in TRANSLATIONS:
            return "→".join(self.languages)
        return " ".join(self.languages) if len(self.languages) < 4 else f"{len(self.languages)} languages"

    @property
    def terms(self) -> str:
        """The licence, and where the voice started."""
        return f"{self.licence}; from {self.base}" if self.base else self.licence


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of languages needs, and in sentences what the catalogue lacks for it."""

    entries: tuple[Entry, ...]
    lacking: tuple[str, ...]


class Catalogue:
    """Entries by name, in order. A later entry takes the place of an earlier one of the same name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._aliases = {alias: entry.name for entry in self for alias in entry.aliases if alias not in self._entries}

    @classmethod
    def load(cls, folder: Path | None = None) -> "Catalogue":
        """The packaged catalogue and `models.toml` in `folder`, if there is one. Raises CatalogueFault."""
        entries = list(_packaged())
        own = folder / PACKAGED if folder is not None else None
        if own is not None and own.is_file():
            try:
                text = own.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CatalogueFault(f"{own}: cannot be read ({error})") from error
            entries += read_entries(text, str(own), _multilingual())
        return cls(entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def find(self, name: str) -> Entry | None:
        """The model of this name or alias, or None."""
        name = unicodedata.normalize("NFC", name)
        return self._entries.get(self._aliases.get(name, name))

    def get(self, name: str) -> Entry:
        """The model of this name or alias. Raises UnknownModel, which suggests the nearest."""
        entry = self.find(name)
        if entry is None:
            raise UnknownModel(name, nearest(name, [*self._entries, *self._aliases]))
        return entry

    def of(self, kind: str) -> list[Entry]:
        """All models of one kind."""
        return [entry for entry in self if entry.kind == kind]

    def translation(self, source: str, target: str) -> Entry | None:
        """The model for a pair: of several the first kind of TRANSLATIONS, and of that the one that is called after the
        pair, not after a variant."""
        found = [entry for kind in TRANSLATIONS for entry in self.of(kind) if entry.languages == (source, target)]
        of_kind = [entry for entry in found if entry.kind == found[0].kind]
        plain = (entry for entry in of_kind if entry.name.endswith(f"-{source}_{target}"))
        return next(plain, found[0] if found else None)

    def voice(self, language: str) -> Entry | None:
        """The first voice of a language."""
        return next((entry for entry in self.of("piper") if language in entry.languages), None)

    def recognizer(self, language: str) -> Entry | None:
        """A recogniser that hears `language`: the usual one, or the first that does."""
        usual = self._entries.get(RECOGNIZER)
        found = [entry for entry in self.of("whisper") if language in entry.languages]
        return usual if usual in found else found[0] if found else None

    def needs(self, languages: Sequence[str], recognizer: str = RECOGNIZER) -> Needs:
        """What sessions among `languages` need: one recogniser, every translation between two of them or between one
        and English, through which the rest goes, and a voice for each. Raises UnknownModel.
        """
        known = {code for entry in self for code in entry.languages}
        for code in languages:
            if code not in known:
                raise UnknownModel(code, nearest(code, sorted(known)), "the languages of the catalogue")
        hearing = self.get(recognizer)
        if hearing.kind != "whisper":
            raise CatalogueFault(f"'{recognizer}' is not a recogniser; small or turbo is, for example")
        lacking = [
            f"the recogniser {hearing.name} does not hear '{code}'; name another with --recognizer"
            for code in languages
            if code not in hearing.languages
        ]
        entries = [hearing]
        among = list(dict.fromkeys([*languages, PIVOT]))
        for source in among:
            for target in among:
                package = self.translation(source, target)
                if package is not None:
                    entries.append(package)
                elif source != target and PIVOT in (source, target):
                    lacking.append(f"there is no model that translates {source}→{target}")
        for code in dict.fromkeys(languages):
            voice = self.voice(code)
            if voice is not None:
                entries.append(voice)
            else:
                lacking.append(f"there is no Piper voice for '{code}'; espeak-ng speaks it if it can")
        return Needs(tuple(entries), tuple(lacking))


def nearest(name: str, names: Iterable[str]) -> str:
    """The most similar of `names`, or an empty text where none is similar."""
    lower = {known.lower(): known for known in names}
    found = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return lower[found[0]] if found else ""


def is_name(kind: str, name: str) -> bool:
    """Whether a model of this kind can have this name, and so a folder that is called after it."""
    return kind in KINDS and _NAMES[kind].fullmatch(name) is not None


def read_entries(text: str, origin: str, multilingual: tuple[str, ...] = ()) -> list[Entry]:
    """The entries of a catalogue in TOML; its form is described in `config/models.toml`. Raises CatalogueFault."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueFault(f"{origin}: not TOML: {error}") from error
    multilingual = tuple(table.pop("languages", {}).get("multilingual", multilingual))
    for kind in table:
        if kind not in KINDS:
            raise CatalogueFault(f"{origin}: '{kind}' is unknown, entries begin with [[{']], [['.join(KINDS)}]]")
    entries = []
    for kind in KINDS:
        for number, fields in enumerate(table.get(kind, ()), 1):
            where = f"{origin}: {kind} {number} ('{fields.get('name', '')}')"
            try:
                entries.append(_entry(kind, fields, multilingual))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                said = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
                raise CatalogueFault(f"{where}: {said}") from error
    return entries


def _entry(kind: str, fields: dict[str, Any], multilingual: tuple[str, ...]) -> Entry:
    for key in fields:
        if key not in _KNOWN[kind]:
            raise ValueError(f"'{key}' is unknown")
    name = unicodedata.normalize("NFC", fields["name"])
    if not is_name(kind, name):
        raise ValueError("this cannot be the name of such a model")
    languages = multilingual if fields["languages"] == "multilingual" else tuple(fields["languages"])
    if not languages or not all(_LANGUAGE.fullmatch(code) for code in languages):
        raise ValueError("'languages' must be \"multilingual\" or two-letter codes")
    if kind in TRANSLATIONS and len(languages) != 2:
        raise ValueError("'languages' must be source and target")
    if kind == "argos":
        _check_url(fields["url"])
        files = [_file({"path": fields["url"], **{key: fields[key] for key in ("size", "sha256") if key in fields}})]
    else:
        files = [_file(file) for file in fields["files"]]
        if not all(_PATH.fullmatch(file.path) and ".." not in file.path for file in files):
            raise ValueError("a path in 'files' is not a plain relative path")
        if not all(re.fullmatch(r"[\w.+-]+", file.name) for file in files):
            raise ValueError("'called' is not a plain name")
    if not files or len({file.name for file in files}) < len(files):
        raise ValueError("'files' is empty, or two have the same name")
    if not fields["licence"]:
        raise ValueError("'licence' is empty")
    entry = Entry(
        name=name,
        kind=kind,
        languages=languages,
        licence=fields["licence"],
        files=tuple(files),
        repo=_repo(fields["repo"]) if kind in ON_HUB else "",
        revision=fields.get("revision", "main") if kind in ON_HUB else "",
        version=fields.get("version", ""),
        aliases=tuple(fields.get("aliases", ())),
        note=fields.get("note", ""),
        base=fields.get("base", ""),
        speakers=int(fields.get("speakers", 1)),
        size_mb=int(fields.get("size_mb", 0)),
        packages=tuple(fields.get("packages", ())),
    )
    _check_packages(entry)
    if not entry.size:
        raise ValueError("its size is not known: give 'size' for each file, or 'size_mb'")
    return entry


def _file(fields: dict[str, Any]) -> RemoteFile:
    file = RemoteFile(**fields)
    if file.size is not None and not (isinstance(file.size, int) and file.size > 0):
        raise ValueError(f"'size' of {file.name} is not a number of bytes")
    for key, form in _SUMS.items():
        value = getattr(file, key)
        if value and not form.fullmatch(value):
            raise ValueError(f"'{key}' of {file.name} is not a checksum in lower-case hexadecimal")
    return file


def _repo(repo: str) -> str:
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise ValueError("'repo' is not OWNER/NAME")
    return repo


def _check_packages(entry: Entry) -> None:
    if not all(_PACKAGE.fullmatch(package) for package in entry.packages):
        raise ValueError("'packages' must be NAME==VERSION each")
    if entry.packages and not all(file.size and file.sha256 for file in entry.files):
        raise ValueError("files that packages carry need 'size' and 'sha256'")


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or not parts.path.strip("/"):
        raise ValueError("'url' is not an address that begins with https://")


@cache
def _text() -> str:
    return resources.files("dragoman.config").joinpath(PACKAGED).read_text(encoding="utf-8")


@cache
def _packaged() -> tuple[Entry, ...]:
    return tuple(read_entries(_text(), PACKAGED))


@cache
def _multilingual() -> tuple[str, ...]:
    return next(entry.languages for entry in _packaged() if entry.name == RECOGNIZER)
