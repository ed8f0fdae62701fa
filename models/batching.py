"""The one door to every engine: many sessions, one owner thread, fair and bounded.

Engines block and are not made for many threads, so each has one thread that owns it. Sessions wait for their results
on the event loop. The order of service is `FairQueue`'s.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dragoman.models.errors import EngineFailed, ModelError, OutOfMemory, Overloaded, Superseded
from dragoman.models.fair_queue import FairQueue, Priority

__all__ = ["BatchRecord", "EngineOwner", "Priority"]

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

_log = logging.getLogger(__name__)


RECOVERY_S = 30.0
"""How long after running out of memory an engine is spared."""


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One call of an engine, whether it succeeded or `failed`.

    `size` requests, of which `finals` were no partials and the first to come had waited `wait_s` seconds; the call took
    `run_s` seconds; `depth` requests were waiting when it began.
    """

    name: str
    size: int
    wait_s: float
    run_s: float
    depth: int
    finals: int
    failed: bool = False


@dataclass(eq=False, slots=True)
class _Entry(Generic[RequestT, ResultT]):
    """A request and the session that waits for it. `arrived_s` is on the monotonic clock."""

    request: RequestT
    session_id: str
    priority: Priority
    future: asyncio.Future[ResultT]
    arrived_s: float
    withdrawn: bool = False

    def settle(self, outcome: ResultT | ModelError) -> None:
        """Hand the outcome to the waiting task, from any thread."""

        def deliver() -> None:
            if self.future.done():
                return
            if isinstance(outcome, ModelError):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)

        try:
            self.future.get_loop().call_soon_threadsafe(deliver)
        except RuntimeError:  # the loop was closed: nobody waits any more
            _log.debug("the result of session %s came after its event loop had ended", self.session_id)


class EngineOwner(Generic[RequestT, ResultT]):
    """Runs `run`, an engine's blocking method, in its own thread for any number of sessions and event loops.

    After the first request of a batch came, up to `max_wait_s` seconds are spent waiting for `max_batch` of them. At
    most `max_queue` requests wait. `observer` is called in the owner thread after each call of the engine and must
    be quick. An engine that may be called from several threads at once can have several `workers`. Threads start when
    they are first needed and end with `close`; one that nobody closed does not keep the process from ending.

    When the engine's device runs out of memory, batches become half as large as the one that did not fit, and
    `exhausted` is true for a while, so that whoever admits sessions can hold back; the batches grow again one by one.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Sequence[RequestT]], Sequence[ResultT]],
        *,
        max_batch: int = 1,
        max_wait_s: float = 0.0,
        max_queue: int = 256,
        workers: int = 1,
        observer: Callable[[BatchRecord], None] | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        if max_batch < 1:
            raise ValueError(f"max_batch must be at least 1, not {max_batch}")
        self.name = name
        self._run = run
        self._max_batch = max_batch
        self._max_wait_s = max_wait_s
        self._workers = workers
        self._observer = observer
        lock = threading.Lock()  # guards the four below
        self._changed = threading.Condition(lock)
        """Idle workers wait here, until something waits for them."""
        self._filled = threading.Condition(lock)
        """Workers that have begun a batch wait here for the rest of it."""
        self._queue: FairQueue[_Entry[RequestT, ResultT]] = FairQueue(max_queue)
        self._running: dict[int, list[_Entry[RequestT, ResultT]]] = {}  # by thread
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._fitting = max_batch
        """How many requests at once the device's memory took lately."""
        self._exhausted_until_s = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether the engine's device ran out of memory in the last RECOVERY_S seconds."""
        return time.monotonic() < self._exhausted_until_s

    @property
    def depth(self) -> int:
        """How many requests are waiting, without those that the engine is working on."""
        return len(self._queue)

    async def submit(self, request: RequestT, *, session_id: str, priority: Priority = Priority.FINAL) -> ResultT:
        """The engine's result for `request`.

        Raises Overloaded at once when too much is waiting, Superseded for a partial that was dropped, EngineFailed
        or another ModelError when the engine failed on this request or is closed. A cancelled request that was
        still waiting is not run.
        """
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        entry = _Entry(request, session_id, priority, future, time.monotonic())
        with self._changed:
            if self._closed:
                raise self._closed_error()
            try:
                displaced = self._queue.put(entry, session_id=session_id, priority=priority)
            except queue.Full:
                raise Overloaded(self.name) from None
            busy = sum(map(bool, self._running.values()))
            served = len(self._threads) >= min(self._workers, busy + len(self._queue)) or self._add_thread()
            if not served:
                self._queue.remove(entry, session_id=session_id, priority=priority)
            # One is enough, for each looks for more before it waits again; the others would wake for nothing.
            self._changed.notify()
            if self._is_full():
                self._filled.notify_all()
        if displaced:
            displaced.settle(Superseded(self.name))
        if not served:
            raise EngineFailed(self.name, "no thread can be started for it")
        try:
            return await future
        except asyncio.CancelledError:
            with self._changed:
                entry.withdrawn = True
                self._queue.remove(entry, session_id=session_id, priority=priority)
            raise

    def close(self, timeout_s: float | None = None) -> None:
        """Fail what waits, let the running call end, end the thread. Idempotent; blocks up to `timeout_s` seconds.

        Raises TimeoutError when the engine's call takes longer; its thread then ends after that call.
        """
        with self._changed:
            self._closed = True
            waiting = self._queue.drain()
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
            self._wake_all()
        for entry in waiting:
            entry.settle(self._closed_error())
        for thread in threads:
            thread.join(timeout_s)
            if thread.is_alive():
                raise TimeoutError(f"{self.name} is still busy after {timeout_s:g} s")

    async def aclose(self, timeout_s: float | None = None) -> None:
        """`close` for the event loop."""
        await asyncio.to_thread(self.close, timeout_s)

    def _closed_error(self) -> EngineFailed:
        return EngineFailed(self.name, "it is closed")

    def _add_thread(self) -> bool:
        """Start a worker. Whether there is any now: the system may allow no more."""
        thread = threading.Thread(target=self._serve, name=f"engine-{self.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _log.warning("%s: %s", self.name, error)
        else:
            self._threads.append(thread)
        return bool(self._threads)

    def _wake_all(self) -> None:
        self._changed.notify_all()
        self._filled.notify_all()

    def _serve(self) -> None:
        try:
            while batch := self._gather():
                self._run_batch(batch)
        finally:  # also when the engine raised what is no Exception: nobody may wait for ever
            with self._changed:
                self._closed = True
                orphans = self._running.pop(threading.get_ident(), []) + self._queue.drain()
                self._wake_all()
            for entry in orphans:
                entry.settle(EngineFailed(self.name, "its thread ended"))

    def _gather(self) -> list[_Entry[RequestT, ResultT]]:
        """The next batch, at least one entry; none when closed."""
        me = threading.get_ident()
        with self._changed:
            batch: list[_Entry[RequestT, ResultT]] = []
            self._running[me] = batch
            while not batch:
                self._changed.wait_for(lambda: self._closed or len(self._queue))
                if self._closed:
                    break
                if self._max_wait_s:
                    full_s = self._queue.peek().arrived_s + self._max_wait_s
                    self._filled.wait_for(self._is_full, timeout=full_s - time.monotonic())
                # Nothing is left if all were withdrawn, or taken by another worker, in the meantime.
                batch += [self._queue.take() for _ in range(min(self._fitting, len(self._queue)))]
            return batch

    def _is_full(self) -> bool:
        return self._closed or len(self._queue) >= self._fitting

    def _run_batch(self, batch: list[_Entry[RequestT, ResultT]]) -> None:
        try:
            results = self._call(batch)
        except BaseException as error:  # noqa: BLE001  (whatever an engine raises concerns its sessions only)
            if isinstance(error, OutOfMemory):
                self._shrink(len(batch))
            if len(batch) == 1:
                batch[0].settle(self._as_model_error(error))
            else:
                # One request may have spoiled it for all: each one fails or succeeds by itself.
                for entry in batch:
                    if not entry.withdrawn:
                        self._run_batch([entry])
        else:
            for entry, result in zip(batch, results, strict=True):
                entry.settle(result)
            if not self.exhausted:
                self._fitting = min(self._max_batch, max(self._fitting, len(batch) + 1))

    def _shrink(self, size: int) -> None:
        """`size` requests at once were too many for the device's memory."""
        self._fitting = max(1, size // 2)
        self._exhausted_until_s = time.monotonic() + RECOVERY_S
        _log.warning("%s ran out of memory with %d requests in one call", self.name, size)

    def _call(self, batch: list[_Entry[RequestT, ResultT]]) -> list[ResultT]:
        begun_s = time.monotonic()
        depth = self.depth
        results: list[ResultT] | None = None
        try:
            results = list(self._run([entry.request for entry in batch]))
        finally:
            if self._observer:
                wait_s = begun_s - min(entry.arrived_s for entry in batch)
                finals = sum(entry.priority is Priority.FINAL for entry in batch)
                run_s, failed = time.monotonic() - begun_s, results is None
                record = BatchRecord(self.name, len(batch), wait_s, run_s, depth, finals, failed)
                try:
                    self._observer(record)
                except Exception:  # noqa: BLE001  (metrics must not stop the engine)
                    _log.exception("the observer of %s failed", self.name)
        if len(results) != len(batch):
            raise EngineFailed(self.name, f"gave {len(results)} results for {len(batch)} requests")
        return results

    def _as_model_error(self, error: BaseException) -> ModelError:
        if isinstance(error, ModelError):
            return error
        failure = EngineFailed(self.name, type(error).__name__)  # a client may see this: no inner texts
        failure.__cause__ = error
        return failure
