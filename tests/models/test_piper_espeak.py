"""Piper's own espeak-ng: beside the other one in the same process, with many threads, and for a long time."""

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragoman.models.base import SynthesisRequest, Voice
from dragoman.models.piper_espeak import return_references, stop_growth
from tests.costs import growth_bytes
from tests.fakes.piper_voice import in_language, write_voice
from tests.models.test_piper import engine, voice

TEXTS = {
    "en-us": "The morning is long and the river runs low. Is it 1,234 or not?",
    "es": "Buenos días a todos y a todas, ¿qué tal?",
    "de": "Guten Morgen, wie geht es Ihnen heute?",
    "fr": "Bonjour à tous. Comment allez-vous ?",
    "ru": "Доброе утро всем.",
}

BOTH = """
import json, sys
from pathlib import Path
from dragoman.models.base import SynthesisRequest, Voice
folder, texts, order = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3].split()
made = {}

def start(name):
    if name == "moonshine":
        from dragoman.models.moonshine import MoonshineRecognizer
        made[name] = MoonshineRecognizer()
    elif name == "espeak":
        from dragoman.models.espeak import EspeakSynthesizer
        made[name] = EspeakSynthesizer()
    else:
        from tests.models.test_piper import engine
        made[name] = engine(folder)

def say():
    said = {}
    for language, text in texts.items():
        spoken = made["piper"]
        loaded = spoken._load(spoken._places[f"xx_XX-{language.partition('-')[0]}-medium"])
        said[language] = loaded.sentences(text)
        if "espeak" in made:
            one = Voice("x" * 16, "n", language[:2], "espeak", language + "+f3", "female")
            size = sum(block.size for block in made["espeak"].synthesize(SynthesisRequest(text, one)))
            assert size > 10_000, (language, size)
    return said

for name in order:
    start(name)
first = say()
assert say() == first
print(json.dumps(first))
for engine in made.values():
    engine.close()
"""


def write_voices(folder: Path) -> None:
    for espeak in TEXTS:
        code = espeak[:2]
        write_voice(folder, f"xx_XX-{code}-medium", **in_language(f"{code}_XX", espeak))


@pytest.mark.embedded
def test_two_espeaks_live_in_one_process_whichever_comes_first(tmp_path: Path) -> None:
    write_voices(tmp_path)
    heard = []
    for order in ("piper", "piper espeak", "espeak piper", "moonshine espeak piper"):
        command = [sys.executable, "-W", "error", "-c", BOTH, str(tmp_path), json.dumps(TEXTS), order]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        heard.append(json.loads(done.stdout))
    assert all(set(one) == set(TEXTS) and all(one.values()) for one in heard)
    # The same phonemes as with Piper alone.
    assert [one == heard[0] for one in heard] == [True] * 4


@pytest.mark.embedded
def test_two_espeaks_speak_at_the_same_time(tmp_path: Path) -> None:
    from dragoman.models.espeak import EspeakSynthesizer

    write_voices(tmp_path)
    spoken, other = engine(tmp_path), EspeakSynthesizer()

    def by_piper(espeak: str) -> int:
        request = SynthesisRequest(TEXTS[espeak], voice(f"xx_XX-{espeak[:2]}-medium"))
        return sum(block.size for block in spoken.synthesize(request))

    def by_espeak(espeak: str) -> int:
        one = Voice("en-tests-espeak1", "Test", espeak[:2], "espeak", f"{espeak}+f3", "female")
        size = sum(block.size for block in other.synthesize(SynthesisRequest(TEXTS[espeak], one)))
        return round(size / 2_000)  # its phase goes on from clause to clause

    expected = {(say, espeak): say(espeak) for say in (by_piper, by_espeak) for espeak in TEXTS}

    def task(number: int) -> bool:
        say, espeak = list(expected)[number % len(expected)]
        return abs(say(espeak) - expected[say, espeak]) <= (say is by_espeak)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(task, range(300)))


def test_pipers_own_lock_holds(tmp_path: Path) -> None:
    """The voice is chosen in one call and used in the next: phonemes of the wrong language would come of it."""
    write_voices(tmp_path)
    spoken = engine(tmp_path)
    voices = {espeak: spoken._load(spoken._places[f"xx_XX-{espeak[:2]}-medium"]) for espeak in TEXTS}
    expected = {espeak: loaded.sentences(TEXTS[espeak]) for espeak, loaded in voices.items()}

    def task(number: int) -> bool:
        espeak = list(TEXTS)[number % len(TEXTS)]
        return voices[espeak].sentences(TEXTS[espeak]) == expected[espeak]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(task, range(600)))
    finally:
        sys.setswitchinterval(interval)


def test_it_does_not_grow(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path)
    voices = [spoken._load(spoken._places[f"xx_XX-{espeak[:2]}-medium"]) for espeak in ("en-us", "es")]

    def speak() -> None:
        for _ in range(1_000):
            for loaded in voices:
                loaded.sentences("One. Two.")

    # As it comes, Piper keeps 1,900 bytes of each of these 2,000 texts.
    assert growth_bytes(speak) < 1_000_000


def test_only_a_surplus_reference_is_dropped() -> None:
    clauses = [("one", str(number), True) for number in range(3)]

    def counts() -> list[int]:
        return [sys.getrefcount(clause) for clause in clauses]

    before = counts()
    return_references(clauses)
    assert counts() == before
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(clauses[1]))
    assert counts() != before
    return_references(clauses)
    assert counts() == before


def test_the_bridge_is_wrapped_once() -> None:
    from piper import espeakbridge

    stop_growth()
    wrapped: Callable[[str], None] = espeakbridge.set_voice
    stop_growth()
    assert espeakbridge.set_voice is wrapped
