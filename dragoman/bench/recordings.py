"""What is known of a recording: its sound, where in it somebody speaks, what is said, and what that means elsewhere.

Words and translations come from a file `recordings.json` beside the recording, where there is one: a list of objects
with `audio` (the file's name), `language`, `transcript`, and `references`, an object of texts by language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import msgspec

from dragoman.bench.acoustic import speech_span
from dragoman.bench.talk import Talk, read_recording

MANIFEST = "recordings.json"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording. `speech_s` is where its first sound of speech begins and its last one ends, in seconds."""

    talk: Talk
    speech_s: tuple[float, float]
    language: str = ""
    transcript: str = ""
    references: Mapping[str, str] = field(default_factory=dict)

    def wanted(self, target: str) -> str:
        """What it should become in `target`, which may be its own language; "" if that is not known."""
        return self.references.get(target, self.transcript if target == self.language else "")


class _Entry(msgspec.Struct):
    audio: str
    language: str = ""
    transcript: str = ""
    references: dict[str, str] = {}


def read_all(paths: Sequence[Path]) -> list[Recording]:
    """Read recordings of any format that FFmpeg reads.

    Raises ValueError for one that cannot be read, and for a `recordings.json` that is wrong.
    """
    entries = {folder: _entries(folder / MANIFEST) for folder in {path.parent for path in paths}}
    return [_read(path, entries[path.parent].get(path.name, _Entry(path.name))) for path in paths]


def _read(path: Path, entry: _Entry) -> Recording:
    try:
        talk = Talk(path.name, read_recording(path))
    except (OSError, ValueError, IndexError, av.FFmpegError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    return Recording(talk, speech_span(talk), entry.language, entry.transcript, entry.references)


def _entries(path: Path) -> dict[str, _Entry]:
    try:
        return {entry.audio: entry for entry in msgspec.json.decode(path.read_bytes(), type=list[_Entry])}
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
