"""The official `sarvamai` client, sync and async, on the realtime socket."""

import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.sarvam_client import Step, run_sarvam
from tests.sdk.speech import as_alaw, as_ulaw, bursts, recording, resampled

KINDS = ["sync", "async"]
ONE, TWO = "Good morning.", "How are you today?"
SAMPLES = bursts(1, 16000)
END: list[Step] = [("end",), ("rest",)]


def stream(data: bytes, size: int = 8000) -> list[Step]:
    return [("audio", data[at : at + size]) for at in range(0, len(data), size)]


@pytest.mark.parametrize("kind", KINDS)
def test_two_utterances(scripted: RunningServer, kind: str) -> None:
    steps: list[Step] = [("until", "session.begin", 1), *stream(bursts(2, 16000).tobytes()), ("ping",), *END]
    found = run_sarvam("realtime", url=scripted.url, steps=steps, kind=kind, return_timestamps="true")
    events = [message["event"] for message in found["messages"]]
    assert events[0] == "session.begin"
    assert events[-1] == "session.end"
    assert found["closed"] == (1000, "")
    assert "pong" in events
    for number, text in enumerate((ONE, TWO)):
        own = [message for message in found["messages"] if message.get("utterance_idx") == number]
        assert [message["event"] for message in own if "transcript" not in message["event"]] == [
            "vad.speech_start",
            "vad.speech_end",
        ]
        (final,) = [message for message in own if message["event"] == "transcript.final"]
        assert (final["text"], final["language"]) == (text, "en-IN")
        assert final["end_s"] - final["start_s"] == pytest.approx(1.0, abs=0.05)
    assert found["messages"][-1]["total_utterances"] == 2
    assert found["messages"][-1]["audio_duration_s"] == 3.8


@pytest.mark.parametrize("kind", KINDS)
def test_turns_that_the_client_tells(scripted: RunningServer, kind: str) -> None:
    quiet = bytes(16000)
    steps: list[Step] = [
        *stream(SAMPLES.tobytes()), ("speech_start",), ("audio", quiet), *stream(SAMPLES.tobytes()), ("speech_end",),
        ("until", "transcript.final", 1), ("audio", quiet), ("speech_start",), *stream(SAMPLES.tobytes()), ("flush",),
        ("until", "transcript.final", 2), ("speech_end",), *END,
    ]  # fmt: skip
    found = run_sarvam(
        "realtime", url=scripted.url, steps=steps, kind=kind, endpointing="manual", return_timestamps="true"
    )
    events = [message["event"] for message in found["messages"]]
    assert not any(event.startswith("vad.") for event in events)
    first, second = [message for message in found["messages"] if message["event"] == "transcript.final"][:2]
    assert (first["text"], second["text"]) == (ONE, TWO)
    assert first["start_s"] == pytest.approx(1.9, abs=0.05)
    assert first["end_s"] == pytest.approx(4.3, abs=0.05)


def test_settings_change_between_utterances(scripted: RunningServer) -> None:
    once = stream(SAMPLES.tobytes())
    steps: list[Step] = [
        *once, ("until", "transcript.final", 1), ("config.update", {"language_code": "hi-IN", "prompt": "Agra"}),
        ("until", "config.updated", 1), *once, ("until", "transcript.final", 2),
        ("config.update", {"stream_type": "simulated"}), ("until", "error", 1), *END,
    ]  # fmt: skip
    found = run_sarvam("realtime", url=scripted.url, steps=steps)
    finals = [message for message in found["messages"] if message["event"] == "transcript.final"]
    assert [(final["utterance_idx"], final.get("language")) for final in finals] == [(0, "en-IN"), (1, None)]
    (error,) = [message for message in found["messages"] if message["event"] == "error"]
    assert (error["code"], error["is_fatal"]) == ("invalid_config", False)
    assert found["closed"] == (1000, "")


def test_encodings(scripted: RunningServer) -> None:
    at_8k = resampled(SAMPLES, 16000, 8000)
    wide = (SAMPLES.astype("<i4") << 16).tobytes()
    cases = [
        ("linear16", "16000", SAMPLES.tobytes()),
        ("linear16", "8000", at_8k.tobytes()),
        ("linear32", "16000", wide),
        ("mulaw", "8000", as_ulaw(at_8k)),
        ("alaw", "8000", as_alaw(at_8k)),
    ]
    for encoding, rate, data in cases:
        found = run_sarvam(
            "realtime", url=scripted.url, steps=[*stream(data), *END], encoding=encoding, sample_rate=rate,
            stream_type="simulated",
        )  # fmt: skip
        events = [message["event"] for message in found["messages"]]
        assert events == ["session.begin", "vad.speech_start", "vad.speech_end", "transcript.final", "session.end"]
        assert found["messages"][3]["text"] == ONE


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_parameters_and_keys_reach_the_user(kind: str) -> None:
    with running_server(environment={"DRAGOMAN_API_KEYS": "right", "DRAGOMAN_LIMITS__IDLE_S": "0.5"}) as server:
        plain = {"url": server.url, "kind": kind, "key": "right"}
        wrong = run_sarvam("realtime", **plain, steps=[("audio", b"ab"), ("rest",)], sample_rate="44100")
        idle = run_sarvam("realtime", **plain, steps=[("rest",)])
        denied = run_sarvam("realtime", **{**plain, "key": "wrong"}, steps=[])
    (error,) = wrong["messages"]
    assert (error["code"], error["is_fatal"], error["status_code"]) == ("invalid_config", True, 400)
    assert wrong["closed"] == (4000, error["message"])
    assert [message["event"] for message in idle["messages"]] == ["session.begin", "error", "session.end"]
    assert idle["closed"][0] == 1008
    assert denied["raised"].kind == ("InvalidStatus" if kind == "sync" else "ApiError")


@pytest.mark.embedded
@pytest.mark.parametrize("stream_type", ["fast", "balanced"])
def test_partial_transcripts_grow_into_the_final_one(embedded: RunningServer, stream_type: str) -> None:
    samples, rate = recording("two_cities.wav")
    data = resampled(samples, rate, 16000)[: round(16000 * 8.5)].tobytes()
    steps: list[Step] = []
    for number, at_s in enumerate((0, 3, 5, 7)):
        steps += [
            ("until", "transcript.partial", number),
            *stream(data[at_s * 32_000 : (at_s + 2 + (not at_s)) * 32_000]),
        ]
    found = run_sarvam(
        "realtime",
        url=embedded.url,
        steps=[*steps, *END],
        kind="async",
        stream_type=stream_type,
        silence_duration_ms="1500",
    )
    (final,) = [message for message in found["messages"] if message["event"] == "transcript.final"]
    partials = [message for message in found["messages"] if message["event"] == "transcript.partial"]
    assert len(partials) >= 3
    assert all(message["utterance_idx"] == 0 for message in partials)
    lengths = [len(message["text"]) for message in partials]
    assert lengths[0] < max(lengths) <= len(final["text"]) + 10
    assert lengths[0] < len(final["text"]) / 2
    assert "best of times" in final["text"]
    assert "foolishness" in final["text"]
