"""LiveKit's and Pipecat's services for Gradium."""

from collections.abc import Callable
from typing import Any

import jiwer
import pytest

from dragoman.testing import RunningServer

pytestmark = pytest.mark.clients
livekit = pytest.mark.client("livekit-plugins-gradium")
pipecat = pytest.mark.client("pipecat-ai")

Drive = Callable[..., Any]
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
LIVEKIT, PIPECAT = "livekit_gradium", "pipecat_gradium"
TEXT = "Good morning, this is a test. And another sentence follows."


def errors_in(heard: str) -> float:
    """The share of words that are wrong; the recogniser is the smallest there is, and the sentences are short."""
    kept = [" ".join("".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").split())
            for text in (BECKETT, heard)]  # fmt: skip
    return float(jiwer.wer(*kept))


@livekit
def test_livekit_hears_turns(embedded: RunningServer, beckett: str, drive: Drive) -> None:
    """`STT`: real speech in turns."""
    told = drive(LIVEKIT, "stt", url=embedded.url, path=beckett)
    assert isinstance(told, list), told
    assert len(told) >= 4
    assert errors_in(" ".join(told)) <= 0.4
    assert told[-1].endswith("better.")


@livekit
def test_livekit_hears_a_translation(embedded: RunningServer, beckett: str, drive: Drive) -> None:
    """`STT` with `stt-translate`."""
    told = drive(LIVEKIT, "stt", url=embedded.url, path=beckett, model="stt-translate", language="es")
    assert isinstance(told, list), told
    assert len(told) >= 4
    assert errors_in(" ".join(told)) > 0.8, "it is not English"


@livekit
def test_livekit_connects_again(embedded: RunningServer, beckett: str, drive: Drive) -> None:
    """`STT` that reconnects in the middle."""
    told = drive(LIVEKIT, "stt", url=embedded.url, path=beckett, reconnects=True)
    assert isinstance(told, list), told
    assert told[0].startswith("Ever")
    assert told[-1].endswith("better.")


@livekit
def test_livekit_speaks(embedded: RunningServer, drive: Drive) -> None:
    """`TTS`: `synthesize`, `stream`."""
    whole, streamed = (
        drive(LIVEKIT, "tts", url=embedded.url, text=TEXT, streamed=streamed) for streamed in (False, True)
    )
    assert whole == pytest.approx(streamed, rel=0.2)
    assert 2.0 < whole < 8.0


@livekit
def test_livekit_with_a_wrong_key(locked: RunningServer, beckett: str, drive: Drive) -> None:
    """`STT` and `TTS` with a wrong key, which is an error."""
    for job, extra in (("stt", {"path": beckett}), ("tts", {"text": TEXT})):
        assert "error" in drive(LIVEKIT, job, url=locked.url, key="wrong", **extra)


@pipecat
def test_pipecat_hears_turns(embedded: RunningServer, beckett: str, drive: Drive) -> None:
    """`GradiumSTTService` with its turn detector: real speech in turns."""
    told = drive(PIPECAT, "stt", url=embedded.url, path=beckett)
    assert told["errors"] == []
    assert len(told["texts"]) >= 4
    assert errors_in(" ".join(told["texts"])) <= 0.4
    assert told["turns"] == ["start", "stop"] * len(told["texts"])


@pipecat
def test_pipecat_is_interrupted(embedded: RunningServer, drive: Drive) -> None:
    """`GradiumTTSService`, interrupted ten times."""
    told = drive(PIPECAT, "tts", url=embedded.url, text="The last turn is heard.", interruptions=10)
    assert told["errors"] == []
    assert told["words"] == ["The", "last", "turn", "is", "heard."]
    assert 0.5 < told["seconds"] < 4.0


@pipecat
def test_pipecat_with_a_wrong_key(locked: RunningServer, drive: Drive) -> None:
    """`GradiumTTSService` with a wrong key, which is an error."""
    assert drive(PIPECAT, "tts", url=locked.url, text=TEXT, key="wrong")["errors"]
