"""A device that has no memory left."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from dragoman.models import batching
from dragoman.models.errors import OutOfMemory
from tests.models.batching.engine import Engine, Owner, hold, queued, submit


class SmallDevice(Engine):
    """Has memory for `room` requests at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def run(self, texts: Sequence[str]) -> list[str]:
        if len(texts) > self.room:
            self.calls.append(list(texts))
            raise OutOfMemory("fake")
        return super().run(texts)


async def test_a_batch_that_does_not_fit_is_served_one_by_one_and_the_next_are_smaller(
    make: Callable[..., Owner],
) -> None:
    device = SmallDevice(room=3)
    owner = make(device.run, max_batch=8)
    held = await hold(device, owner)
    tasks = [submit(owner, str(number), str(number)) for number in range(12)]
    await queued(owner, 12)
    device.released.set()
    assert await asyncio.gather(*tasks) == [str(number) for number in range(12)]
    await held
    sizes = [len(call) for call in device.calls]
    assert sizes[:10] == [1, 8, *[1] * 8]
    assert sizes[10] == 4  # half of what did not fit
    assert owner.exhausted


async def test_one_request_that_does_not_fit_fails_alone_and_the_owner_recovers(
    make: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = SmallDevice(room=0)
    owner = make(device.run, max_batch=2)
    with pytest.raises(OutOfMemory, match="out of memory"):
        await owner.submit("big", session_id="a")
    assert owner.exhausted
    now = batching.time.monotonic()
    monkeypatch.setattr(batching.time, "monotonic", lambda: now + batching.RECOVERY_S + 1)
    assert not owner.exhausted
    device.room = 8
    assert await owner.submit("next", session_id="a") == "NEXT"
    held = await hold(device, owner)
    tasks = [submit(owner, text) for text in ("one", "two")]
    await queued(owner, 2)
    device.released.set()
    await asyncio.gather(held, *tasks)
    assert device.calls[-1] == ["one", "two"]
