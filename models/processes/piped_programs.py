"""Programs joined by pipes and kept running, asked one question at a time.

What the bytes mean, and where an answer ends, is its owner's business. Programs that break stay broken: whoever owns
them closes them and may start them again. Not thread-safe but for `kill`; the owner has the lock.
"""

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PIECE_BYTES = 65_536

DYING_S = 5.0
"""How long a program may take from its last byte to its status: on a busy machine that is not nothing."""


class ProgramsBroken(Exception):
    """A program ended, did not answer in time or answered out of step. All of them must be closed."""


class PipedPrograms:
    """The programs of `commands`, each one's output the next one's input.

    The programs end by themselves when this process dies, since the first one's input ends then. Nothing else can
    hold that input open: Python's pipes are close-on-exec.
    """

    def __init__(self, commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> None:
        self._commands = commands
        self._environment = environment
        self._programs: list[subprocess.Popen[bytes]] = []
        self._input_fd = -1
        self._output_fd = -1

    @property
    def running(self) -> bool:
        """Whether the programs were started and not closed since (they may have died)."""
        return bool(self._programs)

    @property
    def dead(self) -> bool:
        """Whether one of the programs that were started has ended."""
        return any(program.poll() is not None for program in self._programs)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the programs, in their order; empty when not running."""
        return [program.pid for program in self._programs]

    def start(self) -> None:
        """Start the programs. Raises ProgramsBroken if one cannot be started; none is left then."""
        if self._programs:
            raise RuntimeError("the programs are already running")
        previous: subprocess.Popen[bytes] | None = None
        try:
            for command in self._commands:
                program = subprocess.Popen(  # noqa: S603  (commands are our own, or come from installed files)
                    command,
                    stdin=previous.stdout if previous else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    bufsize=0,
                    env=self._environment,
                    # Ctrl-C in a terminal goes to the whole process group; sessions must be able to drain first.
                    start_new_session=True,
                )
                self._programs.append(program)
                if previous and previous.stdout:
                    previous.stdout.close()  # else this program would not notice the next one's death
                previous = program
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise ProgramsBroken(f"cannot start {Path(command[0]).name}: {error.strerror}") from error
            raise
        first, last = self._programs[0].stdin, self._programs[-1].stdout
        if first is None or last is None:
            raise AssertionError("Popen was asked for pipes")
        self._input_fd, self._output_fd = first.fileno(), last.fileno()
        os.set_blocking(self._input_fd, False)
        os.set_blocking(self._output_fd, False)

    def converse(self, question: bytes, whole: Callable[[bytearray], bool], timeout_s: float) -> bytes:
        """Send `question`, and give what comes back until it is `whole`, within `timeout_s` seconds.

        Writes and reads as either end becomes ready, so that a long question cannot block on a long answer.
        Raises ProgramsBroken.
        """
        deadline_s = time.monotonic() + timeout_s
        unsent = memoryview(question)
        answer = bytearray()
        poller = select.poll()
        poller.register(self._output_fd, select.POLLIN)
        if unsent:
            poller.register(self._input_fd, select.POLLOUT)
        while not whole(answer):
            left_s = deadline_s - time.monotonic()
            ready = dict(poller.poll(left_s * 1000)) if left_s > 0 else {}
            if not ready:
                raise ProgramsBroken(f"no answer within {timeout_s:g} s")
            if self._input_fd in ready:
                unsent = unsent[self._send(unsent) :]
                if not unsent:
                    poller.unregister(self._input_fd)
            if self._output_fd in ready:
                answer += self._receive()
        return bytes(answer)

    def kill(self) -> None:
        """End the programs from any thread; who waits for their answer is told that they broke."""
        for program in self._programs:
            program.kill()

    def close(self) -> None:
        """End and reap every program. Idempotent."""
        self.kill()  # they hold no state that a gentler end could save
        for program in self._programs:
            for pipe in (program.stdin, program.stdout):
                if pipe:
                    pipe.close()
            program.wait()
        self._programs = []

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._input_fd, data[:_PIECE_BYTES])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise self._death(self._programs[0]) from None

    def _receive(self) -> bytes:
        piece = os.read(self._output_fd, _PIECE_BYTES)
        if not piece:
            raise self._death(self._programs[-1])
        return piece

    def _death(self, neighbour: subprocess.Popen[bytes]) -> ProgramsBroken:
        with contextlib.suppress(subprocess.TimeoutExpired):
            neighbour.wait(DYING_S)  # a dying program closes its pipes a moment before it has a status
        ended = [
            f"{Path(command[0]).name} with status {program.returncode}"
            for command, program in zip(self._commands, self._programs, strict=True)
            if program.poll()  # neither running nor ended well
        ]
        return ProgramsBroken(f"a program ended: {', '.join(ended)}" if ended else "a program ended")
