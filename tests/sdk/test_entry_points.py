"""The three ways into speech-to-speech that the official client has, on the scripted engines."""

import itertools

import numpy as np
import pytest

from dragoman.testing import RunningServer
from tests.sdk.child import Raised
from tests.sdk.client import run_client
from tests.sdk.speech import bursts, from_format, in_format

FORMATS = ["pcm", "pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000", "wav", "opus",
           "ulaw_8000", "mulaw_8000", "alaw_8000"]  # fmt: skip
SPANISH = {"target_language": "es"}


def check_result(result: dict, output_format: str, clauses: int) -> None:  # type: ignore[type-arg]
    assert not isinstance(result, Raised), result
    assert len(result["times"]) == clauses
    samples, rate = from_format(output_format, result["raw"])
    assert rate == result["rate"]
    assert np.abs(samples).max() > 1000
    stop_s = result["times"][-1][2]
    assert len(samples) / rate == pytest.approx(stop_s, abs=0.03)


def test_buffered_in_every_input_and_output_format(scripted: RunningServer) -> None:
    jobs = []
    pairs = [(name, "pcm") for name in FORMATS] + [("pcm", name) for name in FORMATS]
    for source, output in pairs:
        setup = {"input_format": source, "output_format": output, "json_config": SPANISH}
        audio = in_format(source, bursts(2, 48000), 48000)
        jobs.append(("buffered", {"url": scripted.url, "setup": setup, "audio": audio}))
    for (_, output), result in zip(pairs, run_client("each", jobs=jobs), strict=True):
        check_result(result, output, clauses=2)


def test_buffered_numpy_without_any_format(scripted: RunningServer) -> None:
    for audio in (bursts(2, 24000), (bursts(2, 24000) / 32768).astype(np.float32)):
        result = run_client("buffered", url=scripted.url, setup={}, audio=audio, rate=24000)
        check_result(result, "wav", clauses=2)


@pytest.mark.parametrize("base", ["", "/api", "/api/"])
def test_base_urls(scripted: RunningServer, base: str) -> None:
    setup = {"input_format": "pcm_16000", "output_format": "pcm_16000", "json_config": SPANISH}
    audio = bursts(1, 16000).tobytes()
    check_result(run_client("buffered", url=scripted.url + base, setup=setup, audio=audio), "pcm_16000", clauses=1)


def test_base_url_without_a_scheme(scripted: RunningServer) -> None:
    audio = bursts(1, 24000).tobytes()
    result = run_client("buffered", url=scripted.url.removeprefix("http://"), setup={}, audio=audio)
    check_result(result, "wav", clauses=1)


def test_pulled(scripted: RunningServer) -> None:
    setup = {"input_format": "wav", "output_format": "opus", "json_config": SPANISH}
    events = run_client("pulled", url=scripted.url, setup=setup, audio=in_format("wav", bursts(3, 22050), 22050))
    kinds = [event["type"] for event in events]
    assert kinds.count("text") == 3
    assert kinds[-1] == "end_of_stream"
    assert kinds.index("text") < kinds.index("audio")


@pytest.mark.parametrize("wait_for_ready", [False, True])
def test_realtime(scripted: RunningServer, wait_for_ready: bool) -> None:
    messages = run_client(
        "realtime",
        url=scripted.url,
        setup={"input_format": "pcm", "output_format": "pcm", "json_config": SPANISH},
        audio=bursts(3, 24000).tobytes(),
        wait_for_ready=wait_for_ready,
    )
    assert messages[0]["type"] == "ready"
    assert messages[-1] == {"type": "end_of_stream"}
    assert {message["type"] for message in messages[1:-1]} == {"text", "audio"}
    check_stream(messages[1:-1])


def check_stream(messages: list) -> None:  # type: ignore[type-arg]
    """Audio abuts; each text comes before the audio that says it; every field has its type."""
    position = 0.0
    for message in messages:
        assert message["stream_id"] == 0
        if message["type"] == "audio":
            assert message["start_s"] == pytest.approx(position, abs=1e-5)
            position = message["stop_s"]
            assert len(message["audio"]) / 2 / 48000 == pytest.approx(position - message["start_s"], abs=1e-4)
            assert position - message["start_s"] <= 0.4
        else:
            assert message["text"] == message["text"].strip() != ""
            assert message["start_s"] >= position - 1e-5
            assert message["stop_s"] > message["start_s"]
    starts = [message["start_s"] for message in messages if message["type"] == "text"]
    assert starts == sorted(starts)


def test_output_begins_while_input_goes_on(scripted: RunningServer) -> None:
    found = run_client(
        "first_output",
        url=scripted.url,
        setup={"input_format": "pcm_16000", "json_config": SPANISH},
        audio=bursts(2, 16000).tobytes(),
    )
    assert not isinstance(found, Raised), found
    assert found["before"][-1] == "audio"
    assert found["after"][-1] == "end_of_stream"
    assert "text" in found["after"]


def test_everything_sent_before_anything_is_read(scripted: RunningServer) -> None:
    messages = run_client(
        "send_all_then_read",
        url=scripted.url,
        setup={"input_format": "pcm", "output_format": "pcm", "json_config": SPANISH},
        audio=bursts(20, 24000).tobytes(),
    )
    assert [message["type"] for message in messages].count("text") == 20
    assert messages[-1]["type"] == "end_of_stream"


@pytest.mark.parametrize("output", ["pcm", "wav", "opus"])
def test_empty_input(scripted: RunningServer, output: str) -> None:
    messages = run_client("realtime", url=scripted.url, setup={"output_format": output}, audio=b"")
    assert [message["type"] for message in messages] == ["ready", "end_of_stream"]


def test_silence_gives_a_valid_empty_file(scripted: RunningServer) -> None:
    setup = {"input_format": "pcm", "output_format": "wav"}
    result = run_client("buffered", url=scripted.url, setup=setup, audio=bytes(48000))
    samples, _ = from_format("wav", result["raw"])
    assert len(samples) == 0


def test_requests_one_after_the_other_on_one_socket(scripted: RunningServer) -> None:
    setups = [{"input_format": "pcm", "output_format": name, "json_config": SPANISH} for name in ("wav", "pcm", "opus")]
    *rounds, last = run_client("reused", url=scripted.url, setups=setups, audio=bursts(1, 24000).tobytes())
    assert [[message["type"] for message in one][:: len(one) - 1] for one in rounds] == [["ready", "end_of_stream"]] * 3
    assert all(any(message["type"] == "text" for message in one) for one in rounds)
    assert len({one[0]["request_id"] for one in rounds}) == 3
    assert [message["type"] for message in last] == ["end_of_stream"]


def test_many_requests_at_once_on_one_socket(scripted: RunningServer) -> None:
    outputs = ["pcm", "pcm_8000", "wav", "opus", "ulaw_8000"]
    requests = {
        f"r{number}": {"input_format": "pcm_16000", "output_format": output, "json_config": SPANISH}
        for number, output in enumerate(outputs)
    }
    audio = {name: bursts(number + 1, 16000).tobytes() for number, name in enumerate(requests)}
    received = run_client("multiplexed", url=scripted.url, requests=requests, audio=audio)
    for number, (name, output) in enumerate(zip(requests, outputs, strict=True)):
        messages = received[name]
        assert (messages[0]["type"], messages[-1]["type"]) == ("ready", "end_of_stream")
        assert [message["type"] for message in messages].count("text") == number + 1
        raw = b"".join(message["audio"] for message in messages if message["type"] == "audio")
        samples, rate = from_format(output, raw)
        stop_s = max(message["stop_s"] for message in messages if message["type"] == "audio")
        assert len(samples) / rate == pytest.approx(stop_s, abs=0.03)
    assert [message["type"] for message in received[None]] == ["end_of_stream"]


def test_format_table_is_the_servers(scripted: RunningServer) -> None:
    from dragoman.server.protocols.gradium.formats import INPUTS, OUTPUTS

    assert set(FORMATS) == set(INPUTS) == set(OUTPUTS)
    assert all(INPUTS[name] == OUTPUTS[name] for name in itertools.filterfalse({"pcm", "wav"}.__contains__, FORMATS))
