"""The voices of installed Piper voices, and how they join the catalogue."""

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from dragoman.models.engines.piper.listing import LISTED_SPEAKERS, piper_voices, voice_id_of
from dragoman.models.errors import UnknownVoice
from dragoman.models.voices import CatalogueError, VoiceCatalogue, espeak_voices
from tests.fakes.piper_voice import in_language, write_voice

ID = re.compile(r"[A-Za-z0-9_-]{16}")
SPANISH = in_language("es_ES", "es")


@pytest.mark.parametrize(
    ("engine_voice", "voice_id"),
    [
        ("es_ES-davefx-medium", "es-davefx-q4be3t"),
        ("en_GB-vctk-medium#0", "en-vctk-y2rjjqr5"),
        ("en_GB-vctk-medium#1", "en-vctk-grtvqmim"),
        ("pt_PT-tugão-medium", "pt-tugao-n5u3zbr"),
        ("mine", "mine-h7jqkqx6h5q"),
        ("голос", "piper-ivuegmdylz"),
    ],
)
def test_ids_stay_the_same(engine_voice: str, voice_id: str) -> None:
    assert voice_id_of(engine_voice) == voice_id


def test_ids_of_every_known_voice_and_speaker_differ() -> None:
    text = resources.files("dragoman.config").joinpath("models.toml").read_text(encoding="utf-8")
    known = tomllib.loads(text)["piper"]
    names = [f"{voice['name']}#{number}" for voice in known for number in range(voice["speakers"])]
    assert len(names) > 1000
    ids = {voice_id_of(name) for name in names}
    assert len(ids) == len(names)
    assert all(ID.fullmatch(voice_id) for voice_id in ids)


@pytest.mark.parametrize("name", ["-", "#", "a-", "--", "🙂", "x" * 200, "a b-c d-e", "es_ES-ñ-low"])
def test_ids_of_any_name(name: str) -> None:
    assert ID.fullmatch(voice_id_of(name))


def test_a_voice_of_one_speaker(tmp_path: Path) -> None:
    write_voice(tmp_path, "es_MX-ada-medium", **in_language("es_MX", "es-419"))
    (voice,) = piper_voices(tmp_path)
    assert (voice.name, voice.language, voice.engine, voice.gender) == ("ada", "es", "piper", "neutral")
    assert (voice.engine_voice, voice.aliases) == ("es_MX-ada-medium", ("es_MX-ada-medium",))
    assert voice.description == "Piper, medium"


def test_speakers_are_voices(tmp_path: Path) -> None:
    write_voice(tmp_path, "en_US-duo-medium", speakers={"F": 0, "m": 1, "1": 2})
    first, second, third = piper_voices(tmp_path)
    assert (first.name, first.gender, first.engine_voice) == ("duo F", "female", "en_US-duo-medium#0")
    assert first.aliases == ("en_US-duo-medium#0", "en_US-duo-medium#F", "en_US-duo-medium")
    assert (second.gender, second.aliases) == ("male", ("en_US-duo-medium#1", "en_US-duo-medium#m"))
    # The name "1" means the speaker with that number.
    assert third.aliases == ("en_US-duo-medium#2",)
    assert first.description == "Piper, medium, United States"
    VoiceCatalogue(piper_voices(tmp_path))


def test_of_many_speakers_some_are_listed_and_all_are_known(tmp_path: Path) -> None:
    write_voice(tmp_path, "en_US-crowd-medium", speakers=LISTED_SPEAKERS + 5)
    catalogue = VoiceCatalogue.load(installed=piper_voices(tmp_path))
    listed = [voice for voice in catalogue if voice.engine_voice.startswith("en_US-crowd")]
    assert len(listed) == LISTED_SPEAKERS
    last = catalogue.get(f"en_US-crowd-medium#{LISTED_SPEAKERS + 4}")
    assert last.engine_voice == last.voice_id == f"en_US-crowd-medium#{LISTED_SPEAKERS + 4}"
    assert (last.language, last.engine) == ("en", "piper")
    assert catalogue.get("en_US-crowd-medium#p20").engine_voice == "en_US-crowd-medium#p20"
    assert catalogue.get(f"{listed[3].voice_id}#4").engine_voice == "en_US-crowd-medium#4"
    assert catalogue.get("en_US-crowd-medium#3") == listed[3]
    for name in ("en_US-crowd-medium#", "nobody#1", "#1", "es-lucia-espeak1#1"):
        with pytest.raises(UnknownVoice):
            catalogue.get(name)


def test_broken_voices_are_not_listed(tmp_path: Path) -> None:
    write_voice(tmp_path, json_file=b"{")
    assert piper_voices(tmp_path) == []
    assert piper_voices(tmp_path / "none") == []


def test_a_named_voice_takes_the_names_of_the_installed_one(tmp_path: Path) -> None:
    write_voice(tmp_path, "es_ES-sharvard-medium", speakers={"M": 0, "F": 1}, **SPANISH)
    write_voice(tmp_path, "es_ES-other-medium", **SPANISH)
    installed = piper_voices(tmp_path)
    catalogue = VoiceCatalogue.load(installed=installed, more=espeak_voices(["es", "it"]))
    woman = catalogue.get("es-sharvf-piper1")
    assert woman.gender == "female"
    assert {catalogue.get(name).voice_id for name in (*woman.aliases, "es_ES-sharvard-medium#1")} == {woman.voice_id}
    assert catalogue.get(voice_id_of("es_ES-sharvard-medium#1")) == woman
    assert catalogue.get("es_ES-sharvard-medium").voice_id == "es-sharvm-piper1"
    # Another voice of the language is added, and espeak's own names are left alone.
    assert catalogue.get("es_ES-other-medium").voice_id == voice_id_of("es_ES-other-medium")
    assert [voice.voice_id for voice in catalogue.for_language("it", "espeak")] == [
        "it-voice-espeak2",
        "it-voice-espeak1",
    ]
    assert [voice.engine_voice for voice in catalogue if voice.engine == "piper"].count("es_ES-other-medium") == 1


def test_the_operators_names_come_first(tmp_path: Path) -> None:
    write_voice(tmp_path, "es_ES-own-medium", **SPANISH)
    (made,) = piper_voices(tmp_path)
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[[voice]]\nid = "es-ours-00000001"\nname = "Ours"\nlanguage = "es"\nengine = "piper"\n'
        'engine_voice = "es_ES-own-medium"\ngender = "female"\n',
        encoding="utf-8",
    )
    # An alias of the operator's that is also the voice's own name stays what the operator says.
    aliases = {"es_ES-own-medium": "es-lucia-espeak1"}
    catalogue = VoiceCatalogue.load(file=mine, aliases=aliases, installed=[made])
    ours = catalogue.get(made.voice_id)
    assert (ours.voice_id, ours.name, catalogue.is_custom(ours)) == ("es-ours-00000001", "Ours", True)
    assert catalogue.get("es_ES-own-medium").voice_id == "es-lucia-espeak1"
    mine.write_text(mine.read_text(encoding="utf-8").replace("es-ours-00000001", made.voice_id), encoding="utf-8")
    assert VoiceCatalogue.load(file=mine, installed=[made]).get(made.voice_id).name == "Ours"
    with pytest.raises(CatalogueError, match="stands for 'nobody'"):
        VoiceCatalogue.load(aliases={"x": "nobody"}, installed=[made])


def test_every_named_voice_can_be_pulled_and_its_speaker_is_one() -> None:
    text = resources.files("dragoman.config").joinpath("models.toml").read_text(encoding="utf-8")
    known = {voice["name"]: voice for voice in tomllib.loads(text)["piper"]}
    named = [voice for voice in VoiceCatalogue.load() if voice.engine == "piper"]
    assert {voice.language for voice in named} == {"en", "es", "fr", "pt", "de"}
    for voice in named:
        key, many, _ = voice.engine_voice.partition("#")
        assert voice.language in known[key]["languages"]
        assert bool(many) == (known[key]["speakers"] > 1)
        assert voice.aliases == (voice.engine_voice,)
    # Of a set of languages `dragoman models pull --for` takes the first, and so is the default.
    for language in ("en", "es", "fr", "pt", "de"):
        first = next(name for name, voice in known.items() if language in voice["languages"])
        assert next(voice for voice in named if voice.language == language).engine_voice == first
