"""The voices that clients can ask for: the packaged catalogue, the operator's own, and voices made by rule.

A catalogue says which voices have names, not which engines are installed; that is the registry's business.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice

PACKAGED = "voices.toml"
GENDERS = ("female", "male", "neutral")

_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_REQUIRED = ("id", "name", "language", "engine", "engine_voice", "gender")
_KNOWN = {*_REQUIRED, "description", "aliases"}
_ESPEAK_NAMES = {"en": "en-us", "no": "nb", "pt": "pt-br", "zh": "cmn"}


class CatalogueError(ValueError):
    """A catalogue is wrong; the message is one line that names the file and the entry."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))  # ids and paths may hold anything


class VoiceCatalogue:
    """Voices in order; the first of a language (and engine) is its default.

    `aliases` maps more names to voice ids. `origin` names the voices' source in errors. Raises CatalogueError for a
    bad or duplicate id, a duplicate alias or one that leads nowhere.
    """

    def __init__(
        self, voices: Iterable[Voice], aliases: Mapping[str, str] | None = None, *, origin: str = "voices"
    ) -> None:
        self._voices: dict[str, Voice] = {}
        self._custom: frozenset[str] = frozenset()
        self._ids: dict[str, str] = {}  # of ids and aliases
        for voice in voices:
            _check(voice, f"{origin}: voice '{voice.voice_id}'")
            for name in (voice.voice_id, *voice.aliases):
                self._claim(name, voice.voice_id, origin)
            self._voices[voice.voice_id] = voice
        for alias, voice_id in (aliases or {}).items():
            if voice_id not in self._voices:
                raise CatalogueError(f"voices.aliases: '{alias}' stands for '{voice_id}', which is no voice")
            self._claim(alias, voice_id, "voices.aliases")
            voice = self._voices[voice_id]
            self._voices[voice_id] = replace(voice, aliases=(*voice.aliases, alias))

    @classmethod
    def load(
        cls,
        *,
        file: Path | None = None,
        aliases: Mapping[str, str] | None = None,
        more: Iterable[Voice] = (),
        installed: Iterable[Voice] = (),
    ) -> "VoiceCatalogue":
        """The packaged catalogue, then the operator's `file`, then those of `more` that fill a gap, then `installed`.

        A gap is a language for which the files name no voice of that engine. Of `installed`, a voice that the files
        name already only lends its id and aliases to that entry. Raises CatalogueError.
        """
        text = resources.files("dragoman.config").joinpath(PACKAGED).read_text(encoding="utf-8")
        voices = read_voices(text, PACKAGED)
        packaged = len(voices)
        if file is not None:
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CatalogueError(f"{file}: cannot be read ({error})") from error
            voices += read_voices(text, str(file))
        custom = frozenset(voice.voice_id for voice in voices[packaged:])
        named = {(voice.language, voice.engine) for voice in voices}
        voices += [voice for voice in more if (voice.language, voice.engine) not in named]
        voices = _joined(voices, installed, taken=set(aliases or ()))
        catalogue = cls(voices, aliases, origin=str(file or PACKAGED))
        catalogue._custom = custom
        return catalogue

    def spoken_by(self, engine: str) -> "VoiceCatalogue":
        """The same voices, ids and aliases, all of them spoken by another engine."""
        catalogue = VoiceCatalogue(replace(voice, engine=engine) for voice in self)
        catalogue._custom = self._custom
        return catalogue

    def is_custom(self, voice: Voice) -> bool:
        """Whether it comes from the operator's own file."""
        return voice.voice_id in self._custom

    def __iter__(self) -> Iterator[Voice]:
        return iter(self._voices.values())

    def __len__(self) -> int:
        return len(self._voices)

    def get(self, voice_id: str) -> Voice:
        """The voice with this id or alias; of a voice of many speakers also `NAME#SPEAKER`. Raises UnknownVoice."""
        if (known := self._ids.get(voice_id)) is not None:
            return self._voices[known]
        name, _, speaker = voice_id.rpartition("#")
        if speaker and (known := self._ids.get(name)) is not None:
            key, many, _ = self._voices[known].engine_voice.partition("#")
            if many:
                spoken = f"{key}#{speaker}"
                return replace(self._voices[known], voice_id=voice_id, name=spoken, engine_voice=spoken, aliases=())
        raise UnknownVoice(voice_id)

    def for_language(self, language: str, engine: str | None = None) -> list[Voice]:
        """The voices that speak `language`, of one engine or of all, in order."""
        return [voice for voice in self if voice.language == language and engine in (None, voice.engine)]

    def default(self, language: str, engines: Iterable[str]) -> Voice | None:
        """The first voice for `language` of the first of `engines` that has one, or None."""
        return next((voice for engine in engines for voice in self.for_language(language, engine)), None)

    def _claim(self, name: str, voice_id: str, origin: str) -> None:
        if name in self._ids:
            raise CatalogueError(f"{origin}: '{name}' of voice '{voice_id}' is already taken by '{self._ids[name]}'")
        self._ids[name] = voice_id


def read_voices(text: str, origin: str) -> list[Voice]:
    """The voices of a catalogue in TOML; its form is described in `config/voices.toml`. Raises CatalogueError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{origin}: not TOML: {error}") from error
    entries = table.pop("voice", [])
    if table:
        raise CatalogueError(f"{origin}: '{next(iter(table))}' is unknown, entries begin with [[voice]]")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CatalogueError(f"{origin}: 'voice' must be a list of entries, each beginning with [[voice]]")
    return [_read_entry(entry, f"{origin}: voice {number}") for number, entry in enumerate(entries, 1)]


def espeak_voices(languages: Iterable[str]) -> list[Voice]:
    """Two voices for each language by rule, with ids that do not change from version to version.

    The male one is first: it is understood better, and both are in the variants that are understood best.
    """
    return [
        Voice(
            voice_id=f"{language}-voice-espeak{number}",
            name=f"{language} {gender}",
            language=language,
            engine="espeak",
            engine_voice=f"{_ESPEAK_NAMES.get(language, language)}+{variant}",
            gender=gender,
        )
        for language in sorted(set(languages))
        for number, gender, variant in ((2, "male", "m7"), (1, "female", "f2"))
    ]


def _joined(named: list[Voice], made: Iterable[Voice], taken: set[str]) -> list[Voice]:
    """`named`, which lend ids and aliases of those of `made` that they are, and the rest of `made`.

    Names that are `taken` or stand for a named voice already are left out.
    """
    voices = list(named)
    taken |= {name for voice in named for name in (voice.voice_id, *voice.aliases)}
    places = {(voice.engine, voice.engine_voice): place for place, voice in enumerate(named)}
    for voice in made:
        names = tuple(name for name in (voice.voice_id, *voice.aliases) if name not in taken)
        spellings = [(voice.engine, name) for name in (voice.engine_voice, *voice.aliases)]
        place = next((places[spelling] for spelling in spellings if spelling in places), None)
        if place is not None:
            voices[place] = replace(voices[place], aliases=(*voices[place].aliases, *names))
        elif voice.voice_id in names:
            voices.append(replace(voice, aliases=names[1:]))
        taken.update(names)
    return voices


def _read_entry(entry: dict[str, Any], where: str) -> Voice:
    where += f" ('{entry['id']}')" if isinstance(entry.get("id"), str) else ""
    for key in entry:
        if key not in _KNOWN:
            raise CatalogueError(f"{where}: '{key}' is unknown")
    for key in _REQUIRED:
        if key not in entry:
            raise CatalogueError(f"{where}: '{key}' is missing")
    for key in (*_REQUIRED, "description"):
        if not isinstance(entry.get(key, ""), str):
            raise CatalogueError(f"{where}: '{key}' must be a text")
    aliases = entry.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise CatalogueError(f"{where}: 'aliases' must be a list of texts")
    fields = {key: value for key, value in entry.items() if key not in {"id", "aliases"}}
    voice = Voice(voice_id=entry["id"], aliases=tuple(aliases), **fields)
    _check(voice, where)
    return voice


def _check(voice: Voice, where: str) -> None:
    if not _ID.fullmatch(voice.voice_id):
        raise CatalogueError(f"{where}: the id must be 16 characters of A-Z a-z 0-9 _ -")
    if not _LANGUAGE.fullmatch(voice.language):
        raise CatalogueError(f"{where}: the language must be a two-letter code, not '{voice.language}'")
    if voice.gender not in GENDERS:
        raise CatalogueError(f"{where}: the gender must be {', '.join(GENDERS)}, not '{voice.gender}'")
    for key in ("name", "engine", "engine_voice"):
        if not getattr(voice, key).strip():
            raise CatalogueError(f"{where}: '{key}' is empty")
