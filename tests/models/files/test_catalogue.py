"""The packaged catalogue of models, entry by entry, and what is asked of a catalogue."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from faster_whisper.utils import _MODELS

from dragoman.models.files.catalogue import KINDS, RECOGNIZER, Catalogue, Entry, is_name, nearest, read_entries
from dragoman.models.files.errors import CatalogueFault, UnknownModel
from dragoman.models.voices import VoiceCatalogue

CODES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv "
    "ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne "
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st "
    "su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
ISO_639_1 = set(CODES.split())
ENTRIES = list(Catalogue.load())
VARIANTS = {"pb": "pt", "zt": "zh", "nb": "no"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def of(kind: str) -> list[Entry]:
    return [entry for entry in ENTRIES if entry.kind == kind]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_has_the_form_of_its_kind(entry: Entry) -> None:
    assert is_name(entry.kind, entry.name)
    assert set(entry.languages) <= ISO_639_1
    assert entry.licence.strip()
    assert 1_000_000 < entry.size < 5_000_000_000
    assert entry.size_is_exact or entry.size_mb
    for file in entry.files:
        assert file.size is None or file.size > 0
        assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)
        assert re.fullmatch(r"([0-9a-f]{32})?", file.md5)
    if entry.kind == "argos":
        (file,) = entry.files
        parts = urlsplit(file.path)
        assert (parts.scheme, parts.netloc, parts.query) == ("https", "argos-net.com", "")
        assert parts.path == f"/v1/{entry.name}-{entry.version.replace('.', '_')}.argosmodel"
    elif entry.kind == "firefox":
        assert entry.name == "firefox-{}_{}".format(*entry.languages)
        assert "en" in entry.languages
        assert all(file.sha256 and file.size for file in entry.files)
        kinds = sorted(file.name.partition(".")[0] for file in entry.files)
        assert kinds in (["lex", "model", "vocab"], ["lex", "model", "srcvocab", "trgvocab"])
        assert all(f".{''.join(entry.languages)}." in file.name for file in entry.files)
        assert all(
            re.fullmatch(r"main-workspace/translations-models/[0-9a-f-]{36}\.(bin|spm)", file.path)
            for file in entry.files
        )
    else:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.repo)
        assert re.fullmatch(r"[0-9a-f]{40}", entry.revision)


def test_names_and_aliases_are_unique() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)
    assert {entry.kind for entry in ENTRIES} == set(KINDS)


@pytest.mark.parametrize("entry", of("argos"), ids=lambda entry: entry.name)
def test_a_package_is_called_after_its_pair(entry: Entry) -> None:
    codes = entry.name.removeprefix("translate-").split("_")
    assert entry.languages == tuple(VARIANTS.get(code, code) for code in codes)


@pytest.mark.parametrize("entry", of("piper"), ids=lambda entry: entry.name)
def test_a_voice_has_its_files_where_piper_keeps_them(entry: Entry) -> None:
    locale, _, rest = entry.name.partition("-")
    speaker, _, quality = rest.rpartition("-")
    assert entry.languages == (locale.partition("_")[0],)
    folder = f"{entry.languages[0]}/{locale}/{speaker}/{quality}"
    expected = [f"{folder}/{entry.name}.onnx", f"{folder}/{entry.name}.onnx.json", f"{folder}/MODEL_CARD"]
    assert sorted(file.path for file in entry.files) == sorted(expected)
    assert all(file.optional or (file.size and file.md5) for file in entry.files)
    assert entry.speakers >= 1


@pytest.mark.parametrize("entry", of("whisper"), ids=lambda entry: entry.name)
def test_a_recogniser_has_what_the_engine_loads(entry: Entry) -> None:
    names = {file.name for file in entry.files}
    assert {"model.bin", "config.json", "tokenizer.json"} <= names
    assert names & {"vocabulary.txt", "vocabulary.json"}
    english = entry.name.endswith(".en") or entry.name.startswith("distil")
    assert (entry.languages == ("en",)) == english


def test_every_name_that_faster_whisper_knows_leads_to_the_same_repository(catalogue: Catalogue) -> None:
    assert {name: catalogue.get(name).repo for name in _MODELS} == _MODELS


def test_every_voice_of_piper_that_clients_can_ask_for_can_be_pulled(catalogue: Catalogue) -> None:
    for voice in VoiceCatalogue.load():
        if voice.engine == "piper":
            entry = catalogue.get(voice.engine_voice.partition("#")[0])
            assert (entry.kind, entry.languages) == ("piper", (voice.language,))


def test_the_named_languages_have_everything(catalogue: Catalogue) -> None:
    for entry in catalogue.needs(["en", "es", "fr", "de", "pt"]).entries:
        assert entry.size_is_exact or entry.languages in {("es", "pt"), ("pt", "es")}
    assert catalogue.needs(["en", "es", "fr", "de", "pt"]).lacking == ()


def test_what_two_languages_need(catalogue: Catalogue) -> None:
    needs = catalogue.needs(["es", "de"])
    assert [entry.name for entry in needs.entries] == [
        RECOGNIZER,
        "firefox-es_en",
        "firefox-de_en",
        "firefox-en_es",
        "firefox-en_de",
        "es_ES-davefx-medium",
        "de_DE-thorsten-medium",
    ]


def test_english_gets_a_voice_where_it_is_named(catalogue: Catalogue) -> None:
    assert [entry.kind for entry in catalogue.needs(["en"]).entries] == ["whisper", "piper"]
    assert "translate-es_pt" in {entry.name for entry in catalogue.needs(["es", "pt", "en"], "turbo").entries}


def test_what_the_catalogue_lacks_is_told(catalogue: Catalogue) -> None:
    needs = catalogue.needs(["ja", "cy"])
    assert "there is no Piper voice for 'ja'; espeak-ng speaks it if it can" in needs.lacking
    assert "there is no model that translates cy→en" in needs.lacking
    (lack,) = catalogue.needs(["es"], "small.en").lacking
    assert "small.en does not hear 'es'" in lack


def test_a_variant_does_not_take_the_place_of_its_language(catalogue: Catalogue) -> None:
    for known, names in (
        (catalogue, ["firefox-en_pt", "firefox-en_zh", "translate-en_nb", None]),
        (Catalogue(of("argos")), ["translate-en_pt", "translate-en_zh", "translate-en_nb", None]),
    ):
        found = [known.translation(*pair) for pair in (("en", "pt"), ("en", "zh"), ("en", "no"), ("de", "fr"))]
        assert [entry.name if entry else None for entry in found] == names


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("smal", "small"), ("Turbo", "turbo"), ("translate-en_dee", "translate-en_de"), ("es_ES-davefx", "es_ES-davefx-")],
)
def test_an_unknown_name_gets_the_nearest(catalogue: Catalogue, name: str, suggested: str) -> None:
    with pytest.raises(UnknownModel, match=f"there is no '{name}' in the catalogue; did you mean '{suggested}"):
        catalogue.get(name)


def test_nothing_is_suggested_for_nonsense(catalogue: Catalogue) -> None:
    assert nearest("xyzzy!", ["small"]) == ""
    with pytest.raises(UnknownModel, match="models list --all"):
        catalogue.get("xyzzy!")
    with pytest.raises(UnknownModel, match="there is no 'xx' in the languages"):
        catalogue.needs(["xx"])
    with pytest.raises(CatalogueFault, match="not a recogniser"):
        catalogue.needs(["es"], "translate-en_de")


def test_aliases_and_composed_letters_are_found(catalogue: Catalogue) -> None:
    assert catalogue.get("large").name == "large-v3"
    assert catalogue.get("large-v3-turbo").name == "turbo"
    assert catalogue.get("pt_PT-tugão-medium").name == "pt_PT-tugão-medium"


def test_sizes_and_languages_for_people(catalogue: Catalogue) -> None:
    estimated = catalogue.get("distil-large-v2")
    assert not estimated.size_is_exact
    assert estimated.size == 1_516_000_000
    assert catalogue.get("small").serves == "98 languages"
    assert catalogue.get("translate-en_de").serves == "en→de"
    assert catalogue.get("de_DE-thorsten-medium").terms == "CC0; from lessac"


OWN = """
[[whisper]]
name = "ours"
languages = "multilingual"
licence = "ours"
repo = "us/ours"
size_mb = 10
files = [{ path = "a/model.bin" }]

[[whisper]]
name = "small"
languages = ["de"]
licence = "MIT"
repo = "us/small"
revision = "v2"
files = [{ path = "model.bin", size = 7 }]
"""


def test_the_operators_own_catalogue_adds_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(OWN)
    catalogue = Catalogue.load(tmp_path)
    assert catalogue.get("ours").revision == "main"
    assert len(catalogue.get("ours").languages) > 90
    assert catalogue.get("small").repo == "us/small"
    assert catalogue.get("base").repo == "Systran/faster-whisper-base"
    assert catalogue.recognizer("xx") is None
    assert catalogue.recognizer("de") == catalogue.get("small")
    assert catalogue.recognizer("fr") == catalogue.get("tiny")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[", "not TOML"),
        ("[[vosk]]\nname = 'a'", "'vosk' is unknown, entries begin with"),
        ("[[whisper]]\nlanguages = ['en']", "'name' is missing"),
        ("[[whisper]]\nname = '../x'", "cannot be the name"),
        ("[[whisper]]\nname = 'x'\ncolour = 1", "'colour' is unknown"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['eng']", "two-letter codes"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = '../x'}]", "not a plain relative path"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = '/x'}]", "not a plain relative path"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'a/x'}, {path = 'b/x'}]", "the same name"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'x', size = 0}]", "not a number of bytes"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'x', sha256 = 'A'}]", "not a checksum"),
        ("[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'x'}]\nlicence = ''", "'licence' is empty"),
        (
            "[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'x'}]\nlicence = 'a'\nrepo = 'r'",
            "not OWNER/NAME",
        ),
        (
            "[[whisper]]\nname = 'x'\nlanguages = ['en']\nfiles = [{path = 'x'}]\nlicence = 'a'\nrepo = 'r/r'",
            "its size is not known",
        ),
        ("[[argos]]\nname = 'translate-en_de'\nlanguages = ['de']", "source and target"),
        ("[[argos]]\nname = 'translate-en_de'\nlanguages = ['en', 'de']\nurl = 'ipfs://x'", "begins with https"),
        ("[[piper]]\nname = 'de'", "cannot be the name"),
    ],
)
def test_a_wrong_catalogue_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(CatalogueFault, match=re.escape(told)) as caught:
        Catalogue.load(tmp_path)
    assert str(tmp_path / "models.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_catalogue_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_bytes(b"\xff")
    with pytest.raises(CatalogueFault, match="cannot be read"):
        Catalogue.load(tmp_path)


def test_an_entry_of_a_kind_without_a_table() -> None:
    assert read_entries("", "nothing") == []
