"""The deterministic engines that users test their own programs with."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dragoman.models.base import LanguagePair, RecognitionRequest, SynthesisRequest, Voice
from dragoman.models.engines.scripted.engines import (
    LANGUAGES,
    RATE_HZ,
    Script,
    ScriptedDetector,
    ScriptedRecognizer,
    ScriptedSynthesizer,
    ScriptedTranslator,
    every_voice,
)
from dragoman.models.voices import VoiceCatalogue

LINES = ["# a comment", "", "First line. | es: Primera. | fr: Première.", "Second | de: Zweite", "Third."]
SECOND = np.zeros(16_000, np.float32)


@pytest.fixture
def script() -> Script:
    return Script(LINES)


def test_a_session_hears_line_after_line_and_begins_again(script: Script) -> None:
    requests = [RecognitionRequest(SECOND, ordinal=ordinal) for ordinal in range(4)]
    heard = [one.text for one in ScriptedRecognizer(script).recognize(requests)]
    assert heard == ["First line.", "Second", "Third.", "First line."]


def test_what_is_heard_depends_on_the_request_only(script: Script) -> None:
    recognizer = ScriptedRecognizer(script)
    requests = [RecognitionRequest(SECOND, ordinal=ordinal) for ordinal in (2, 0, 0, 7)]
    assert [one.text for one in recognizer.recognize(requests)] == ["Third.", "First line.", "First line.", "Second"]


def test_the_language_is_the_requested_one(script: Script) -> None:
    hints = ["es", None, "ja"]
    heard = ScriptedRecognizer(script).recognize([RecognitionRequest(SECOND, language=hint) for hint in hints])
    assert [one.language for one in heard] == ["es", "en", "ja"]


def test_a_line_may_come_twice() -> None:
    script = Script(["Yes.", "No.", "Yes.", "Stop."])
    assert [script.line(ordinal) for ordinal in range(5)] == ["Yes.", "No.", "Yes.", "Stop.", "Yes."]


def test_every_voice_of_a_catalogue_is_spoken() -> None:
    catalogue = every_voice(VoiceCatalogue.load(aliases={"old": "es-lucia-espeak1"}))
    assert {voice.engine for voice in catalogue} == {"scripted"}
    assert catalogue.get("old").voice_id == "es-lucia-espeak1"
    assert len(catalogue) == len(VoiceCatalogue.load())


def test_a_line_may_say_its_language() -> None:
    script = Script(["@es Buenos días. | en: Good morning.", "Yes.", "@nobody knows", "@ es"])
    requests = [RecognitionRequest(SECOND, ordinal=ordinal) for ordinal in range(4)]
    heard = ScriptedRecognizer(script).recognize(requests)
    assert [(one.language, one.text) for one in heard] == [
        ("es", "Buenos días."),
        ("en", "Yes."),
        ("en", "@nobody knows"),
        ("en", "@ es"),
    ]
    assert ScriptedRecognizer(script).recognize([RecognitionRequest(SECOND, language="fr")])[0].language == "fr"
    assert script.translation("Buenos días.", "en") == "Good morning."


def test_translations_come_from_the_script_or_are_marked(script: Script) -> None:
    translator = ScriptedTranslator(script)
    assert translator.translate(LanguagePair("en", "es"), ["First line.", "Second", "Other"]) == [
        "Primera.",
        "[es] Second",
        "[es] Other",
    ]
    assert translator.translate(LanguagePair("en", "de"), ["Second"]) == ["Zweite"]
    assert translator.translate(LanguagePair("en", "de"), []) == []


def test_all_pairs_are_served() -> None:
    assert ScriptedTranslator.pairs == {LanguagePair(a, b) for a in LANGUAGES for b in LANGUAGES if a != b}
    assert ScriptedRecognizer.languages == ScriptedSynthesizer.languages == LANGUAGES
    assert all(len(code) == 2 for code in LANGUAGES)


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "script.txt"
    file.write_text("\n".join(LINES), encoding="utf-8")
    assert Script.read(str(file)).lines == ["First line.", "Second", "Third."]
    assert Script.read("").lines


@pytest.mark.parametrize(("content", "reason"), [(b"# only\n\n", "no utterance"), (b"\xff\n", "cannot read")])
def test_a_wrong_script_is_explained(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "script.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        Script.read(str(file))
    with pytest.raises(ValueError, match="cannot read"):
        Script.read(str(tmp_path / "none.txt"))


def test_loud_frames_are_speech() -> None:
    times = np.arange(512 * 4) / 16_000
    samples = np.concatenate([np.sin(2 * np.pi * 300 * times), np.zeros(512 * 2)]).astype(np.float32)
    probabilities = ScriptedDetector().stream().probabilities(samples * np.float32(0.05))
    assert probabilities.tolist() == [1, 1, 1, 1, 0, 0]
    assert probabilities.dtype == np.float32


@pytest.mark.parametrize(("text", "tempo", "seconds"), [("a", 1.0, 0.2), ("a" * 50, 1.0, 3.0), ("a" * 50, 2.0, 1.5)])
def test_tones_are_as_long_as_the_text(text: str, tempo: float, seconds: float) -> None:
    synthesizer = ScriptedSynthesizer()
    voice = Voice("en-voice-script1", "Tone", "en", "scripted", "tone", "female")
    request = SynthesisRequest(text, voice, tempo)
    blocks = list(synthesizer.synthesize(request))
    assert synthesizer.sample_rate_hz(voice) == RATE_HZ
    samples = np.concatenate(blocks)
    assert samples.size == round(seconds * RATE_HZ)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, np.concatenate(list(synthesizer.synthesize(request))))


def test_voices_differ_in_pitch() -> None:
    tones = []
    for gender in ("female", "male"):
        voice = Voice("en-voice-script1", "Tone", "en", "scripted", "tone", gender)
        samples = np.concatenate(list(ScriptedSynthesizer().synthesize(SynthesisRequest("a" * 20, voice))))
        tones.append(int(np.abs(np.fft.rfft(samples)).argmax() * RATE_HZ / samples.size))
    assert tones[0] == pytest.approx(2 * tones[1], abs=2)


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, dragoman.models.engines.scripted.engines; "
        "assert not {'onnxruntime', 'av', 'soxr', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
