"""Folders that are models, and folders that are not: what is said of them, and which one is taken."""

import json
import shutil
import struct
from pathlib import Path

import pytest

from dragoman.models.engines.whisper.files import find_model, installed_models, read_model
from dragoman.models.errors import EngineUnavailable
from tests.fakes.argos import model_files
from tests.models.engines.whisper.whispers import model


def link(folder: Path, name: str, called: str = "") -> Path:
    """A model in `folder`, as links to its files."""
    place = folder / (called or name)
    place.mkdir(parents=True)
    for path in model(name).iterdir():
        (place / path.name).symlink_to(path)
    return place


def put(path: Path, data: bytes | None) -> None:
    """Another content for a file, or none."""
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)


def test_what_a_folder_holds() -> None:
    found = read_model(model("random"))
    assert (found.name, found.mels, found.english_only, found.aligns) == ("random", 80, False, True)
    assert len(found.languages) == 99
    assert (found.languages["jv"], found.languages["de"], "yue" in found.languages) == ("jw", "de", False)
    assert found.translates
    large = read_model(model("random128"))
    assert (large.mels, len(large.languages), large.languages["yue"]) == (128, 100, "yue")


@pytest.mark.parametrize(
    ("name", "english_only", "languages"), [("random.en", True, 1), ("turbo", False, 100), ("distil", False, 1)]
)
def test_models_that_do_not_translate(name: str, english_only: bool, languages: int) -> None:
    found = read_model(model(name))
    assert not found.translates
    assert (found.english_only, len(found.languages)) == (english_only, languages)


def test_the_form_of_older_conversions(tmp_path: Path) -> None:
    """`vocabulary.txt` has a token on each line, an empty one among them, and there is no preprocessor_config.json."""
    place = link(tmp_path, "random128")
    tokens = json.loads((place / "vocabulary.json").read_text())
    put(place / "vocabulary.json", None)
    put(place / "preprocessor_config.json", None)
    put(place / "vocabulary.txt", ("\n".join(tokens) + "\n").encode())
    assert read_model(place).languages == read_model(model("random128")).languages


def test_config_may_list_fewer_languages(tmp_path: Path) -> None:
    """As the makers of a model that was distilled for one language, not English, can say so."""
    place = link(tmp_path, "distil")
    config = json.loads((place / "config.json").read_text())
    put(place / "config.json", json.dumps({**config, "lang_ids": config["lang_ids"][2:3]}).encode())
    assert read_model(place).languages == {"de": "de"}


def test_some_conversions_list_every_control_token_as_a_language(tmp_path: Path) -> None:
    place = link(tmp_path, "random")
    config = json.loads((place / "config.json").read_text())
    put(place / "config.json", json.dumps({**config, "lang_ids": list(range(50_257, 51_000))}).encode())
    assert read_model(place).languages == read_model(model("random")).languages


def test_a_model_without_alignment_heads(tmp_path: Path) -> None:
    place = link(tmp_path, "random.en")
    put(place / "config.json", b"{}")
    assert not read_model(place).aligns


def config(**values: object) -> bytes:
    return json.dumps(values).encode()


BROKEN = {
    "no model": ("model.bin", None, "it has no model.bin"),
    "no config": ("config.json", None, "it has no config.json"),
    "no vocabulary": ("vocabulary.json", None, "it has no vocabulary.json"),
    "no tokenizer": ("tokenizer.json", None, "it has no tokenizer.json"),
    "empty model": ("model.bin", b"", "it has a model.bin that is not a CTranslate2 model"),
    "a pointer": ("model.bin", b"version https://git-lfs.github.com/spec/v1", "is not a CTranslate2 model"),
    "a translator": ("model.bin", model_files()["model.bin"], "it is no Whisper but a TransformerSpec"),
    "newer form": ("model.bin", struct.pack("<I", 7) + bytes(99), "binary version 7, and this CTranslate2 reads up to"),
    "half a config": ("config.json", b'{"lang_ids": [', "it has a config.json that is not JSON"),
    "deep config": ("config.json", b"[" * 100_000, "it has a config.json that is not JSON"),
    "list for config": ("config.json", b"[]", "it has a config.json that is not a JSON object"),
    "no languages": ("config.json", b"{}", "it has a config.json without lang_ids"),
    "other languages": ("config.json", config(lang_ids=[99_999_999]), "a config.json for another vocabulary"),
    "no languages there": ("config.json", config(lang_ids=[1, 2]), "a config.json for another vocabulary"),
    "no words": ("vocabulary.json", b"{}", "it has a vocabulary.json that is not a list of tokens"),
    "no text": ("vocabulary.json", b"\xff\xff", "it has a vocabulary.json that is not text"),
    "few words": ("vocabulary.json", b'["a", "b"]', "it has a vocabulary of 2 tokens for weights of 51865"),
    "no controls": ("vocabulary.json", json.dumps(["a"] * 51_865).encode(), "a vocabulary without <|endoftext|>"),
}


@pytest.mark.parametrize(("name", "data", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_folder_is_told_and_another_is_taken(tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    put(link(tmp_path, "random", "bad") / name, data)
    link(tmp_path, "random.en")
    models, (error,) = installed_models(tmp_path)
    assert [found.name for found in models] == ["random.en"]
    assert str(error).startswith("whisper model bad is not available: it ")
    assert told in str(error)
    assert "\n" not in str(error)
    assert error.remedy
    assert find_model(tmp_path, "").name == "random.en"
    with pytest.raises(EngineUnavailable, match="whisper model bad is not available"):
        find_model(tmp_path, "bad")


def test_a_model_that_was_only_begun(tmp_path: Path) -> None:
    place = link(tmp_path, "random")
    put(place / "model.bin", (model("random") / "model.bin").read_bytes()[:1_000_000])
    with pytest.raises(
        EngineUnavailable, match=r"a model\.bin that is cut off.*Run `dragoman models pull random` again"
    ):
        find_model(tmp_path, "")


def test_a_model_for_another_library(tmp_path: Path) -> None:
    place = link(tmp_path, "random")
    (place / "model.bin").rename(place / "model.safetensors")
    with pytest.raises(EngineUnavailable, match=r"for Transformers, not for CTranslate2\. Convert it with"):
        find_model(tmp_path, "")


@pytest.mark.parametrize("make", [True, False])
def test_no_model_at_all(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "whisper"
    if make:
        folder.mkdir()
        (folder / "a file").touch()
    with pytest.raises(EngineUnavailable, match=r"there is no model in .*whisper\. Run `dragoman models pull NAME`"):
        find_model(folder, "")
    with pytest.raises(EngineUnavailable, match=r"there is no model 'small' in .*Run `dragoman models pull small`"):
        find_model(folder, "small")
    assert installed_models(folder) == ([], [])


def test_the_largest_of_many_languages_is_taken(tmp_path: Path) -> None:
    for name in ("random", "distil", "random.en"):
        link(tmp_path, name)
    assert find_model(tmp_path, "").name == "random"
    link(tmp_path, "random128")
    link(tmp_path, "turbo", ".turbo.partial")
    assert find_model(tmp_path, "").name == "random128"
    link(tmp_path, "random128", "z")
    assert find_model(tmp_path, "").name == "z"
    link(tmp_path, "turbo")
    assert find_model(tmp_path, "").name == "turbo"


def test_a_model_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "whisper"
    link(folder, "random")
    link(folder, "turbo")
    other = link(tmp_path, "random.en", "elsewhere")
    assert find_model(folder, "random").name == "random"
    assert find_model(folder, "large-v3-turbo").name == "turbo"  # an alias of the catalogue
    assert find_model(folder, str(other)).folder == other
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_model(folder, "~/elsewhere").folder == other
    monkeypatch.chdir(tmp_path)
    assert find_model(folder, "./elsewhere/").name == "elsewhere"


def test_a_name_that_is_not_there(tmp_path: Path) -> None:
    link(tmp_path, "random")
    link(tmp_path, "turbo")
    for wanted, hint in (("turb", "(there is turbo)"), ("qqq", "(there is random, turbo)")):
        with pytest.raises(EngineUnavailable) as caught:
            find_model(tmp_path, wanted)
        assert hint in str(caught.value)
    with pytest.raises(EngineUnavailable, match="no folder /nowhere/at/all"):
        find_model(tmp_path, "/nowhere/at/all")


def test_a_model_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = link(tmp_path, "random")

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dragoman.models.engines.whisper.files.read_model_bin", refuse)
    with pytest.raises(EngineUnavailable, match=r"it cannot be read \(Permission denied\)\. Check the permissions"):
        read_model(place)
    shutil.rmtree(place)
