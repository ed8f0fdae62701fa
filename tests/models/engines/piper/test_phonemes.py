"""Piper's phonemes, made in processes of their own: they are Piper's, whatever happens to a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dragoman.models.base import SynthesisRequest
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.engines.piper.phonemes import Phonemizer
from dragoman.models.errors import EngineFailed, EngineUnavailable, TextRefused
from dragoman.models.processes.children import ChildRefused
from tests.fakes.piper_voice import in_language, write_voice
from tests.models.engines.espeak.crashes import CRASHES, SHORT_CRASHES
from tests.models.engines.piper.test_synthesizer import blocks, engine, voice

TEXTS = {
    "en-us": "The morning is long and the river runs low. Is it 1,234 or not?",
    "es": "Buenos días a todos y a todas, ¿qué tal?",
    "de": "Guten Morgen, wie geht es Ihnen heute? Gut; und dir: auch!",
    "fr": "Bonjour à tous. Comment allez-vous ?",
    "ru": "Доброе утро всем... It is (English) here.",
    "ar": "مرحبا بالعالم. كيف حالك؟",
}

PIPER_ITSELF = """
import json, sys
from piper import PiperConfig, PiperVoice
found = {}
for name, (config, text) in json.loads(sys.argv[1]).items():
    voice = PiperVoice(session=None, config=PiperConfig.from_dict(config))
    found[name] = voice.phonemize(text)
print(json.dumps(found))
"""

SPEAKS = """
import sys
from pathlib import Path
from dragoman.models.base import SynthesisRequest, Voice
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from tests.models.engines.piper.test_synthesizer import engine
for spoken, key in ((engine(Path(sys.argv[1])), "xx_XX-en-medium"), (EspeakSynthesizer(), "en")):
    one = Voice("x" * 16, "n", "en", spoken.name, key, "female")
    assert sum(block.size for block in spoken.synthesize(SynthesisRequest("Hello there.", one))) > 1_000
    spoken.close()
print("espeak" in Path("/proc/self/maps").read_text(), "piper.espeakbridge" in sys.modules)
"""


def write_voices(folder: Path, **changes: Any) -> None:
    for espeak in TEXTS:
        code = espeak[:2]
        write_voice(folder, f"xx_XX-{code}-medium", **in_language(f"{code}_XX", espeak), **changes)


@pytest.fixture(scope="module")
def phonemizer() -> Iterator[Phonemizer]:
    made = Phonemizer()
    yield made
    made.close()


@pytest.mark.parametrize("clusters", [[], [["a", "ɪ"], ["o", "ʊ"], ["e", "ɪ"]]])
def test_the_phonemes_are_pipers_own(tmp_path: Path, clusters: list[list[str]]) -> None:
    write_voices(tmp_path, vowel_clusters=clusters)
    spoken = engine(tmp_path)
    voices = {espeak: spoken._load(spoken._places[f"xx_XX-{espeak[:2]}-medium"]) for espeak in TEXTS}
    asked = {espeak: (voices[espeak]._file.config, text) for espeak, text in TEXTS.items()}
    command = [sys.executable, "-c", PIPER_ITSELF, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    made = {espeak: voices[espeak]._phonemize(text) for espeak, text in TEXTS.items()}
    assert made == json.loads(done.stdout)
    assert bool(clusters) == ("oʊ" in made["en-us"][0])
    spoken.close()


@pytest.mark.embedded
def test_neither_espeak_is_in_the_servers_process(tmp_path: Path) -> None:
    write_voices(tmp_path)
    command = [sys.executable, "-W", "error", "-c", SPEAKS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False False\n", "")


@pytest.mark.parametrize(("voice_name", "text"), CRASHES)
def test_what_ends_it_is_spoken(phonemizer: Phonemizer, voice_name: str, text: str) -> None:
    children = phonemizer._children.process_ids
    assert sum(map(len, phonemizer.phonemes(voice_name, speakable(text)))) > 50
    assert phonemizer._children.process_ids == children  # not for luck at the second try


@pytest.mark.parametrize(("voice_name", "text"), SHORT_CRASHES)
def test_whatever_the_text_the_next_is_spoken(phonemizer: Phonemizer, voice_name: str, text: str) -> None:
    for said in (text, "'s" * 100, "e.g." * 300):  # not parted
        try:
            phonemizer.phonemes(voice_name, said)
        except TextRefused as error:
            assert "this text ended its process 2 times" in str(error)
    assert phonemizer.phonemes("en-us", "Hi.") == [["h", "ˈ", "a", "ɪ", "."]]


def test_a_killed_process_costs_no_clause(tmp_path: Path) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    sizes = [block.size for block in blocks(spoken)]
    for _ in range(3):
        for child in spoken._phonemizer._children.process_ids:
            os.kill(child, signal.SIGKILL)
        assert [block.size for block in blocks(spoken)] == sizes
    spoken.close()


def test_a_phonemizer_that_breaks_while_a_voice_loads_is_no_fault_of_the_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)

    def breaks(*_: object) -> None:
        raise EngineFailed("piper", "its process does not start")

    with monkeypatch.context() as patched:
        patched.setattr(Phonemizer, "phonemes", breaks)
        spoken.warm(["en"])
        with pytest.raises(EngineFailed, match="does not start"):
            blocks(spoken)
    assert spoken.broken == ()
    assert len(blocks(spoken)) == 1
    spoken.close()


def test_many_threads_get_their_own_languages(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path)
    voices = {espeak: spoken._load(spoken._places[f"xx_XX-{espeak[:2]}-medium"]) for espeak in TEXTS}
    expected = {espeak: loaded.sentences(TEXTS[espeak]) for espeak, loaded in voices.items()}

    def task(number: int) -> bool:
        espeak = list(TEXTS)[number % len(TEXTS)]
        return voices[espeak].sentences(TEXTS[espeak]) == expected[espeak]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(task, range(300)))
    spoken.close()


def test_a_voice_that_is_not_there(phonemizer: Phonemizer) -> None:
    with pytest.raises(ChildRefused, match="Failed to set voice: xx-nope"):
        phonemizer.phonemes("xx-nope", "Hello.")


def test_closing(tmp_path: Path) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    assert len(spoken._phonemizer._children.process_ids) == 1
    spoken.close()
    assert spoken._phonemizer._children.process_ids == []
    with pytest.raises(EngineFailed, match="closed"):
        list(spoken.synthesize(SynthesisRequest("Hello.", voice())))


def test_a_phonemizer_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "phontab").touch()  # there, but no data of espeak-ng
    write_voice(tmp_path)
    monkeypatch.setattr("piper.phonemize_espeak.ESPEAK_DATA_DIR", tmp_path)
    with pytest.raises(EngineUnavailable, match=r"phonemizer of piper-tts cannot be loaded.*--force-reinstall"):
        engine(tmp_path)
