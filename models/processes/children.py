"""Child processes for libraries that some texts end, or that let nothing else run: what ends, or stands still, is a
child and not the server.

A child is a fresh Python with the standard library and one module of ours, whose `main` calls `serve` (`serving.py`);
it is started by `exec`, not forked from this process with its threads. It ends when its input does: with this process,
however that ends.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dragoman.models.errors import EngineFailed, TextRefused
from dragoman.models.processes.patience import pauses
from dragoman.models.processes.piped_programs import PipedPrograms, ProgramsBroken
from dragoman.models.processes.serving import ANSWER, QUESTION

TRIES = 2
"""A text is tried once more on a fresh child: what ended the first may have had nothing to do with the text."""
START_PATIENCE_S = 2.0
"""A child that does not start is no text's fault: it is started again and again for so long."""
MOST_ANSWER_BYTES = 1 << 30

_ROOT = Path(__file__).parents[3]
_BOOT = """\
import sys, json, importlib
sys.path += json.loads(sys.argv.pop(1))
importlib.import_module(sys.argv.pop(1)).main()
"""

_log = logging.getLogger(__name__)


class ChildRefused(Exception):
    """The child is well, and says why it does not do what it was asked."""


class Child(PipedPrograms):
    """One child. Its module is imported there as it is here; `arguments` are its `sys.argv[1:]`.

    `paths` are the folders where it finds other modules, behind the standard library and this house.
    """

    def __init__(self, module: str, arguments: Sequence[str], paths: Sequence[str] = ()) -> None:
        # Neither site-packages nor what the environment adds: a child takes 20 ms to start and 5 MB.
        folders = json.dumps([str(_ROOT), *paths])
        command = [sys.executable, "-I", "-S", "-c", _BOOT, folders, module, *arguments]
        super().__init__([command], os.environ)
        self.questions = 0
        """How many it was asked since it started."""

    def begin(self, timeout_s: float) -> None:
        """Start, and wait until it can work. Raises ProgramsBroken, and ChildRefused where it cannot."""
        self.start()
        self.questions = 0
        try:
            self._answer(b"", timeout_s)
        except ChildRefused:
            self.close()
            raise

    def ask(self, question: bytes, timeout_s: float) -> bytes:
        """What it makes of `question`, which is JSON. Raises ProgramsBroken and ChildRefused."""
        self.questions += 1
        return self._answer(QUESTION.pack(len(question), timeout_s) + question, timeout_s)

    def _answer(self, question: bytes, timeout_s: float) -> bytes:
        answer = self.converse(question, _is_whole, timeout_s)
        length, refused = ANSWER.unpack_from(answer)
        body = answer[ANSWER.size :]
        if len(body) != length:
            raise ProgramsBroken("more than one answer to a question")
        if refused:
            raise ChildRefused(body.decode("utf-8", "replace"))
        return body


def _is_whole(read: bytearray) -> bool:
    if len(read) < ANSWER.size:
        return False
    length, _ = ANSWER.unpack_from(read)
    if length > MOST_ANSWER_BYTES:
        raise ProgramsBroken("its answer has no length")
    return len(read) >= ANSWER.size + int(length)


class ChildPool:
    """Up to `most` children of one kind, for any number of threads; `engine` is whom errors name.

    A child is started when it is needed, and lent to one thread at a time, the last that was given back first. One that
    died is replaced. After `questions_each` a child makes room for a new one: the libraries leak. `paths` are folders
    where a child finds modules beside the standard library's and ours.
    """

    def __init__(
        self,
        engine: str,
        module: str,
        arguments: Sequence[str],
        *,
        paths: Sequence[str] = (),
        most: int = 2,
        questions_each: int = 5_000,
        start_timeout_s: float = 30.0,
    ) -> None:
        self.most = most
        self._engine = engine
        self._questions_each = questions_each
        self._start_timeout_s = start_timeout_s
        self._children = [Child(module, arguments, paths) for _ in range(most)]
        self._idle = list(self._children)
        self._changed = threading.Condition()  # guards the one above
        self._closed = threading.Event()

    @property
    def process_ids(self) -> list[int]:
        """The children that run now."""
        return [process_id for child in self._children for process_id in child.process_ids]

    def start(self) -> None:
        """Start one child now. Raises ChildRefused where it cannot work, and EngineFailed."""
        with self._lent() as child:
            self._begin(child)

    def ask(self, question: Any, timeout_s: float) -> bytes:
        """What a child makes of `question`, which JSON can hold, within `timeout_s` seconds of each try.

        Raises ChildRefused; TextRefused where it ended TRIES children, or none of them answered in time; EngineFailed
        when closed.
        """
        with self._lent() as child:
            return self._attempt(child, json.dumps(question).encode(), timeout_s)

    def close(self) -> None:
        """End every child at once; who waits for one gets EngineFailed. Idempotent."""
        with self._changed:
            self._closed.set()
            for child in self._children:
                child.kill()
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._idle) == len(self._children))
            for child in self._children:
                child.close()

    def _attempt(self, child: Child, question: bytes, timeout_s: float) -> bytes:
        for left in reversed(range(TRIES)):
            if child.dead or child.questions >= self._questions_each:
                child.close()
            if not child.running:
                self._begin(child)
            try:
                return child.ask(question, timeout_s)
            except ProgramsBroken as error:
                child.close()
                if self._closed.is_set():
                    raise self._closed_error() from error
                _log.warning("a child of %s broke, with %d tries left: %s", self._engine, left, error)
        raise TextRefused(self._engine, f"this text ended its process {TRIES} times")

    def _begin(self, child: Child) -> None:
        for pause_s in pauses(START_PATIENCE_S):
            if self._closed.wait(pause_s):
                raise self._closed_error()
            try:
                child.begin(self._start_timeout_s)
            except ProgramsBroken as error:
                child.close()
                _log.warning("a child of %s did not start: %s", self._engine, error)
            else:
                return
        raise EngineFailed(self._engine, "its process does not start")

    @contextmanager
    def _lent(self) -> Iterator[Child]:
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or self._idle)
            if self._closed.is_set():
                raise self._closed_error()
            child = self._idle.pop()
        try:
            yield child
        except (ChildRefused, EngineFailed):
            raise
        except BaseException:
            child.close()  # it may still have an answer to give, which nobody must get
            raise
        finally:
            with self._changed:
                self._idle.append(child)
                self._changed.notify_all()

    def _closed_error(self) -> EngineFailed:
        return EngineFailed(self._engine, "it is closed")
