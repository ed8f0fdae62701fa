"""The order of tokens: what was said by one speaker in one language, then what became of it."""

from typing import Any

from dragoman.pipeline.events import SpeechStarted, Transcript, Translation
from dragoman.server.protocols.soniox.files.transcript import TranscriptWriter
from dragoman.server.protocols.soniox.start import parse_transcription

SPANISH = {"type": "one_way", "target_language": "es"}


def writer(**fields: Any) -> TranscriptWriter:
    return TranscriptWriter(parse_transcription({"model": "stt-async-v6", **fields})[1])


def said(text: str, start_s: float, stop_s: float, segment: int = 0, **more: Any) -> Transcript:
    return Transcript(text, more.pop("language", "en"), start_s, stop_s, segment_id=segment, **more)


def translation(text: str, start_s: float, stop_s: float, segment: int = 0, **more: Any) -> Translation:
    return Translation(text, "es", start_s, stop_s, 0, segment_id=segment, source="en", **more)


def texts(one: TranscriptWriter) -> list[str]:
    return [token["text"] for token in one.written()[1]]


def test_translations_stand_behind_what_they_translate_whenever_they_come() -> None:
    one = writer(translation=SPANISH)
    for event in (
        SpeechStarted(0.0),
        said("Hello", 0.0, 0.5, final=False),
        said("Hello.", 0.0, 1.0),
        said("Good", 2.0, 2.5, 1),
        translation("Hola.", 0.0, 1.0),
        said("night.", 2.5, 3.0, 1),
        translation("Buenas noches.", 2.0, 3.0, 1),
    ):
        one.event(event)
    assert texts(one) == ["Hello.", "Hola.", " Good", " night.", " Buenas", " noches."]
    text, tokens = one.written()
    assert text == "Hello. Good night."
    assert not any("is_final" in token for token in tokens)
    assert [token["translation_status"] for token in tokens] == ["original", "translation", *["original"] * 2,
                                                                 *["translation"] * 2]  # fmt: skip
    assert all(("start_ms" in token) == (token["translation_status"] == "original") for token in tokens)
    assert {token["source_language"] for token in tokens if "source_language" in token} == {"en"}


def test_two_speakers_in_one_segment_have_their_translations_each_behind_their_own_words() -> None:
    one = writer(translation=SPANISH, enable_speaker_diarization=True)
    for event in (
        said("How are you?", 0.0, 1.0, speaker="1"),
        said("Fine.", 1.0, 2.0, speaker="2"),
        translation("¿Cómo está?", 0.0, 1.0, speaker="1"),
        translation("Bien.", 1.0, 2.0, speaker="2"),
    ):
        one.event(event)
    assert [(token["speaker"], token["text"].strip()) for token in one.written()[1]] == [
        ("1", "How"), ("1", "are"), ("1", "you?"), ("1", "¿Cómo"), ("1", "está?"), ("2", "Fine."), ("2", "Bien."),
    ]  # fmt: skip


def test_speech_that_is_not_translated() -> None:
    one = writer(translation=SPANISH)
    one.event(said("Hola.", 0.0, 1.0, language="es"))
    one.event(translation("", 0.0, 1.0))
    one.event(translation("Nada.", 0.0, 1.0, 7))
    (token,) = one.written()[1]
    assert (token["language"], token["translation_status"]) == ("es", "none")


def test_without_a_translation_there_is_no_status_and_without_a_wish_no_language() -> None:
    one = writer()
    one.event(said("Hello.", 0.25, 1.0))
    assert one.written() == ("Hello.", [{"text": "Hello.", "start_ms": 250, "end_ms": 1_000, "confidence": 0.9}])
    other = writer(enable_language_identification=True)
    other.event(said("Hello.", 0.0, 1.0))
    assert other.written()[1][0]["language"] == "en"
