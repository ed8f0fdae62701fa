"""The voices that clients can ask for because a Piper voice is installed, made by rule from its files."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from dragoman.models.base import Voice
from dragoman.models.engines.piper.voice import NAME, PiperVoiceFile, installed_voices

LISTED_SPEAKERS = 16
"""How many speakers of one voice are listed; some have hundreds. `VoiceCatalogue.get` finds each by `KEY#SPEAKER`."""

_GENDERS = {"f": "female", "female": "female", "m": "male", "male": "male"}


def piper_voices(folder: Path) -> list[Voice]:
    """The Piper voices installed in `folder`, LISTED_SPEAKERS of each at most, with ids made from their names.

    An id stays the same from version to version and on every machine.
    """
    files, _ = installed_voices(folder)
    return [voice for file in files for voice in _of_file(file)]


def _of_file(file: PiperVoiceFile) -> Iterator[Voice]:
    many = len(file.speakers) > 1
    for number, speaker in enumerate(file.speakers[:LISTED_SPEAKERS]):
        engine_voice = f"{file.key}#{number}" if many else file.key
        # All ways to write this speaker, but for a name that means another one's number.
        names = [engine_voice, f"{file.key}#{speaker}" if many and file.speaker(speaker) == number else "", file.key]
        called = file.key.split("-")[1] if "-" in file.key else file.key
        yield Voice(
            voice_id=voice_id_of(engine_voice),
            name=f"{called} {speaker or number}" if many else called,
            language=file.language,
            engine=NAME,
            engine_voice=engine_voice,
            gender=_GENDERS.get(speaker.lower(), "neutral"),
            description=", ".join(filter(None, [f"Piper, {file.quality}", file.country])),
            aliases=tuple(dict.fromkeys(name for name in (names if number == 0 else names[:2]) if name)),
        )


def voice_id_of(engine_voice: str) -> str:
    """16 characters: as much of the name as people can use, and a part of its SHA-256 that tells it from others."""
    language, _, rest = engine_voice.partition("-")
    plain = unicodedata.normalize("NFKD", rest.partition("-")[0] or language).encode("ascii", "ignore").decode()
    shown = "-".join(filter(None, [language[:2] if rest else "", re.sub(r"[^A-Za-z0-9]", "", plain)[:6]]))
    shown = re.sub(r"[^A-Za-z0-9-]", "", shown)
    digest = base64.b32encode(hashlib.sha256(engine_voice.encode()).digest()).decode().lower()
    return f"{shown or 'piper'}-{digest}"[:16]
