"""The official `sarvamai` client, sync and async, against a server with the scripted engines."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.sarvam_client import Step, Talk, run_sarvam
from tests.sdk.speech import as_wav, bursts, resampled

KINDS = ["sync", "async"]
ONE, TWO, THREE = "Good morning.", "How are you today?", "Thank you very much."
SAMPLES = bursts(1, 16000)


def messages_of(samples: object = None, rate_hz: int = 16000, size: int = 4000) -> list[Step]:
    """A stream of messages, each a WAV file of its own, as the vendor's examples send them."""
    audio = SAMPLES if samples is None else samples
    return [("audio", as_wav(audio[at : at + size], rate_hz)) for at in range(0, len(audio), size)]  # type: ignore[index, arg-type]


THREE_UTTERANCES = messages_of(bursts(3, 16000))


@pytest.fixture(scope="module")
def hindi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on which somebody says two sentences in Hindi."""
    script: Path = tmp_path_factory.mktemp("script") / "hindi.txt"
    script.write_text("मेरा फ़ोन नंबर 42 है। | en: My phone number is 42.\nनमस्ते | en: Hello\n", encoding="utf-8")
    with running_server(environment={"DRAGOMAN_ENGINES__SCRIPT": str(script)}) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("socket", ["translate", "transcribe"])
def test_an_utterance_is_one_message(scripted: RunningServer, kind: str, socket: str) -> None:
    steps: list[Step] = [*THREE_UTTERANCES, ("until", "data", 3), ("flush",), ("sleep", 0.3)]
    begun_s = time.monotonic()
    talk = run_sarvam("talk", url=scripted.url, steps=steps, kind=kind, socket=socket)
    took_s = time.monotonic() - begun_s
    assert talk.raised is None
    assert talk.transcripts == [ONE, TWO, THREE]
    assert {name for _, name, _ in talk.messages} == {
        "SpeechToTextTranslateTranscriptionData" if socket == "translate" else "SpeechToTextTranscriptionData"
    }
    for data in talk.of("data"):
        assert data["language_code"] == "en-IN"
        # The detector's frames are 32 ms, and where the tone breaks off the filter before it rings for a few.
        assert data["metrics"]["audio_duration"] == pytest.approx(1.0, abs=0.07)
        assert 0 <= data["metrics"]["processing_latency"] < took_s
    assert len({data["request_id"] for data in talk.of("data")}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_signals_stand_around_speech(scripted: RunningServer, kind: str) -> None:
    steps: list[Step] = []
    for number in (1, 2):
        steps += [*messages_of(), ("until", "data", number)]
    talk = run_sarvam("talk", url=scripted.url, steps=steps, kind=kind, vad_signals=True)
    shown = [fields.get("signal_type") or fields["transcript"] for _, _, fields in talk.messages]
    assert shown == ["START_SPEECH", "END_SPEECH", ONE, "START_SPEECH", "END_SPEECH", TWO]
    times = [fields["occured_at"] for fields in talk.of("events")]
    assert times == sorted(times)
    assert {name for kind_, name, _ in talk.messages if kind_ == "events"} == {"EventsData"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_flush_ends_an_utterance_and_never_says_it_twice(scripted: RunningServer, kind: str) -> None:
    open_ended = messages_of(SAMPLES[:12000])
    pause = messages_of(SAMPLES[16000:])
    steps: list[Step] = [
        *open_ended, ("flush",), ("flush",), ("until", "data", 1), *pause, ("flush",), ("sleep", 0.3),
        *open_ended, ("flush",), ("until", "data", 2), ("flush",), ("sleep", 0.3),
    ]  # fmt: skip
    talk = run_sarvam("talk", url=scripted.url, steps=[*steps, ("raw", '{"type": "end"}'), ("until", "error", 1)],
                      kind=kind, vad_signals="true", flush_signal=True)  # fmt: skip
    assert talk.transcripts == [ONE, TWO]
    assert [event["signal_type"] for event in talk.of("events")] == ["START_SPEECH", "END_SPEECH"] * 2


def test_formats_and_rates(scripted: RunningServer) -> None:
    at_8k, at_44k = resampled(SAMPLES, 16000, 8000), resampled(SAMPLES, 16000, 44100)
    file = as_wav(SAMPLES, 16000)
    sliced: list[Step] = [("audio", file[at : at + 5000]) for at in range(0, len(file), 5000)]
    raw: list[Step] = [("audio", SAMPLES[at : at + 2000].tobytes()) for at in range(0, len(SAMPLES), 2000)]
    raw_8k: list[Step] = [("audio", at_8k.tobytes(), {"sample_rate": 8000})]
    cases: list[tuple[list[Step], dict[str, str]]] = [
        (messages_of(), {}),
        (messages_of(), {"input_audio_codec": "wav", "sample_rate": "16000"}),
        (messages_of(at_8k, 8000), {"sample_rate": "8000"}),
        (messages_of(at_44k, 44100, 10_000), {"sample_rate": "16000"}),
        (sliced, {}),
        *((raw, {"input_audio_codec": codec}) for codec in ("pcm_s16le", "pcm_l16", "pcm_raw")),
        *((raw_8k, {"input_audio_codec": codec, "sample_rate": "8000"}) for codec in ("pcm_s16le", "pcm_raw")),
    ]
    jobs = [{"url": scripted.url, "steps": [*steps, ("until", "data", 1)], **connect} for steps, connect in cases]
    for (_, connect), talk in zip(cases, run_sarvam("talks", jobs=jobs), strict=True):
        assert talk.raised is None, connect
        assert talk.transcripts == [ONE], connect
        duration = talk.of("data")[0]["metrics"]["audio_duration"]
        assert duration == pytest.approx(1.0, abs=0.07), connect


def test_modes_and_languages(hindi: RunningServer) -> None:
    steps: list[Step] = [*messages_of(), ("until", "data", 1)]
    expected = {
        "translate": "My phone number is 42.",
        "transcribe": "मेरा फ़ोन नंबर 42 है।",
        "verbatim": "मेरा फ़ोन नंबर 42 है।",
        "codemix": "मेरा फ़ोन नंबर 42 है।",
        "translit": "mera fon nambar 42 hai.",
    }
    jobs = [
        {"url": hindi.url, "socket": "transcribe", "steps": steps, "language_code": "hi-IN", "mode": mode}
        for mode in expected
    ]
    for talk, text in zip(run_sarvam("talks", jobs=jobs), expected.values(), strict=True):
        assert talk.transcripts == [text]
        assert talk.of("data")[0]["language_code"] == "hi-IN"
        assert talk.of("data")[0]["language_probability"] is None


def test_the_other_modes_of_the_translate_socket(scripted: RunningServer) -> None:
    more = {"additional_query_parameters": {"model": "saaras:v3", "mode": "translit", "language_code": "hi-IN"}}
    steps: list[Step] = [("prompt", "Sarvam, Delhi"), *messages_of(), ("until", "data", 1)]
    talk = run_sarvam("talk", url=scripted.url, steps=steps, request_options=more)
    assert talk.transcripts == [ONE]
    assert talk.of("data")[0]["language_code"] == "en-IN", "the language cannot be named on this socket"


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_parameters_reach_the_user(scripted: RunningServer, kind: str) -> None:
    cases = [
        ({"model": "saaras:v9"}, "unknown model 'saaras:v9'"),
        ({"request_options": {"additional_query_parameters": {"mode": "sing"}}}, "unknown mode 'sing'"),
        ({"sample_rate": "44100"}, "unknown sample_rate '44100'"),
        ({"input_audio_codec": "mp3"}, "unknown input_audio_codec 'mp3'"),
        ({"positive_speech_threshold": "1.5"}, "positive_speech_threshold"),
        ({"min_speech_frames": "many"}, "min_speech_frames"),
        ({"negative_frames_count": "5", "negative_frames_window": "4"}, "negative_frames_count 5"),
        ({"model": "saaras:v2.5", "request_options": {"additional_query_parameters": {"mode": "codemix"}}}, "no mode"),
        ({"socket": "transcribe", "language_code": "xx-IN"}, "unknown language-code 'xx-IN'"),
        ({"socket": "transcribe", "keyterms": "Delhi"}, "keyterms"),
    ]
    steps: list[Step] = [*messages_of()[:1], ("rest",)]
    jobs = [{"url": scripted.url, "steps": steps, "kind": kind, **connect} for connect, _ in cases]
    for (connect, told), talk in zip(cases, run_sarvam("talks", jobs=jobs), strict=True):
        ((_, name, error),) = talk.messages
        assert name == "ErrorData", connect
        assert told in error["error"]
        assert error["code"] == "invalid_config"
        assert talk.closed == (4000, error["error"][:123])


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_read_is_told_and_the_talk_goes_on(scripted: RunningServer, kind: str) -> None:
    steps: list[Step] = [
        ("raw", "{"), ("raw", '{"type": "sing"}'), ("raw", '{"audio": {"data": "%"}}'), ("raw", b"\0\0"),
        *messages_of(), ("until", "data", 1), ("audio", b"RIFF\0\0\0\0AVI LIST"), ("rest",),
    ]  # fmt: skip
    talk = run_sarvam("talk", url=scripted.url, steps=steps, kind=kind)
    assert [error["code"] for error in talk.of("error")] == [
        "invalid_message", "invalid_message", "invalid_audio", "invalid_message", "invalid_audio",
    ]  # fmt: skip
    assert talk.transcripts == [ONE]
    assert talk.closed is not None
    assert talk.closed[0] == 1003


def test_keys() -> None:
    steps: list[Step] = [*messages_of(), ("until", "data", 1)]
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret-one"}) as server:
        good = {"url": server.url, "steps": steps}
        jobs = [
            {**good, "key": "secret-one", "kind": "async"},
            {**good, "key": "wrong", "kind": "async"},
            {**good, "key": "wrong", "kind": "sync"},
            {**good, "key": "wrong", "api_subscription_key": "secret-one"},
            {**good, "key": "secret-one", "api_subscription_key": "wrong", "kind": "async"},
            {**good, "url": server.url + "/", "key": "secret-one"},
        ]
        one, patient, sync, per_call, last, slashed = run_sarvam("talks", jobs=jobs)
        assert "secret" not in server.log()
    assert one.transcripts == per_call.transcripts == slashed.transcripts == [ONE]
    for refused in (patient, last):
        assert refused.raised.kind == "ApiError"
        assert "401" in refused.raised.text
        assert "invalid credentials" in refused.raised.text
    assert sync.raised.kind == "InvalidStatus"
    assert "401" in sync.raised.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_falls_silent_and_never_closes(kind: str) -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__IDLE_S": "2"}) as server:
        # Speech without a pause behind it: only the silence of the socket ends it.
        talk = run_sarvam("talk", url=server.url, steps=[*messages_of(SAMPLES[:12000]), ("rest",)], kind=kind)
        told = run_sarvam("listening", url=server.url, audio=as_wav(SAMPLES[:12000], 16000), kind=kind)
    assert talk.transcripts == [ONE]
    assert talk.of("error")[0]["code"] == "idle_timeout"
    assert talk.closed == (1008, "no message for 2 s")
    assert told == ["open", "events", "events", "data", "error", ("closed", 1008), "close"]


def test_a_full_server_and_clients_that_leave_early() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__SESSIONS": "1"}) as server:
        url = server.url
        for leaving in ("leaves", "crashes", "leaves"):
            if leaving == "crashes":
                assert run_sarvam("crashes", url=url, audio=as_wav(SAMPLES[:8000], 16000))
            else:
                assert run_sarvam("talk", url=url, steps=messages_of(SAMPLES[:8000])).raised is None
            assert until_free(url).transcripts == [ONE]


def until_free(url: str) -> Talk:
    """Try until the server has room again; it must have it within moments."""
    steps: list[Step] = [*messages_of(), ("flush",), ("until", "data", 1)]
    for _ in range(20):
        talk: Talk = run_sarvam("talk", url=url, steps=[steps[0], ("sleep", 0.05), *steps[1:]])
        if talk.transcripts:
            return talk
        assert talk.of("error")[0]["code"] == "rate_limit_exceeded"
        assert talk.closed is not None
        assert talk.closed[0] == 1003
    raise AssertionError("the place of a client that left was never free again")


def test_a_client_that_reads_late_loses_nothing(scripted: RunningServer) -> None:
    steps: list[Step] = [
        *messages_of(bursts(30, 16000), size=40_000),
        ("flush",),
        ("sleep", 1.5),
        ("until", "data", 30),
    ]
    talk = run_sarvam("talk", url=scripted.url, steps=steps, vad_signals=True)
    assert talk.transcripts == [ONE, TWO, THREE] * 10
    assert len(talk.of("events")) == 60


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("end", ['{"type": "end_of_stream"}', '{"type":"end_of_stream","audio":{"data":""}}'])
def test_the_end_of_the_stream_as_plugins_send_it(scripted: RunningServer, kind: str, end: str) -> None:
    """The utterance goes on when the audio ends: it is told all the same, and the connection closes by itself."""
    speech = as_wav(bursts(1, 16000, 1.0, 0.0), 16000)
    steps: list[Step] = [("audio", speech), ("raw", end), ("rest",)]
    talk = run_sarvam("talk", url=scripted.url, steps=steps, kind=kind, vad_signals="true")
    assert [event["signal_type"] for event in talk.of("events")] == ["START_SPEECH", "END_SPEECH"]
    assert talk.transcripts == ["Good morning."]
    assert talk.closed[0] == 1000
