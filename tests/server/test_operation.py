"""The operator's side of a real server: health, readiness, metrics, drain, and what it leaves behind."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dragoman.server.wire import encode_base64
from dragoman.testing import RunningServer, running_server
from tests.sdk.speech import bursts
from tests.server.resources import held, metrics, nothing_stays
from tests.waiting import PATIENCE_S, until, until_async

AUDIO = bursts(1, 24000).tobytes()


def socket_url(server: RunningServer) -> str:
    return server.url.replace("http", "ws") + "/speech/s2s"


async def say(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def hear_all(socket: ClientConnection) -> list[dict[str, object]]:
    """Every message up to the Close frame, whatever its code."""
    messages = []
    try:
        while True:
            messages.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        assert socket.close_code not in (None, 1006), "the connection ended without a Close frame"
        return messages


async def converse(server: RunningServer, audio: bytes = AUDIO, **setup: object) -> list[dict[str, object]]:
    async with connect(socket_url(server)) as socket:
        await say(socket, "setup", input_format="pcm", output_format="pcm_8000", **setup)
        await say(socket, "audio", audio=encode_base64(audio))
        await say(socket, "end_of_stream")
        return await hear_all(socket)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running
        assert "Traceback" not in running.log()


def test_health_and_readiness(server: RunningServer) -> None:
    assert server.get_json("/health")["status"] == "ok"
    ready = server.get_json("/ready")
    assert (ready["ready"], ready["engines"]) == (True, "scripted")
    assert ready["recognise"]["en"] == "scripted"
    assert ready["translate"]["en→es"] == "scripted"


def test_docs_of_the_rest_endpoints(server: RunningServer) -> None:
    paths = server.get_json("/openapi.json")["paths"]
    assert {"/health", "/ready", "/metrics", "/api/voices/", "/voices/"} <= set(paths)


async def test_metrics_count_what_happened(server: RunningServer) -> None:
    await converse(server)
    await converse(server, voice_id="nobody")
    lines = metrics(server)
    assert float(lines['dragoman_sessions{protocol="gradium"}']) == 0
    assert float(lines['dragoman_sessions_opened_total{protocol="gradium"}']) >= 1
    assert float(lines['dragoman_audio_in_seconds_total{protocol="gradium"}']) >= 1.9
    assert float(lines['dragoman_audio_out_seconds_total{protocol="gradium"}']) > 0.2
    assert float(lines['dragoman_errors_total{code="1011",protocol="gradium"}']) >= 1
    assert float(lines['dragoman_clause_delay_seconds_count{protocol="gradium"}']) >= 1
    assert float(lines['dragoman_stage_seconds_count{stage="recognise"}']) >= 1


async def test_sessions_never_mix(server: RunningServer) -> None:
    """Many sessions at once, each with its own number of utterances, target and voice; each hears its own only."""

    async def one(number: int) -> None:
        target = ("es", "fr", "de", "pt")[number % 4]
        count = 1 + number % 5
        config = {"target_language": target, "source_times": True}
        messages = await converse(
            server, bursts(count, 24000).tobytes(), json_config=config, client_req_id=f"c{number}"
        )
        assert all(message["client_req_id"] == f"c{number}" for message in messages)
        expected = {
            "es": ("Buenos días.", "¿Cómo está usted hoy?", "Muchas gracias."),
            "fr": ("Bonjour.", "Comment allez-vous aujourd'hui ?", "Merci beaucoup."),
            "de": ("Guten Morgen.", "Wie geht es Ihnen heute?", "Vielen Dank."),
            "pt": ("Bom dia.", "Como está hoje?", "Muito obrigado."),
        }[target]
        texts = [message["text"] for message in messages if message["type"] == "text"]
        assert texts == [expected[index % 3] for index in range(count)]

    await asyncio.gather(*(one(number) for number in range(24)))


async def test_two_hundred_sessions_dropped_in_the_middle_leave_nothing(server: RunningServer) -> None:
    async def drop(number: int) -> None:
        async with connect(socket_url(server), close_timeout=0.2) as socket:
            await say(socket, "setup", input_format="pcm", json_config={"target_language": "es"})
            await say(socket, "audio", audio=encode_base64(AUDIO[: 24000 + 100 * number]))
            if number % 3 == 0:
                await socket.recv()
            if number % 2:
                socket.transport.abort()

    for number in range(8):
        await drop(number)
    before = held(server)
    for start in range(0, 200, 20):
        await asyncio.gather(*(drop(number) for number in range(start, start + 20)))
    nothing_stays(server, before, 200)


async def open_session(server: RunningServer) -> ClientConnection:
    socket = await connect(socket_url(server))
    await say(socket, "setup", input_format="pcm", output_format="pcm_8000")
    assert json.loads(await socket.recv())["type"] == "ready"
    return socket


async def test_sigterm_lets_running_sessions_finish_and_nobody_in() -> None:
    with running_server() as server:
        socket, idle = await open_session(server), await connect(socket_url(server))
        await drain(server)
        assert server.get_json("/health")["status"] == "ok"
        refused = await converse(server)
        assert [message["type"] for message in refused] == ["error"]
        assert "shutting down" in str(refused[0]["message"])
        await say(socket, "audio", audio=encode_base64(AUDIO))
        await say(socket, "end_of_stream")
        kinds = [message["type"] for message in await hear_all(socket)]
        assert kinds[0] == "text"
        assert kinds[-1] == "end_of_stream"
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(idle.recv(), PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert await ended(server) == 0
        assert "Traceback" not in server.log()


async def test_sigterm_waits_for_a_client_that_reads_late() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__DRAIN_S": "600"}) as server:
        async with connect(socket_url(server), max_queue=1) as socket:
            await say(socket, "setup", input_format="pcm", output_format="pcm")
            await say(socket, "audio", audio=encode_base64(bursts(60, 24000).tobytes()))
            await say(socket, "end_of_stream")
            await until_async(lambda: not server.get_json("/ready")["sessions"], "the session has said everything")
            await drain(server)
            kinds = [message["type"] for message in await hear_all(socket)]
        assert (kinds.count("text"), kinds[-1], socket.close_code) == (60, "end_of_stream", 1000)
        assert await ended(server) == 0


async def test_drain_ends_at_its_limit_and_tells_who_is_still_there() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__DRAIN_S": "0.3"}) as server:
        socket = await open_session(server)
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            error = json.loads(await socket.recv())
            assert (error["type"], error["code"]) == ("error", 1011)
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        assert socket.close_code == 1001
        assert await ended(server) == 0


async def test_a_second_signal_ends_at_once() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__DRAIN_S": "600"}) as server:
        socket = await open_session(server)
        await drain(server)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        await ended(server)
        await socket.close()


async def drain(server: RunningServer) -> None:
    """Send SIGTERM and wait until the server has taken it."""
    server.process.send_signal(signal.SIGTERM)
    await until_async(lambda: not server.get_json("/ready")["ready"], "the drain has begun")


async def ended(server: RunningServer) -> int:
    """The exit status, once there is one."""
    return await asyncio.to_thread(server.process.wait, PATIENCE_S)


def test_strangers_are_not_served_by_accident() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", "serve", "--host", "0.0.0.0", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "DRAGOMAN_API_KEYS" in done.stderr


def test_engines_that_cannot_be_loaded_are_told_and_the_server_lives(tmp_path: Path) -> None:
    environment = {"DRAGOMAN_ENGINES__SCRIPT": str(tmp_path / "none.txt")}
    with running_server(environment=environment, wait=False) as server:
        until(lambda: "cannot read the script" in reason(server), "the reason is told")
        assert server.get_json("/health")["status"] == "ok"
        messages = asyncio.run(converse(server))
        assert messages[0]["type"] == "error"
        assert messages[0]["code"] == 1011


def reason(server: RunningServer) -> str:
    """Why the server is not ready; nothing while it does not listen yet."""
    try:
        return str(server.get_json("/ready").get("reason", ""))
    except OSError:
        return ""


def test_unknown_paths_are_json(server: RunningServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(server.url + "/nowhere")
    with error.value as response:
        assert response.status == 404
        assert "detail" in msgspec.json.decode(response.read())
