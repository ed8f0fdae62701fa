import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.fakes.interrupted import run_interrupted


class Trace:
    """Waits three times, in a task of its own for the second, and writes down how far it came."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    async def run(self) -> None:
        try:
            await asyncio.sleep(0)
            self.steps.append("first")
            async with asyncio.TaskGroup() as group:
                group.create_task(self._second())
            await asyncio.sleep(0)
            self.steps.append("third")
        except ValueError as error:
            self.steps.append(str(error))
            raise
        finally:
            self.steps.append("left")

    async def _second(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
            self.steps.append("second")
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise


async def traces(error: BaseException, *, tasks: bool = False) -> list[list[str]]:
    """What each interruption lets happen, up to the one that is not reached."""
    found: list[list[str]] = []
    reached = True
    while reached:
        trace = Trace()
        reached = await run_interrupted(trace.run, len(found) + 1, error, tasks=tasks)
        found.append(trace.steps)
    return found


async def test_every_place_is_interrupted_once() -> None:
    whole = ["first", "second", "third", "left"]
    assert await traces(asyncio.CancelledError()) == [
        ["left"],
        ["first", "cancelled", "left"],
        ["first", "second", "left"],
        whole,
    ]
    assert await traces(ValueError("broken")) == [
        ["broken", "left"],
        ["first", "second", "broken", "left"],
        whole,
    ]


async def test_the_tasks_that_it_starts_count_where_they_are_asked_for() -> None:
    found = await traces(asyncio.CancelledError(), tasks=True)
    assert found[1:3] == [["first", "cancelled", "left"]] * 2
    assert len(found) == 5
    factory = asyncio.get_running_loop().get_task_factory()
    with pytest.raises(ExceptionGroup):
        await run_interrupted(Trace().run, 2, ValueError("broken"), tasks=True)
    assert asyncio.get_running_loop().get_task_factory() is factory


async def test_what_it_makes_of_the_fault_is_told() -> None:
    async def turn() -> None:
        try:
            await asyncio.sleep(0)
        except ValueError:
            raise KeyError("other") from None

    with pytest.raises(KeyError, match="other"):
        await run_interrupted(turn, 1, ValueError("broken"))
    with pytest.raises(KeyError, match="other"):
        await run_interrupted(turn, 1, ValueError("broken"), tasks=True)


async def test_what_survives_the_fault_goes_on() -> None:
    steps: list[int] = []

    async def tough() -> None:
        for number in range(3):
            try:
                await asyncio.sleep(0)
            except OSError:
                steps.append(number)

    assert await run_interrupted(tough, 2, OSError())
    assert steps == [1]
    assert not await run_interrupted(tough, 4, OSError())


async def test_what_waits_in_an_asynchronous_generator_is_interrupted_there() -> None:
    steps: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(2):
                await asyncio.sleep(0)
                yield number
        finally:
            steps.append("closed")

    async def take() -> None:
        async with aclosing(numbers()) as taken:
            async for number in taken:
                steps.append(str(number))  # noqa: PERF401  (those before the fault count)

    assert await run_interrupted(take, 2, OSError("broken"))
    assert steps == ["0", "closed"]
