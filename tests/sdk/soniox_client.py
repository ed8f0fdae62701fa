"""Jobs of the real `soniox` package (`tests/sdk/child.py`). Its iterators only end when the server closes.

What a client does is a list of steps: `("send", data, size, pause_s)`, `("sleep", s)`, `("until", text)`, which waits
until the client could show that text, or the name of a method of the session, such as `("finalize",)`. Events come back
as the dictionaries that they were on the wire.
"""

import asyncio
import functools
import threading
import time
from typing import Any

from tests.sdk.child import Raised, run_job
from tests.server.soniox.wire import Replay, replay

run = functools.partial(run_job, "tests.sdk.soniox_client")

Step = tuple[Any, ...]


def whole(audio: bytes, size: int = 3_200, pause_s: float = 0.0) -> list[Step]:
    """Send all of it, then the end."""
    return [("send", audio, size, pause_s), ("finish",)]


def read(events: Any, *, translates: bool = True) -> Replay:
    """The events of a job as a client reads them; they must have come to an end."""
    assert not isinstance(events, Raised), events
    client = replay(events, translates=translates)
    assert client.finished or client.error is not None
    return client


def error(events: Any) -> tuple[int, str, str]:
    """Code, type and text of the error that ended the events of a job."""
    found = read(events, translates=False).error
    assert found is not None
    return found["error_code"], found["error_type"], found["error_message"]


def _client(url: str, key: str, kind: str = "SonioxClient") -> Any:
    import soniox

    return getattr(soniox, kind)(
        api_key=key,
        websocket_base_url=url.replace("http", "ws") + "/transcribe-websocket",
        api_base_url=f"{url}/v1",
        tts_api_base_url=url,
        tts_websocket_base_url=url.replace("http", "ws") + "/tts-websocket",
    )


def _config(config: dict[str, Any]) -> Any:
    from soniox.types.realtime import RealtimeSTTConfig

    defaults = {"model": "stt-rt-v5", "audio_format": "pcm_s16le", "sample_rate": 16_000, "num_channels": 1}
    return RealtimeSTTConfig(**{**defaults, **config})


def _plain(event: Any) -> dict[str, Any]:
    return event.model_dump(exclude_unset=True)  # type: ignore[no-any-return]


def sync(
    url: str, steps: list[Step], config: dict[str, Any], key: str = "k", read_after_s: float = 0.0, leave: bool = False
) -> Any:
    """The synchronous client: a thread sends, this one reads until the server closes. `leave`: without reading."""
    events: list[Any] = []
    came = threading.Condition()

    def act(session: Any) -> None:
        from soniox.errors import SonioxRealtimeError

        try:
            for name, *arguments in steps:
                if name == "send":
                    data, size, pause_s = arguments
                    for at in range(0, len(data), size):
                        session.send_byte_chunk(data[at : at + size])
                        time.sleep(pause_s)
                elif name == "sleep":
                    time.sleep(arguments[0])
                elif name == "until":
                    with came:
                        while not _shows(events, *arguments):
                            came.wait()
                else:
                    getattr(session, name)(*arguments)
        except SonioxRealtimeError:
            pass  # the server has closed: the events say why

    with _client(url, key).realtime.stt.connect(config=_config(config)) as session:
        sender = threading.Thread(target=act, args=(session,))
        sender.start()
        if leave:
            sender.join()
            return []
        time.sleep(read_after_s)
        for event in session.receive_events():
            with came:
                events.append(_plain(event))
                came.notify()
        sender.join()
    return events


async def asynchronous(url: str, steps: list[Step], config: dict[str, Any], key: str = "k") -> Any:
    """The asynchronous client: a task sends, this one reads until the server closes."""
    events: list[Any] = []
    came = asyncio.Event()

    async def act(session: Any) -> None:
        from soniox.errors import SonioxRealtimeError

        try:
            for name, *arguments in steps:
                if name == "send":
                    data, size, pause_s = arguments
                    for at in range(0, len(data), size):
                        await session.send_byte_chunk(data[at : at + size])
                        await asyncio.sleep(pause_s)
                elif name == "sleep":
                    await asyncio.sleep(arguments[0])
                elif name == "until":
                    while not _shows(events, *arguments):
                        came.clear()
                        await came.wait()
                else:
                    await getattr(session, name)(*arguments)
        except SonioxRealtimeError:
            pass

    client = _client(url, key, "AsyncSonioxClient")
    async with client.realtime.stt.connect(config=_config(config)) as session:
        sending = asyncio.create_task(act(session))
        async for event in session.receive_events():
            events.append(_plain(event))
            came.set()
        await sending
    return events


def _shows(events: list[Any], text: str) -> bool:
    """Whether a client that shows what is final and then what is not shows `text`."""
    said = "".join(token["text"] for event in events for token in event.get("tokens", []) if token["is_final"])
    newest = events[-1].get("tokens", []) if events else []
    return text in said + "".join(token["text"] for token in newest if not token["is_final"])


def rendered(url: str, steps: list[Step], config: dict[str, Any], key: str = "k") -> Any:
    """What the package's own helper makes of the tokens: text for people."""
    from soniox.types import Token
    from soniox.utils import render_tokens

    finals: list[Any] = []
    for event in sync(url, steps, config, key):
        finals += [Token(**token) for token in event.get("tokens", []) if token["is_final"]]
    return render_tokens(finals, [])


def crowd(url: str, jobs: list[dict[str, Any]]) -> Any:
    """Several asynchronous clients at once."""

    async def all_of_them() -> Any:
        return await asyncio.gather(*(asynchronous(url, **job) for job in jobs))

    return asyncio.run(all_of_them())


def rest(url: str, calls: list[tuple[str, dict[str, Any]]], key: str = "k") -> Any:
    """Methods of the client by dotted name; a raised error is an answer too, with its kind, text and error type."""
    answers: list[Any] = []
    for path, arguments in calls:
        try:
            method = functools.reduce(getattr, path.split("."), _client(url, key))
            answers.append(method(**arguments).model_dump(mode="json"))
        except Exception as error:  # noqa: BLE001
            kind = getattr(getattr(error, "api_error", None), "error_type", "")
            answers.append(Raised(type(error).__name__, f"{error} [{kind}]"))
    return answers


async def rest_asynchronous(url: str, key: str = "k") -> Any:
    """The endpoints again, by the asynchronous client."""
    client = _client(url, key, "AsyncSonioxClient")
    made = await client.auth.create_temporary_api_key()
    return made.api_key, (await client.models.list()).models[0].id, (await client.concurrency_limits.get()).project
