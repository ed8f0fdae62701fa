"""The official client and the engines that users get: one speaker, three languages at once."""

from itertools import pairwise

import pytest
from palabra_ai import Audio, ServerError, StreamEnd, Transcript

from dragoman.testing import RunningServer
from tests.sdk.child import Raised
from tests.sdk.palabra_client import run_client
from tests.sdk.speech import recording, resampled, says_again

pytestmark = pytest.mark.embedded

TARGETS = ("es", "fr", "pt")
"""\"Again\", which the recording says twice."""


def test_english_is_heard_and_spanish_french_and_portuguese_are_spoken_at_once(embedded: RunningServer) -> None:
    samples, rate = recording("beckett.wav")
    pcm = resampled(samples, rate, 24000).tobytes()
    steps = [("pcm", pcm), ("end",)]
    events = run_client("translation", url=embedded.url, steps=steps, source="en", targets=["es", "fr", "pt"])
    assert not isinstance(events, Raised), events
    assert isinstance(events[-1], StreamEnd)
    assert not [one for one in events if isinstance(one, ServerError)]
    heard = [one for one in events if isinstance(one, Transcript) and one.type == "validated_transcription"]
    assert len(heard) >= 3
    spans = [one.data["segments"][0] for one in heard]
    assert all(one["start"] <= two["start"] for one, two in pairwise(spans))
    assert spans[-1]["end"] <= len(pcm) / 48000 + 0.5
    for language in TARGETS:
        told = [one for one in events if isinstance(one, Transcript) and one.language == language]
        assert [one.id for one in told] == [one.id for one in heard], language
        assert says_again(" ".join(one.text for one in told), language), told
        chunks = [one for one in events if isinstance(one, Audio) and one.language == language]
        assert [one.id for one in chunks if one.last_chunk] == [one.id for one in heard], language
        assert sum(len(one.pcm) for one in chunks) / 48000 > 3
        for text in told:
            sound = [one for one in chunks if one.id == text.id]
            assert sum(len(one.pcm) for one in sound) / 48000 > 0.2, text
            assert events.index(text) < events.index(sound[0])


def test_an_english_text_is_spoken_in_all_three(embedded: RunningServer) -> None:
    steps = [
        ("speak", "The house is red. Where is the train station?", "en", {"translate": True}),
        ("wait", 1, {"language": "es", "last_chunk": True}),
        ("wait", 1, {"language": "fr", "last_chunk": True}),
        ("wait", 1, {"language": "pt", "last_chunk": True}),
        ("speak", "Buenos días.", "es"),
        ("end",),
    ]
    task = {
        "output_stream": {"content_type": "audio", "target": {"type": "ws", "format": "zlib_pcm_s16le"}},
        "pipeline": {
            "translations": [{"target_language": code, "speech_generation": {}} for code in TARGETS],
            "allowed_message_types": ["translated_transcription"],
        },
    }
    events = run_client("translation", url=embedded.url, steps=steps, task=task)
    assert not isinstance(events, Raised), events
    words = {"es": "casa", "fr": "maison", "pt": "casa"}
    first, second = (one.transcription_id for one in events if getattr(one, "event", "") == "queued")
    for language, word in words.items():
        told = [one for one in events if isinstance(one, Transcript) and one.language == language]
        assert len(told) == 2
        assert word in told[0].text.lower()
        sound = [one for one in events if isinstance(one, Audio) and (one.language, one.id) == (language, first)]
        assert sum(len(one.pcm) for one in sound) / 48000 > 1.5
        assert [one.last_chunk for one in sound].count(True) == 1
    assert {one.language for one in events if isinstance(one, Audio) and one.id == second} == {"es"}


def test_another_language_says_what_is_missing(embedded: RunningServer) -> None:
    jobs = [
        ("translation", {"url": embedded.url, "steps": [], "source": source, "targets": ["es", target]})
        for source, target in (("en", "de"), ("fr", "pt"))
    ]
    german, french = run_client("each", jobs=jobs)
    assert german.kind == french.kind == "TaskError"
    assert "pipeline.translations[1].target_language: no translator for en→de is installed" in german.text
    assert "pipeline.transcription.source_language: no recogniser for 'fr' is installed" in french.text
