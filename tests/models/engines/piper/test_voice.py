"""Reading the files of Piper voices: what is found, and what is said of those that cannot be used."""

import json
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.engines.piper.voice import installed_voices, read_voice, voice_models
from dragoman.models.errors import EngineUnavailable
from tests.fakes.piper_voice import KEY, description, in_language, network, write_voice


def test_what_is_read(tmp_path: Path) -> None:
    model = write_voice(tmp_path, "es_ES-zwei-low", speakers={"M": 0, "F": 1}, **in_language("es_ES", "es"))
    voice = read_voice(model)
    assert (voice.key, voice.model, voice.language, voice.rate_hz) == ("es_ES-zwei-low", model, "es", 16_000)
    assert (voice.quality, voice.phonemizer, voice.length_scale) == ("medium", "espeak", 1.0)
    assert voice.speakers == ("M", "F")
    assert read_voice(write_voice(tmp_path)).country == "United States"


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("", 0),
        ("0", 0),
        ("1", 1),
        ("2", 2),
        ("10", 1),
        ("03", 0),
        ("x", None),
        ("3", None),
        ("-1", None),
        ("²", None),
        ("٠", None),
        pytest.param("9" * 5000, None, id="long"),
    ],
)
def test_a_speaker_by_number_or_name(tmp_path: Path, wanted: str, number: int | None) -> None:
    # As in en_GB-aru-medium, whose speakers are called by numbers.
    voice = read_voice(write_voice(tmp_path, speakers={"03": 0, "10": 1, "p": 2}))
    assert voice.speaker(wanted) == number


def test_speakers_without_names(tmp_path: Path) -> None:
    voice = read_voice(write_voice(tmp_path, speakers=3, speaker_id_map={"b": 1}))
    assert voice.speakers == ("", "b", "")
    assert voice.speaker("") == 0


@pytest.mark.parametrize(
    ("key", "changes", "language"),
    [
        ("en_US-old-medium", {"language": None}, "en"),
        ("mine", {"language": None, "espeak": {"voice": "es-419"}}, "es"),
        ("mine", {"language": None, "espeak": {"voice": "cmn"}}, "zh"),
        ("no_NO-mine-medium", {"language": None, "espeak": {"voice": "nb"}}, "no"),
    ],
)
def test_early_descriptions_name_no_language(tmp_path: Path, key: str, changes: dict[str, Any], language: str) -> None:
    assert read_voice(write_voice(tmp_path, key, **changes)).language == language


def test_voices_in_folders_and_loose_ones(tmp_path: Path) -> None:
    write_voice(tmp_path, "en_US-b-high", audio={"sample_rate": 22_050, "quality": "high"})
    write_voice(tmp_path, "en_US-c-low", audio={"sample_rate": 16_000, "quality": "low"})
    loose = write_voice(tmp_path / "elsewhere", "en_US-a-medium")
    write_voice(tmp_path, "en_US-z-medium")
    for file in loose.parent.iterdir():
        shutil.copy(file, tmp_path)
    shutil.rmtree(tmp_path / "elsewhere")
    (tmp_path / ".en_US-new-medium.partial").mkdir()
    (tmp_path / ".en_US-new-medium.lock").touch()
    (tmp_path / "notes.txt").touch()
    voices, faults = installed_voices(tmp_path)
    assert [voice.key for voice in voices] == ["en_US-a-medium", "en_US-z-medium", "en_US-b-high", "en_US-c-low"]
    assert faults == []


def test_the_same_voice_twice_counts_once(tmp_path: Path) -> None:
    model = write_voice(tmp_path)
    for file in model.parent.iterdir():
        shutil.copy(file, tmp_path)
    voices, faults = installed_voices(tmp_path)
    assert [voice.model for voice in voices] == [model]
    assert faults == []


def test_names_are_compared_as_people_read_them(tmp_path: Path) -> None:
    key = "pt_PT-tugão-medium"
    model = write_voice(tmp_path, unicodedata.normalize("NFD", key))
    model.parent.rename(tmp_path / unicodedata.normalize("NFC", key))
    (voice,), faults = installed_voices(tmp_path)
    assert voice.key == unicodedata.normalize("NFC", key)
    assert voice.model.is_file()
    assert faults == []


def test_no_folder(tmp_path: Path) -> None:
    assert voice_models(tmp_path / "none") == []
    assert installed_voices(tmp_path) == ([], [])


BAD_FILES: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no description": ({".json": None}, f"it has no {KEY}.onnx.json"),
    "no network": ({"": None}, f"it has no {KEY}.onnx"),
    "half a network": ({"": network()[:1000]}, f"its {KEY}.onnx is not whole"),
    "a web page": ({"": b"<html>404</html>"}, f"its {KEY}.onnx is not an ONNX model"),
    "no JSON": ({".json": b"{"}, f"its {KEY}.onnx.json is not JSON"),
    "no UTF-8": ({".json": b"\xff\xfe{"}, "is not JSON"),
    "deep JSON": ({".json": b"[" * 100_000}, "is not JSON"),
    "a list": ({".json": b"[]"}, "does not describe a Piper voice"),
    "another model's": ({".json": b'{"architectures": ["Bert"]}'}, "does not describe a Piper voice"),
}
BAD_WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "no rate": ({"audio": {}}, "its sample_rate is None"),
    "wild rate": ({"audio": {"sample_rate": 10}}, "its sample_rate is 10"),
    "no count": ({"num_speakers": None}, "its num_speakers is None"),
    "no speakers": ({"num_speakers": 0}, "its num_speakers is 0"),
    "a text": ({"num_speakers": "2"}, "its num_speakers is '2'"),
    "too many names": ({"speaker_id_map": {"a": 0, "b": 1}}, "speaker_id_map does not fit num_speakers, which is 1"),
    "no symbols": ({"phoneme_id_map": None}, "it has no phoneme_id_map"),
    "no marks": ({"phoneme_id_map": {"a": [1]}}, "it has no phoneme_id_map"),
    "few symbols": ({"num_symbols": 20}, "its phoneme_id_map does not fit num_symbols, which is 20"),
    "odd symbols": ({"phoneme_id_map": {"_": [0], "^": [1], "$": 2}}, "does not fit num_symbols"),
    "odd scale": ({"inference": {"length_scale": 0}}, "its inference settings are"),
    "no scales": ({"inference": 1}, "its inference settings are 1"),
    "no espeak": ({"espeak": {}}, "it names no voice of espeak"),
    "long language": ({"language": {"family": "yue"}}, "its language 'yue' has no two-letter code"),
}


def broken_voice(folder: Path) -> EngineUnavailable:
    voices, (fault,) = installed_voices(folder)
    assert voices == []
    assert fault.engine == f"piper voice {KEY}"
    assert "\n" not in str(fault)
    return fault


@pytest.mark.parametrize(("files", "told"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(tmp_path: Path, files: dict[str, bytes | None], told: str) -> None:
    model = write_voice(tmp_path)
    for suffix, data in files.items():
        path = model.with_name(model.name + suffix)
        path.unlink() if data is None else path.write_bytes(data)
    fault = broken_voice(tmp_path)
    assert told in fault.reason
    assert fault.remedy == f"Pull it again: dragoman models pull {KEY}"


@pytest.mark.parametrize(("changes", "told"), BAD_WORDS.values(), ids=BAD_WORDS)
def test_bad_descriptions(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    write_voice(tmp_path, **changes)
    fault = broken_voice(tmp_path)
    assert told in fault.reason
    assert "dragoman models pull" in fault.remedy


@pytest.mark.parametrize("kind", ["pinyin", "japanese", "thai", "klingon"])
def test_phonemes_that_cannot_be_made_here(tmp_path: Path, kind: str) -> None:
    write_voice(tmp_path, phoneme_type=kind)
    fault = broken_voice(tmp_path)
    assert (
        fault.reason == f"its phonemes are of the type {kind!r}, and here only these can be made: espeak, hebrew, text"
    )
    assert fault.remedy == "Take another voice: dragoman models list"


def test_a_loose_description_and_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "lonely.onnx.json").write_text(json.dumps(description()), encoding="utf-8")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "beach.png").touch()
    _, faults = installed_voices(tmp_path)
    assert [str(fault) for fault in faults] == [
        "piper voice photos is not available: it has no photos.onnx. Put a whole voice in its place",
        "piper voice lonely is not available: it has no lonely.onnx. Put a whole voice in its place",
    ]


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    model = write_voice(tmp_path)
    described = model.with_name(f"{model.name}.json")
    described.unlink()
    described.mkdir()
    assert f"its {described.name} cannot be read (" in broken_voice(tmp_path).reason


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(sorted(description())), VALUES)
def test_any_description_is_judged(tmp_path_factory: pytest.TempPathFactory, name: str, value: Any) -> None:
    folder = tmp_path_factory.mktemp("any")
    model = write_voice(folder, json_file=json.dumps({**description(), name: value}).encode())
    try:
        read_voice(model)
    except EngineUnavailable as fault:
        assert "\n" not in str(fault)
    shutil.rmtree(folder)
