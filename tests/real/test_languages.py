"""Real Whisper: which language it is, and a conversation in two of them."""

import numpy as np
import pytest

from dragoman.models.base import SAMPLE_RATE_HZ, RecognitionRequest
from dragoman.models.engines.silero.detector import FRAME_SAMPLES, SileroDetector
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from dragoman.models.plan import TargetWish
from dragoman.pipeline.by_language import GUESS_S
from tests.real.talk import errors, hear, recordings

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def test_a_language_is_known_when_words_may_be_certain_in_it(base: WhisperRecognizer) -> None:
    for recording in recordings(3, 4):
        speech = SileroDetector().stream().probabilities(recording.samples[: 100 * FRAME_SAMPLES]) > 0.5
        first = recording.samples[: int(np.argmax(speech)) * FRAME_SAMPLES + round(GUESS_S * SAMPLE_RATE_HZ)]
        (found,) = base.recognize([RecognitionRequest(first, partial=True)])
        assert found.language == recording.language, recording.name


@pytest.mark.parametrize("latency", ["balanced", "quality"])
def test_a_conversation_loses_nothing(base: WhisperRecognizer, latency: str) -> None:
    english, spanish = recordings(3, 4, languages=["en"]), recordings(3, 4, languages=["es"])
    said = [english[0], spanish[0], english[1], spanish[1]]
    found = hear(
        base,
        *(recording.samples for recording in said),
        latency=latency,  # type: ignore[arg-type]
        candidates=frozenset({"en", "es"}),
        wishes=[TargetWish(by_source={"en": "es", "es": "en"}, speaks=False)],
        locks=False,
    )
    turns = [transcript.language for transcript in found.finals]
    assert list(dict.fromkeys(turns)) == ["en", "es"]
    whole = [base.recognize([RecognitionRequest(one.samples, one.language)])[0].text for one in said]
    wrong = sum(errors(one.text, text) for one, text in zip(said, whole, strict=True))
    assert errors(" ".join(one.text for one in said), found.text) <= wrong + 4
