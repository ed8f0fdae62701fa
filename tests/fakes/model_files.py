"""Files in the form of models, for tests of what moves files: nothing can be recognised or spoken with them.

`tests/fakes/argos.py` and its like have models that run.
"""

import json
import random
import struct
from functools import cache

from dragoman.models.files.catalogue import Catalogue, Entry
from tests.fakes.argos import package_files
from tests.fakes.hub import FakeHub
from tests.fakes.speakers import speaker_model


def ct2_file(size: int = 100_000, seed: int = 0) -> bytes:
    """A CTranslate2 model file with one variable of so many random bytes, which no network uses."""

    def text(word: str) -> bytes:
        return struct.pack("<H", len(word) + 1) + word.encode() + b"\0"

    head = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, 1) + text("weight")
    shape = struct.pack("<BI", 1, size) + struct.pack("<BI", 1, size)
    return head + shape + random.Random(seed).randbytes(size) + struct.pack("<I", 0)


def whisper_files(size: int = 100_000, seed: int = 0) -> dict[str, bytes]:
    return {
        "config.json": b'{"lang_ids": [0]}',
        "model.bin": ct2_file(size, seed),
        "tokenizer.json": b'{"model": {}}',
        "vocabulary.txt": b"one\ntwo\n",
    }


def voice_files(key: str, size: int = 60_000) -> dict[str, bytes]:
    return {
        f"{key}.onnx": random.Random(key).randbytes(size),
        f"{key}.onnx.json": json.dumps({"audio": {"sample_rate": 22050}, "num_speakers": 1}).encode(),
        "MODEL_CARD": b"# Model card\n* License: CC0\n",
    }


@cache
def argos_file(name: str) -> bytes:
    """An .argosmodel that runs, for translate-en_de and the like."""
    import io
    import zipfile

    source, _, target = name.removeprefix("translate-").partition("_")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in package_files(source, target).items():
            archive.writestr(f"{source}_{target}/{path}", data)
    return buffer.getvalue()


def files_of(entry: Entry, size: int = 100_000) -> dict[str, bytes]:
    """Small files for any entry of the catalogue."""
    if entry.kind == "argos":
        return {"file": argos_file(entry.name)}
    if entry.kind == "firefox":
        return {
            file.name: random.Random(file.name).randbytes(size if "model." in file.name else 1_000)
            for file in entry.files
        }
    if entry.kind == "speakers":
        return {entry.files[0].name: speaker_model()}
    return whisper_files(size) if entry.kind == "whisper" else voice_files(entry.name)


def serve(hub: FakeHub, *names: str, size: int = 100_000) -> list[Entry]:
    """Serve small files for models of the packaged catalogue; gives their entries there."""
    entries = [Catalogue.load().get(name) for name in names]
    for entry in entries:
        hub.add_model(entry, files_of(entry, size))
    return entries
