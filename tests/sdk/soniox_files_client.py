"""Jobs of the real `soniox` package with files (`tests/sdk/child.py`)."""

import functools
from collections.abc import Callable
from typing import Any

from tests.sdk.child import Raised, run_job
from tests.sdk.soniox_client import _client

run = functools.partial(run_job, "tests.sdk.soniox_files_client")

MODEL = "stt-async-v5"
WAIT_S = 0.05
SECRET = ("X-Soniox-Webhook-Secret", "word")


def _spanish() -> Any:
    from soniox.types import CreateTranscriptionConfig, TranslationConfig

    return CreateTranscriptionConfig(
        translation=TranslationConfig(type="one_way", target_language="es"), enable_language_identification=True
    )


def _found(transcription: Any, transcript: Any, left: tuple[int, int]) -> dict[str, Any]:
    return {
        "status": transcription.status,
        "audio_duration_ms": transcription.audio_duration_ms,
        "text": transcript.text,
        "tokens": [token.model_dump(exclude_unset=True) for token in transcript.tokens],
        "left": left,
    }


def whole(url: str, data: bytes) -> dict[str, Any]:
    """Upload, transcribe with a translation, read, delete."""
    client = _client(url, "k")
    file = client.files.upload(data, filename="talk.wav")
    made = client.stt.transcribe_and_wait(model=MODEL, file_id=file.id, config=_spanish(), wait_interval_sec=WAIT_S)
    transcript = client.stt.get_transcript(made.id)
    client.stt.delete(made.id)
    client.files.delete(file.id)
    return _found(made, transcript, (client.files.count().total, client.stt.count().total))


async def whole_asynchronous(url: str, data: bytes) -> dict[str, Any]:
    """The same without blocking."""
    client = _client(url, "k", "AsyncSonioxClient")
    file = await client.files.upload(data, filename="talk.wav")
    made = await client.stt.transcribe_and_wait(
        model=MODEL, file_id=file.id, config=_spanish(), wait_interval_sec=WAIT_S
    )
    transcript = await client.stt.get_transcript(made.id)
    await client.stt.delete(made.id)
    await client.files.delete(file.id)
    return _found(made, transcript, ((await client.files.count()).total, (await client.stt.count()).total))


def tour(url: str, data: bytes) -> dict[str, Any]:
    """Whatever else there is to call."""
    client = _client(url, "k")
    files = [client.files.upload(data, client_reference_id="mine") for _ in range(3)]
    made = client.stt.create(model=MODEL, file_id=files[0].id)
    done = client.stt.wait(made.id, interval_sec=WAIT_S)
    found: dict[str, Any] = {
        "named": (files[0].filename, files[0].client_reference_id),
        "pages": len([*client.files.list_all(limit=2)]),
        "absent": [client.files.get_or_none("x"), client.stt.get_or_none("x")],
        "one": (done.status, client.stt.get_transcript(made.id).text),
        "direct": client.stt.transcribe_and_wait_with_tokens(
            model=MODEL, file=data, wait_interval_sec=WAIT_S, delete_after=True
        ).text,
    }
    noise = client.files.upload(b"no audio at all " * 1_000)
    broken = client.stt.create(model=MODEL, file_id=noise.id)
    while (failed := client.stt.get(broken.id)).status not in ("completed", "error"):
        pass
    found["failed"] = (failed.status, failed.error_message)
    found["errors"] = [
        _error(lambda: client.files.get("x")),
        _error(lambda: client.stt.get("x")),
        _error(lambda: client.stt.create(model=MODEL, file_id="x")),
        _error(lambda: client.stt.create(model=MODEL, audio_url="https://example.org/a.wav")),
        _error(lambda: client.stt.create(model="stt-rt-v6", file_id=files[0].id)),
        _error(lambda: client.stt.get_transcript(broken.id)),
    ]
    client.stt.delete_all()
    client.files.delete_all()
    found["left"] = (client.files.count().total, client.stt.count().total)
    return found


def elsewhere(url: str, host: str) -> dict[str, Any]:
    """A transcription of a file at an address, with a webhook."""
    from soniox.types import CreateTranscriptionConfig

    client = _client(url, "k")
    config = CreateTranscriptionConfig(
        webhook_url=f"{host}/hook", webhook_auth_header_name=SECRET[0], webhook_auth_header_value=SECRET[1]
    )
    made = client.stt.create(model=MODEL, audio_url=f"{host}/talk.wav", config=config)
    done = client.stt.wait(made.id, interval_sec=WAIT_S)
    while (status := client.stt.get(made.id).webhook_status_code) is None:
        pass
    text = client.stt.get_transcript(made.id).text
    return {"id": done.id, "status": done.status, "text": text, "webhook_status_code": status}


def unwrapped(url: str, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """What a webhook was told, as the package reads it."""
    from soniox.types import WebhookAuthConfig

    event = _client(url, "k").webhooks.unwrap(body, headers, auth=WebhookAuthConfig(name=SECRET[0], value=SECRET[1]))
    return event.id, event.status


def strangers(url: str, data: bytes) -> Any:
    """What one key has, and another one sees of it."""
    mine, yours = _client(url, "mine"), _client(url, "yours")
    file = mine.files.upload(data)
    made = mine.stt.transcribe_and_wait(model=MODEL, file_id=file.id, wait_interval_sec=WAIT_S)
    return (
        (mine.files.count().total, mine.stt.count().total),
        (
            yours.files.count().total,
            yours.stt.count().total,
            yours.files.get_or_none(file.id),
            yours.stt.get_or_none(made.id),
        ),
    )


def ordered(url: str, data: bytes) -> str:
    """Order a transcription, and leave."""
    client = _client(url, "k")
    return client.stt.create(model=MODEL, file_id=client.files.upload(data).id).id  # type: ignore[no-any-return]


def awaited(url: str, uid: str) -> tuple[str, str]:
    """Wait for a transcription."""
    client = _client(url, "k")
    return client.stt.wait(uid, interval_sec=WAIT_S).status, client.stt.get_transcript(uid).text


def _error(call: Callable[[], object]) -> Raised:
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return Raised.of(error)
    return Raised("nothing", "")
