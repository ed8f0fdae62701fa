"""The real `soniox` package speaks through a real server: by REST and over the socket, with both of its clients."""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk import soniox_client
from tests.sdk.child import Raised
from tests.sdk.soniox_speech_client import run
from tests.sdk.speech import from_format


@pytest.fixture(scope="module")
def strict() -> Iterator[RunningServer]:
    """A server with keys."""
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret"}) as server:
        yield server
        assert "Traceback" not in server.log()
        assert "secret" not in server.log()


def test_one_text(scripted: RunningServer) -> None:
    formats = ["wav", "pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"]
    jobs = [("one_text", {"url": scripted.url, "audio_format": name, "sample_rate": 16_000}) for name in formats]
    wav, s16, f32, ulaw, alaw, default, blocked = run(
        "each",
        jobs=[
            *jobs,
            ("one_text_asynchronous", {"url": scripted.url}),
            ("one_text", {"url": scripted.url, "language": "cy"}),
        ],
    )
    samples, rate = from_format("wav", wav.replace(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"))
    assert rate == 16_000
    assert samples.tobytes() == s16
    assert len(f32) == 2 * len(s16) == 4 * len(ulaw) == 4 * len(alaw)
    assert abs(samples).max() > 1_000
    assert default[:4] == b"RIFF"
    assert isinstance(blocked, Raised)
    assert blocked.kind == "SonioxInvalidRequestError"
    assert "no voice for 'cy' is installed" in blocked.text


@pytest.mark.parametrize("name", ["mp3", "aac", "flac", "opus"])
def test_codecs_are_decoded_to_what_was_said(scripted: RunningServer, name: str) -> None:
    """By REST and over the socket, where the audio comes in pieces, it is one file that anything reads."""
    config = {"audio_format": name, "sample_rate": 48_000, "voice": "Maya"}
    raw, whole, events = run(
        "each",
        jobs=[
            ("one_text", {"url": scripted.url, **config, "audio_format": "pcm_s16le"}),
            ("one_text", {"url": scripted.url, **config}),
            ("stream", {"url": scripted.url, "pieces": ["Hello there. ", "Good."], **config}),
        ],
    )
    pieces = b"".join(base64.b64decode(event.get("audio", "")) for event in events)
    for data in (whole, pieces):
        with av.open(io.BytesIO(data)) as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
        assert abs(samples - len(raw) // 2) < 4_000


def test_streams(scripted: RunningServer) -> None:
    pieces = ["Hello th", "ere. How are", " you?"]
    events, audio, (two, one, cancelled, again), empty, wrong = run(
        "each",
        jobs=[
            ("stream", {"url": scripted.url, "pieces": pieces, "return_timestamps": True, "sample_rate": 16_000}),
            ("stream_asynchronous", {"url": scripted.url, "pieces": pieces}),
            ("several", {"url": scripted.url}),
            ("stream", {"url": scripted.url, "pieces": []}),
            ("stream", {"url": scripted.url, "pieces": ["x"], "model": "tts-none"}),
        ],
    )
    timed = [event["timestamps"] for event in events if event.get("timestamps")]
    assert "".join("".join(one["characters"]) for one in timed) == "Hello there. How are you?"
    places = [place for one in timed for place in one["character_start_times_seconds"]]
    assert places == sorted(places)
    assert [event.get("audio_end") for event in events[-2:]] == [True, None]
    assert events[-1] == {"stream_id": "s", "terminated": True}
    assert audio
    assert len(one) > len(two) > len(again) > 0
    assert cancelled == []
    assert empty == [{"stream_id": "s", "audio": "", "audio_end": True}, {"stream_id": "s", "terminated": True}]
    assert isinstance(wrong, Raised)
    assert "unknown model 'tts-none'" in wrong.text
    assert "(code 400)" in wrong.text


def test_keys(strict: RunningServer) -> None:
    longest = {"expires_in_seconds": 3_600}
    orders: list[dict[str, Any]] = [
        {"usage_type": "tts_rt", "single_use": True, **longest},
        {"usage_type": "tts_rt", **longest},
        {"usage_type": "transcribe_websocket", **longest},
    ]
    calls = [("auth.create_temporary_api_key", order) for order in orders]
    single, many, other = (
        answer["api_key"] for answer in soniox_client.run("rest", url=strict.url, key="secret", calls=calls)
    )
    jobs = [
        (job, {"url": strict.url, "key": key, **({"pieces": ["Hi."]} if job == "stream" else {"text": "Hi."})})
        for key in ("secret", many, other, "wrong")
        for job in ("stream", "one_text")
    ]
    jobs += [("stream", {"url": strict.url, "key": single, "pieces": ["Hi."]})] * 2
    *answers, first, second = run("each", jobs=jobs)
    assert not any(isinstance(answer, Raised) for answer in (*answers[:4], first))
    told = [answer.text for answer in (*answers[4:], second)]
    assert all("temporary API key is for transcribe_websocket, not for tts_rt" in text for text in told[:2])
    assert all("API key is not valid" in text for text in told[2:4])
    assert "unknown, expired or already used" in told[4]


def test_voices_are_listed_and_may_be_named(scripted: RunningServer) -> None:
    models, shared, female, none, own, count, refused = soniox_client.run(
        "rest",
        url=scripted.url,
        calls=[
            ("tts_models.list", {}),
            ("voices.list_shared", {"model": "tts-rt-v2", "limit": 2}),
            ("voices.list_shared", {"model": "tts-rt-v2", "gender": "female"}),
            ("voices.list_shared", {"model": "tts-rt-v2", "style": ["warm"]}),
            ("voices.list", {}),
            ("voices.count", {}),
            ("voices.create", {"name": "me", "file": b"RIFF", "filename": "me.wav"}),
        ],
    )
    newest = models["models"][0]
    assert newest["id"] == "tts-rt-v2"
    assert {"code": "es", "name": "Spanish"} in newest["languages"]
    assert [voice["id"] for voice in shared["voices"]] == [voice["id"] for voice in newest["voices"][:2]]
    assert shared["next_page_cursor"]
    assert {voice["gender"] for voice in female["voices"]} == {"female"}
    assert none["voices"] == own["voices"] == []
    assert count["total"] == 0
    assert isinstance(refused, Raised)
    assert "voices cannot be cloned here" in refused.text
    spanish = next(voice for voice in newest["voices"] if voice["id"].startswith("es-"))
    events = run("stream", url=scripted.url, pieces=["Hola."], voice=spanish["id"], language="es")
    assert events[-1]["terminated"]


def test_what_was_used_is_told_to_its_key(scripted: RunningServer) -> None:
    run("stream", url=scripted.url, pieces=["Hello there."], key="mine")
    window = {"start_time": "2020-01-01T00:00:00Z", "end_time": "2120-01-01T00:00:00Z"}
    now = datetime.now(UTC)
    days = {"start_time": (now - timedelta(days=1)).isoformat(), "end_time": (now + timedelta(days=1)).isoformat()}
    history = {"kind": "tts", "period_sec": 3_600}
    logs, summary, streams, none = soniox_client.run(
        "rest",
        url=scripted.url,
        key="mine",
        calls=[
            ("usage_logs.list", window),
            ("usage.summary", days),
            ("concurrency_limits.history", {**days, **history}),
            ("usage_logs.list", {**window, "end_time": "2020-01-02T00:00:00Z"}),
        ],
    )
    (one,) = logs["usage_logs"]
    assert (one["model"], one["input_text_tokens"], one["cost_usd"]) == ("tts-rt-v2", 2, "0")
    assert one["output_audio_duration_ms"] > 500
    assert summary["total"]["total_num_requests"] == 1
    assert [entry["model"] for entry in summary["models"]] == ["tts-rt-v2"]
    assert max(entry["sample_max"] for entry in streams["entries"]) == 1
    assert none["usage_logs"] == []
