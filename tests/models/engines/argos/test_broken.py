"""Argos packages that cannot be used: each is told with its fault, and the others go on working."""

import json
import struct
from pathlib import Path

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.engines.argos.translator import ArgosTranslator
from dragoman.models.errors import EngineFailed, EngineUnavailable
from tests.fakes.argos import model_files, package_files, unpacked

EN_DE = LanguagePair("en", "de")
DE_FR = LanguagePair("de", "fr")


@pytest.mark.parametrize("make", [True, False])
def test_no_package_at_all(tmp_path: Path, make: bool) -> None:
    place = tmp_path / "argos"
    if make:
        place.mkdir()
    with pytest.raises(EngineUnavailable, match=r"no Argos package in .*dragoman install FILE\.argosmodel"):
        ArgosTranslator(place)


def metadata(**values: object) -> bytes:
    return json.dumps({"from_code": "en", "to_code": "de", **values}).encode()


def model(version: int) -> bytes:
    return struct.pack("<I", version) + model_files()["model.bin"][4:]


BROKEN = {
    "no metadata": ("metadata.json", None, "it has no metadata.json"),
    "no JSON": ("metadata.json", b"{", "its metadata.json is not JSON"),
    "no UTF-8": ("metadata.json", b"\xff\xfe{", "its metadata.json is not JSON"),
    "deep JSON": ("metadata.json", b"[" * 100_000, "its metadata.json is not JSON"),
    "no object": ("metadata.json", b"[]", "its metadata.json is not a JSON object"),
    "no languages": ("metadata.json", b"{}", "names no languages"),
    "wrong languages": ("metadata.json", metadata(to_code="../de"), "names no languages"),
    "wrong prefix": ("metadata.json", metadata(target_prefix=[1]), "its target_prefix is not a text"),
    "no translation": ("metadata.json", metadata(type="sbd"), "it is of type 'sbd'"),
    "no tokenizer": ("sentencepiece.model", None, "neither sentencepiece.model nor bpe.model"),
    "no model": ("model/model.bin", None, "it has no model/model.bin"),
    "empty model": ("model/model.bin", b"", "is not a CTranslate2 model"),
    "foreign model": ("model/model.bin", b"PK\x03\x04" * 10, "is not a CTranslate2 model"),
    "newer model": ("model/model.bin", model(7), "binary version 7, and this CTranslate2 reads up to 6"),
    "half a model": ("model/model.bin", model_files()["model.bin"][:9999], "is cut off: it ends at 9,999 bytes"),
    "a model without its last byte": ("model/model.bin", model_files()["model.bin"][:-1], "is cut off"),
    "model of another form": ("model/model.bin", model(1), "is not a CTranslate2 model"),
}
BROKEN_WHEN_LOADED = {
    "broken tokenizer": ("sentencepiece.model", b"junk", "it cannot be loaded"),
    "another network": (
        "model/model.bin",
        model_files()["model.bin"].replace(b"TransformerSpec", b"TransformerSpek", 1),
        "it cannot be loaded",
    ),
    "no vocabulary": ("model/shared_vocabulary.json", None, "it cannot be loaded"),
    "another vocabulary": ("model/shared_vocabulary.json", b'["a"]', "it does not work"),
}


def beside_a_good_one(tmp_path: Path, name: str, data: bytes | None) -> ArgosTranslator:
    files = {**package_files(), name: data}
    unpacked(tmp_path / "bad", {path: content for path, content in files.items() if content is not None})
    unpacked(tmp_path / "good", package_files("de", "fr"))
    return ArgosTranslator(tmp_path)


@pytest.mark.parametrize(("name", "data", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_told_and_the_others_work(tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    translator = beside_a_good_one(tmp_path, name, data)
    (error,) = translator.broken
    assert str(error).startswith("argos package bad is not available: ")
    assert told in str(error)
    assert "\n" not in str(error)
    assert error.remedy
    assert translator.pairs == {DE_FR}
    assert translator.translate(DE_FR, ["ever tried"])[0]
    translator.close()


@pytest.mark.parametrize(("name", "data", "told"), BROKEN_WHEN_LOADED.values(), ids=BROKEN_WHEN_LOADED)
def test_what_only_loading_shows(tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    translator = beside_a_good_one(tmp_path, name, data)
    with pytest.raises(EngineFailed):
        translator.translate(EN_DE, ["ever tried"])
    translator.warm(translator.pairs)
    (error,) = translator.broken
    assert told in str(error)
    assert "\n" not in str(error)
    assert translator.pairs == {DE_FR}
    assert translator.translate(DE_FR, ["ever tried"])[0]
    translator.close()
