"""The catalogue of voices."""

import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice
from dragoman.models.voices import CatalogueError, VoiceCatalogue, espeak_voices, read_voices

ENTRY = {
    "id": "en-tests-engine1",
    "name": "Test",
    "language": "en",
    "engine": "engine",
    "engine_voice": "one",
    "gender": "neutral",
}


def toml(**changes: object) -> str:
    """One entry with some keys changed, or left out where the value is None."""
    entry = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    return "[[voice]]\n" + "\n".join(f"{key} = {value!r}" for key, value in entry.items()) + "\n"


def voice(
    voice_id: str = "xx-tests-engine1", language: str = "xx", engine: str = "engine", aliases: tuple[str, ...] = ()
) -> Voice:
    return Voice(voice_id, "Test", language, engine, "one", "female", aliases=aliases)


def test_the_packaged_catalogue_offers_both_genders_in_each_main_language() -> None:
    catalogue = VoiceCatalogue.load()
    for language in ("en", "es", "fr", "pt", "de"):
        genders = [voice.gender for voice in catalogue.for_language(language, "espeak")]
        assert genders[:2] == ["male", "female"]
        default = catalogue.default(language, ["espeak"])
        assert default is not None
        assert default.engine_voice.endswith("+m7")  # of espeak's it is understood best
    variants = {voice.engine_voice.partition("+")[0] for voice in catalogue}
    assert variants >= {"en", "en-us", "es", "es-419", "fr", "pt", "pt-br", "de"}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", voice.voice_id) for voice in catalogue)
    assert len({voice.name for voice in catalogue}) == len(catalogue)


def test_the_packaged_file_explains_every_key() -> None:
    text = resources.files("dragoman.config").joinpath("voices.toml").read_text(encoding="utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    for key in (*ENTRY, "description", "aliases"):
        assert f"#   {key} " in comments


def test_voices_are_found_by_id_and_alias() -> None:
    catalogue = VoiceCatalogue([voice(aliases=("own",))], {"theirs": "xx-tests-engine1"})
    assert len(catalogue) == 1
    found = catalogue.get("xx-tests-engine1")
    assert found.aliases == ("own", "theirs")
    assert catalogue.get("own") == catalogue.get("theirs") == found == next(iter(catalogue))
    with pytest.raises(UnknownVoice, match="unknown voice 'nobody'"):
        catalogue.get("nobody")


def test_voices_of_a_language_and_their_default() -> None:
    first, second, third = (
        voice("xx-tests-engine1"),
        voice("xx-tests-engine2", engine="other"),
        voice("yy-tests-engine1", language="yy"),
    )
    catalogue = VoiceCatalogue([first, second, third])
    assert catalogue.for_language("xx") == [first, second]
    assert catalogue.for_language("xx", "other") == [second]
    assert catalogue.for_language("zz") == []
    assert catalogue.default("xx", ["engine", "other"]) == first
    assert catalogue.default("xx", ["other", "engine"]) == second
    assert catalogue.default("yy", ["other"]) is None
    assert catalogue.default("xx", []) is None


def test_the_operators_file_is_added(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(toml(description="Ours", aliases=["other"]), encoding="utf-8")
    catalogue = VoiceCatalogue.load(file=file, aliases={"old": "en-tests-engine1", "es": "es-lucia-espeak1"})
    assert catalogue.get("old") == catalogue.get("other") == catalogue.get("en-tests-engine1")
    assert catalogue.get("old").description == "Ours"
    assert catalogue.get("es").voice_id == "es-lucia-espeak1"
    assert catalogue.is_custom(catalogue.get("old"))
    assert not catalogue.is_custom(catalogue.get("es"))
    assert len(catalogue) == len(VoiceCatalogue.load()) + 1


def test_made_voices_fill_gaps_only() -> None:
    catalogue = VoiceCatalogue.load(more=espeak_voices(["es", "sv"]))
    packaged = VoiceCatalogue.load()
    assert catalogue.for_language("es") == packaged.for_language("es")
    assert [voice.voice_id for voice in catalogue.for_language("sv")] == ["sv-voice-espeak2", "sv-voice-espeak1"]


def test_voices_made_for_espeak() -> None:
    voices = espeak_voices(["zh", "en", "sv", "sv"])
    assert [one.engine_voice for one in voices] == ["en-us+m7", "en-us+f2", "sv+m7", "sv+f2", "cmn+m7", "cmn+f2"]
    assert [one.gender for one in voices] == ["male", "female"] * 3
    assert espeak_voices(["sv"]) == voices[2:4]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (toml(id="short"), "voice 1 ('short'): the id must be 16 characters of A-Z a-z 0-9 _ -"),
        (toml(id="en tests engine1"), "voice 1 ('en tests engine1'): the id must be"),
        (toml(id=7), "voice 1: 'id' must be a text"),
        (toml(id=None), "voice 1: 'id' is missing"),
        (toml(gender=None), "voice 1 ('en-tests-engine1'): 'gender' is missing"),
        (toml(gender="loud"), "the gender must be female, male, neutral, not 'loud'"),
        (toml(language="eng"), "the language must be a two-letter code, not 'eng'"),
        (toml(name=" "), "'name' is empty"),
        (toml(description=7), "'description' must be a text"),
        (toml(aliases="one"), "'aliases' must be a list of texts"),
        (toml(aliases=[1]), "'aliases' must be a list of texts"),
        (toml(voice="one"), "'voice' is unknown"),
        (toml() + toml(id="bad"), "voice 2 ('bad')"),
        ("voice = 7", "'voice' must be a list of entries"),
        ("voice = [1]", "'voice' must be a list of entries"),
        ("[[voices]]\n", "'voices' is unknown, entries begin with [[voice]]"),
        ("[[voice]\n", "not TOML"),
        (toml(id=None) + 'id = "a\\nb"', "voice 1 ('a b'): the id must be"),
    ],
)
def test_wrong_catalogues_are_explained_in_a_line(text: str, reason: str) -> None:
    with pytest.raises(CatalogueError, match=re.escape(reason)) as caught:
        read_voices(text, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("voices", "aliases", "reason"),
    [
        ([voice(), voice()], {}, "'xx-tests-engine1' of voice 'xx-tests-engine1' is already taken"),
        ([voice(aliases=("a",)), voice("xx-tests-engine2", aliases=("a",))], {}, "'a' of voice 'xx-tests-engine2'"),
        ([voice(aliases=("xx-tests-engine1",))], {}, "is already taken by 'xx-tests-engine1'"),
        ([voice()], {"a": "nobody"}, "voices.aliases: 'a' stands for 'nobody', which is no voice"),
        ([voice(aliases=("a",))], {"a": "xx-tests-engine1"}, "voices.aliases: 'a' of voice"),
        ([voice("xx")], {}, "voices: voice 'xx': the id must be 16 characters"),
    ],
)
def test_names_that_collide_or_lead_nowhere(voices: list[Voice], aliases: dict[str, str], reason: str) -> None:
    with pytest.raises(CatalogueError, match=re.escape(reason)):
        VoiceCatalogue(voices, aliases)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read"):
        VoiceCatalogue.load(file=tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff")
    with pytest.raises(CatalogueError, match=r"broken\.toml: cannot be read"):
        VoiceCatalogue.load(file=broken)


def test_a_voice_of_the_operator_cannot_take_a_packaged_id(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(toml(id="es-lucia-espeak1"), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"mine\.toml: 'es-lucia-espeak1' of voice"):
        VoiceCatalogue.load(file=file)


GOOD = toml(aliases=["x"])


@given(st.integers(0, len(GOOD)), st.integers(0, 3), st.text(max_size=5))
def test_no_damage_raises_anything_else(position: int, lost: int, added: str) -> None:
    try:
        read_voices(GOOD[:position] + added + GOOD[position + lost :], "mine.toml")
    except CatalogueError as error:
        assert "\n" not in str(error)
