"""What the official client shows its user when something is wrong, and what the other requests notice: nothing."""

import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.child import Raised
from tests.sdk.client import run_client
from tests.sdk.speech import bursts

SPANISH = {"target_language": "es"}
AUDIO = bursts(1, 24000).tobytes()

WRONG_SETUPS = [
    ({"input_format": "mp3"}, "input_format 'mp3'", "1008"),
    ({"output_format": "flac"}, "output_format 'flac'", "1008"),
    ({"json_config": "{"}, "json_config", "1008"),
    ({"json_config": {"target_language": "xx"}}, "no translator for en→xx", "1008"),
    ({"voice_id": "nobody-knows-it0"}, "Embeddings not found for nobody-knows-it0", "1011"),
    ({"json_config": SPANISH, "voice_id": "fr-chloe-espeak1"}, "speaks 'fr'", "1008"),
    ({"model_name": "unheard-of"}, "unknown model_name", "1003"),
    ({"voice_id": 3}, "voice_id", "1008"),
]


def test_wrong_setups_reach_the_user_through_every_entry_point(scripted: RunningServer) -> None:
    jobs = []
    for setup, _, _ in WRONG_SETUPS:
        plain = {"url": scripted.url, "setup": setup, "audio": AUDIO}
        jobs += [("buffered", plain), ("pulled", plain), ("realtime", plain)]
        jobs.append(("realtime", {**plain, "wait_for_ready": True}))
    results = run_client("each", jobs=jobs)
    for (setup, told, code), answers in zip(WRONG_SETUPS, zip(*[iter(results)] * 4, strict=True), strict=True):
        for answer in answers:
            assert isinstance(answer, Raised), (setup, answer)
            assert told in answer.text
            assert code in answer.text


@pytest.mark.parametrize(
    ("setup", "audio", "told"),
    [
        ({"input_format": "wav"}, b"not a wave file at all" * 50, "RIFF"),
        ({"input_format": "opus"}, b"not an ogg file at all" * 50, "Ogg"),
        ({"input_format": "wav"}, b"RIFF\x00", "WAV"),
    ],
)
def test_audio_that_is_not_its_format(scripted: RunningServer, setup: dict[str, str], audio: bytes, told: str) -> None:
    for job in ("buffered", "realtime"):
        answer = run_client(job, url=scripted.url, setup=setup, audio=audio)
        assert isinstance(answer, Raised)
        assert told.lower() in answer.text.lower()
        assert "1008" in answer.text


def test_keys_and_tokens() -> None:
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret-one, secret-two"}) as server:
        good = {"url": server.url, "setup": {"input_format": "pcm"}, "audio": AUDIO}
        jobs = [
            ("buffered", {**good, "key": "secret-one"}),
            ("buffered", {**good, "key": "secret-two"}),
            ("buffered", {**good, "key": "wrong"}),
            ("realtime", {**good, "key": "wrong"}),
            ("realtime", {**good, "key": "wrong", "wait_for_ready": True}),
            ("rest", {"url": server.url, "calls": [("credits", {})], "key": "wrong"}),
            ("rest", {"url": server.url, "calls": [("credits", {})], "key": "secret-one"}),
            ("token", {"url": server.url, "key": "secret-one", "setup": good["setup"], "audio": AUDIO}),
        ]
        one, two, *wrong, refused, credits_, token = run_client("each", jobs=jobs)
        assert "secret" not in server.log()
    assert one["text"] == two["text"] != ""
    for answer in wrong:
        assert isinstance(answer, Raised)
        assert "API key is not valid" in answer.text
        assert "1008" in answer.text
    assert isinstance(refused[0], Raised)
    assert "401" in refused[0].text
    assert credits_[0]["plan_name"] == "self-hosted"
    assert token["first"][-1] == "end_of_stream"
    assert token["second"] == {"type": "error", "code": 1008, "close": 1008}
    assert token["none"] == {"type": "error", "code": 1008, "close": 1008}


def test_rest(scripted: RunningServer) -> None:
    calls = [
        ("voice_get", {"include_catalog": True}),
        ("voice_get", {}),
        ("voice_get", {"voice_uid": "no-such-voice"}),
        ("credits", {}),
        ("usage_summary", {}),
        ("voice_delete", {"voice_uid": "any"}),
        ("voice_generate", {"prompt": "deep", "language": "en"}),
    ]
    catalogue, custom, missing, credits_, usage, delete, generate = run_client(
        "rest", url=scripted.url + "/api", calls=calls
    )
    assert {voice["language"] for voice in catalogue} >= {"en", "es", "fr", "pt", "de"}
    assert all(len(voice["uid"]) == 16 for voice in catalogue)
    assert custom == []
    assert "404" in missing.text
    assert "unknown voice" in missing.text
    assert credits_["remaining_credits"] <= credits_["allocated_credits"]
    assert usage["sessions"] >= 0
    assert "501" in delete.text
    assert "501" in generate.text


def test_a_full_server_refuses_the_next_and_keeps_the_rest() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__SESSIONS": "2"}) as server:
        answer = run_client("crowd", url=server.url, setup={"input_format": "pcm"}, audio=AUDIO, size=3)
    assert sorted(kind for kind, _ in answer) == ["end_of_stream", "end_of_stream", "error"]
    (told,) = [text for kind, text in answer if kind == "error"]
    assert "concurrency limit of 2" in told
    assert "try again in" in told
    assert "1008" in told


def test_limits_of_time_and_size() -> None:
    limits = {"DRAGOMAN_LIMITS__IDLE_S": "2", "DRAGOMAN_LIMITS__MESSAGE_BYTES": "100000"}
    with running_server(environment=limits) as server:
        setup = {"input_format": "pcm"}
        idle = run_client("realtime", url=server.url, setup=setup, audio=b"", eos=False)
        large = run_client("realtime", url=server.url, setup=setup, audio=bytes(90_000), size=90_000)
    assert isinstance(idle, Raised)
    assert "no message for 2 s" in idle.text
    assert "1008" in idle.text
    assert isinstance(large, Raised)
    assert "larger than 100000 bytes" in large.text
    assert "1009" in large.text


def test_a_session_that_lasts_too_long() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__SESSION_S": "0.7"}) as server:
        answer = run_client(
            "realtime", url=server.url, setup={"input_format": "pcm"}, audio=AUDIO * 20, size=4800, pause_s=0.1
        )
    assert isinstance(answer, Raised)
    assert "limit of 0.7 s" in answer.text
    assert "1008" in answer.text


def test_a_client_that_never_reads_is_bounded() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__OUTPUT_WAIT_S": "5"}) as server:
        answer = run_client("deaf", url=server.url, setup={"input_format": "pcm", "output_format": "pcm"}, audio=AUDIO)
        assert answer["ended"]
        assert server.get_json("/health")["status"] == "ok"
        after = run_client("buffered", url=server.url, setup={"input_format": "pcm"}, audio=AUDIO)
        assert after["text"]


def test_a_client_that_leaves_in_the_middle_frees_its_place() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__SESSIONS": "1"}) as server:
        for job in ("leaves", "crashes", "leaves"):
            run_client(job, url=server.url, setup={"input_format": "pcm"}, audio=AUDIO)
            run_client("until_free", url=server.url, setup={"input_format": "pcm"}, audio=AUDIO)
