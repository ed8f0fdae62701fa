"""The real `soniox` package uploads, transcribes and translates files on a real server, with both of its clients."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.child import Raised
from tests.sdk.soniox_files_client import run
from tests.sdk.speech import as_ogg_opus, as_wav, bursts

RATE = 16_000
SAID = "Good morning. How are you today? Thank you very much."


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a folder of its own."""
    folder = tmp_path_factory.mktemp("files")
    with running_server("scripted", environment={"DRAGOMAN_FILES_DIR": str(folder)}) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("job", ["whole", "whole_asynchronous"])
def test_a_file_is_transcribed_and_translated(keeping: RunningServer, job: str) -> None:
    found = run(job, url=keeping.url, data=as_wav(bursts(3, RATE), RATE))
    assert not isinstance(found, Raised), found
    assert (found["status"], found["audio_duration_ms"]) == ("completed", 5_700)
    assert found["text"] == SAID
    statuses = [token["translation_status"] for token in found["tokens"]]
    assert statuses[:4] == ["original", "original", "translation", "translation"]
    assert {token["language"] for token in found["tokens"]} == {"en", "es"}
    assert found["left"] == (0, 0)


def test_what_the_package_asks_besides(keeping: RunningServer) -> None:
    found = run("tour", url=keeping.url, data=as_ogg_opus(bursts(1, RATE), RATE))
    assert not isinstance(found, Raised), found
    assert found["named"] == ("upload.bin", "mine")
    assert found["pages"] == 3
    assert found["absent"] == [None, None]
    assert found["direct"] == "Good morning."
    assert found["one"] == ("completed", "Good morning.")
    errors = found["errors"]
    assert [(error.kind, error.text.partition(": use")[0]) for error in errors] == [
        ("SonioxNotFoundError", "there is no such file (HTTP 404)"),
        ("SonioxNotFoundError", "there is no such transcription (HTTP 404)"),
        ("SonioxInvalidRequestError", "file_id: there is no such file (HTTP 400)"),
        ("SonioxInvalidRequestError", "audio_url is not served here: upload the file and give its file_id, or let the operator allow its host (outgoing.hosts) (HTTP 400)"),  # noqa: E501
        ("SonioxInvalidRequestError", "unknown model 'stt-rt-v6'"),
        ("SonioxConflictError", "the transcription has failed (HTTP 409)"),
    ]  # fmt: skip
    assert found["failed"][0] == "error"
    assert "no known container begins here" in found["failed"][1]
    assert found["left"] == (0, 0)


def test_a_file_elsewhere_and_a_webhook(tmp_path: Path) -> None:
    class FakeElsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(sound)

        def do_POST(self) -> None:
            told.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    told: list[tuple[dict[str, str], bytes]] = []
    sound = as_wav(bursts(1, RATE), RATE)
    environment = {
        "DRAGOMAN_FILES_DIR": str(tmp_path / "files"),
        "DRAGOMAN_OUTGOING__HOSTS": '["127.0.0.1"]',
        "DRAGOMAN_OUTGOING__NETWORKS": '["127.0.0.0/8"]',
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeElsewhere) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        try:
            with running_server("scripted", environment=environment) as server:
                found = run("elsewhere", url=server.url, host=f"http://127.0.0.1:{host.server_port}")
                assert not isinstance(found, Raised), found
                (headers, body) = told[0]
                event = run("unwrapped", url=server.url, headers=headers, body=body)
        finally:
            host.shutdown()
            thread.join()
    assert (found["status"], found["text"], found["webhook_status_code"]) == ("completed", "Good morning.", 204)
    assert event == (found["id"], "completed")


def test_another_key_sees_nothing(keeping: RunningServer) -> None:
    mine, yours = run("strangers", url=keeping.url, data=as_wav(bursts(1, RATE), RATE))
    assert mine == (1, 1)
    assert yours == (0, 0, None, None)


def test_a_server_that_starts_again_goes_on(tmp_path: Path) -> None:
    environment = {"DRAGOMAN_FILES_DIR": str(tmp_path / "files")}
    data = as_wav(bursts(2, RATE), RATE)
    with running_server("scripted", environment=environment) as server:
        made = run("ordered", url=server.url, data=data)
    with running_server("scripted", environment=environment) as server:
        found = run("awaited", url=server.url, uid=made)
    assert found == ("completed", "Good morning. How are you today?")
