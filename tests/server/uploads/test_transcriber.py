"""Files are transcribed in turn, give way to live sessions, and survive what goes wrong meanwhile."""

import io
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.models.errors import EngineFailed, OutOfMemory
from dragoman.server.protocols.soniox.files import jobs
from dragoman.server.protocols.soniox.files.jobs import SonioxFiles
from dragoman.server.protocols.soniox.usage import Ledger
from dragoman.server.services import Services
from dragoman.server.uploads import transcriber as module
from dragoman.server.uploads.shelf import BROKEN, COMPLETED, PROCESSING, QUEUED
from dragoman.server.uploads.store import Transcription
from dragoman.server.uploads.uploads import Uploads
from tests.fakes.engines import fake_engines, s16, silence, tone
from tests.pipeline.audio.test_mp4 import m4a
from tests.sdk.speech import as_wav
from tests.server.served import in_process
from tests.waiting import until_async

UTTERANCE = s16(tone(1.0)) + s16(silence(1.0))


def recording(utterances: int = 2) -> bytes:
    return as_wav(np.frombuffer(UTTERANCE * utterances, np.int16), 16_000)


class Work:
    """A store, and what works on it."""

    def __init__(self, services: Services, folder: Path) -> None:
        services.settings = services.settings.model_copy(update={"files_dir": str(folder)})
        self.services = services
        self.ledger = Ledger()
        self.uploads = Uploads(services)
        self.store, self.transcriber = self.uploads.store, self.uploads.transcriber
        self.transcriber.serve("soniox", SonioxFiles(self.store, self.ledger))

    def order(self, data: bytes, owner: str = "me", **fields: Any) -> str:
        file = self.store.put(owner, "a.wav", None, io.BytesIO(data), len(data))
        made = self.store.order(owner, file.id, {"model": "stt-async-v6", **fields})
        assert made is not None
        self.transcriber.wake()
        return made.id

    def look(self, uid: str, owner: str = "me") -> Transcription:
        found = self.store.transcription(owner, uid)
        assert found is not None
        return found

    def is_(self, uid: str, status: str, owner: str = "me") -> Callable[[], bool]:
        return lambda: self.look(uid, owner).status == status

    async def over(self, uid: str, owner: str = "me") -> Transcription:
        await until_async(lambda: self.look(uid, owner).status in (COMPLETED, BROKEN))
        return self.look(uid, owner)

    def transcript(self, uid: str) -> Any:
        written = self.store.transcript("me", uid)
        assert written is not None
        return json.loads(written)


@asynccontextmanager
async def working(
    folder: Path, hear: Callable[[RecognitionRequest], str | Hypothesis] = lambda request: "Hello there.", **limits: Any
) -> AsyncIterator[Work]:
    async with in_process(lambda: fake_engines(hear), **limits) as services:
        work = Work(services, folder)
        async with work.uploads.running():
            yield work
        assert services.admission.running == 0
        assert work.ledger.running("async") == 0


async def test_a_file_is_heard_whole_and_translated(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        uid = work.order(recording(3), translation={"type": "one_way", "target_language": "es"})
        found = await work.over(uid)
        assert (found.status, found.audio_ms, found.error_type) == (COMPLETED, 6_000, None)
        transcript = work.transcript(uid)
    assert transcript["text"] == "Hello there. Hello there. Hello there."
    assert (
        " ".join(token["text"] for token in transcript["tokens"]).split()
        == ["Hello", "there.", "<es>", "Hello", "there."] * 3
    )
    (use,) = work.ledger.over("me")
    assert (use.kind, use.model, use.input_audio_ms) == ("async", "stt-async-v6", 6_000)


async def test_a_file_that_must_be_read_from_its_end(tmp_path: Path) -> None:
    async with working(tmp_path) as work:
        found = await work.over(work.order(m4a(2.0)))
        assert found.status == COMPLETED
        assert abs((found.audio_ms or 0) - 2_000) < 200
        broken = await work.over(work.order(m4a(2.0)[:5_000]))
        assert (broken.status, broken.error_type) == (BROKEN, "invalid_request")
        assert "the mp4 file cannot be read" in (broken.error_message or "")


@pytest.mark.parametrize(
    ("data", "fields", "kind", "text"),
    [
        (b"this is no audio at all" * 1_000, {}, "request_timeout", "no known container begins here"),
        (recording()[:30], {}, "invalid_request", "ended within the header"),
        (
            recording(),
            {"translation": {"type": "one_way", "target_language": "cy"}},
            "invalid_request",
            "no translator",
        ),
        (recording(), {"language_hints": ["de"]}, "invalid_request", "no recogniser for 'de'"),
        (recording(), {"model": "gone"}, "model_not_available", "unknown model"),
    ],
)
async def test_what_cannot_be_heard_is_an_error_of_the_transcription(
    tmp_path: Path, data: bytes, fields: dict[str, Any], kind: str, text: str
) -> None:
    async with working(tmp_path) as work:
        uid = work.order(data, **fields)
        found = await work.over(uid)
        assert (found.status, found.error_type) == (BROKEN, kind)
        assert text in (found.error_message or "")
        assert (await work.over(work.order(recording()))).status == COMPLETED


async def test_an_engine_that_breaks_ends_one_transcription(tmp_path: Path) -> None:
    broken = [True]

    def hear(request: RecognitionRequest) -> str:
        if broken.pop() if broken else False:
            raise EngineFailed("fake", "it broke")
        return "Hi."

    async with working(tmp_path, hear) as work:
        found = await work.over(work.order(recording()))
        assert (found.status, found.error_type) == (BROKEN, "internal_error")
        assert (await work.over(work.order(recording()))).status == COMPLETED


async def test_a_fault_of_ours_ends_one_transcription(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with working(tmp_path) as work:
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "TranscriptWriter", None)
            found = await work.over(work.order(recording()))
        assert (found.status, found.error_type) == (BROKEN, "internal_error")
        assert (await work.over(work.order(recording()))).status == COMPLETED


async def test_a_file_that_cannot_be_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeBrokenFile(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("the disk is broken")
            return super().read(size)

    monkeypatch.setattr(module, "readable", lambda file, sound, _: (FakeBrokenFile(file.read()), sound))
    async with working(tmp_path) as work:
        broken = await work.over(work.order(recording(2)))
    assert (broken.status, broken.error_type) == (BROKEN, "service_unavailable")
    assert broken.error_message == "the file cannot be read now"


async def test_an_engine_without_room_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    full = [True]

    def hear(request: RecognitionRequest) -> str:
        if full.pop() if full else False:
            raise OutOfMemory("fake")
        return "Hi."

    async with working(tmp_path, hear) as work:
        uid = work.order(recording(1))
        assert (await work.over(uid)).status == COMPLETED
        assert work.transcript(uid)["text"] == "Hi."


async def test_a_file_that_is_deleted_before_its_turn(tmp_path: Path) -> None:
    async with in_process() as services:
        work = Work(services, tmp_path)
        uid = work.order(recording())
        work.store.delete_file("me", work.look(uid).file_id)
        async with work.uploads.running():
            found = await work.over(uid)
    assert (found.error_type, found.error_message) == ("file_not_found", "the file was deleted")


async def test_a_file_that_is_too_long_is_not_heard_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 30.0)
    async with working(tmp_path) as work:
        found = await work.over(work.order(recording(40)))
        assert (found.status, found.error_type) == (BROKEN, "invalid_request")
        assert "the file is longer than 0.5 minutes" in (found.error_message or "")
    (use,) = work.ledger.over("me")
    assert 30_000 < use.input_audio_ms < 40_000


class Held:
    """A recogniser that waits inside its first call until it may go on."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered, self.release = threading.Event(), threading.Event()

    def __call__(self, request: RecognitionRequest) -> str:
        self.calls += 1
        self.entered.set()
        self.release.wait()
        return "Hi."


async def test_a_live_session_takes_the_place_and_the_file_waits(tmp_path: Path) -> None:
    held = Held()
    async with working(tmp_path, held, sessions=1) as work:
        uid = work.order(recording(100))
        await until_async(held.entered.is_set)
        place = work.services.admission.enter()
        held.release.set()
        # It hears what it had been given, and then no more.
        (session,) = work.services.metrics.live
        await until_async(lambda: not any(session.depths.values()))
        assert work.look(uid).status == PROCESSING
        assert work.services.admission.running == 1
        assert held.calls < 50
        place.leave()
        found = await work.over(uid)
        assert (found.status, found.audio_ms) == (COMPLETED, 200_000)
        assert len(work.transcript(uid)["tokens"]) == 100


async def test_a_full_house_is_waited_for(tmp_path: Path) -> None:
    async with working(tmp_path, sessions=1) as work:
        place = work.services.admission.enter()
        uid = work.order(recording())
        await until_async(work.is_(uid, PROCESSING))
        place.leave()
        assert (await work.over(uid)).status == COMPLETED


async def test_a_server_that_ends_goes_on_with_it_later(tmp_path: Path) -> None:
    held = Held()
    async with in_process(lambda: fake_engines(held)) as services:
        work = Work(services, tmp_path)
        async with work.uploads.running():
            uid, waits = work.order(recording()), work.order(recording(1))
            await until_async(held.entered.is_set)
            services.admission.begin_drain()
            await services.admission.until_empty()
            held.release.set()
    async with working(tmp_path) as again:
        assert (await again.over(uid)).status == COMPLETED
        assert (await again.over(waits)).status == COMPLETED
        assert again.transcript(uid)["text"] == "Hello there. Hello there."


async def test_keys_take_turns(tmp_path: Path) -> None:
    held = Held()
    async with working(tmp_path, held) as work:
        mine = [work.order(recording(1)) for _ in range(3)]
        await until_async(held.entered.is_set)
        yours = work.order(recording(1), "you")
        held.release.set()
        for uid in mine:
            await work.over(uid)
        await work.over(yours, "you")
    order = [use.owner for use in [*work.ledger._over]]
    assert order == ["me", "you", "me", "me"]


async def test_as_many_at_once_as_are_allowed(tmp_path: Path) -> None:
    held = Held()
    async with working(tmp_path, held, transcriptions=2) as work:
        uids = [work.order(recording(1)) for _ in range(4)]
        await until_async(held.entered.is_set)
        await until_async(lambda: sum(work.look(uid).status == PROCESSING for uid in uids) == 2)
        assert [work.look(uid).status for uid in uids][2:] == [QUEUED, QUEUED]
        held.release.set()
        for uid in uids:
            assert (await work.over(uid)).status == COMPLETED
