"""Tasks on one socket: set, changed, paused, interrupted, ended; audio and texts in, messages out. No I/O.

A task that is changed gets a session of its own, unless only its messages change. The session before it is finished as
soon as the new one has opened, and what the new one says waits until the old one has said everything; if the new one
cannot be opened, nothing has changed.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import count
from typing import Any

from dragoman.models import remedies
from dragoman.models.base import LanguagePair
from dragoman.models.errors import ModelError, NoTranslator
from dragoman.pipeline.events import Ended, Event, Speech, Translated, Translation
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Abort, Close, Command, Feed, Finish, FlushInput, Interrupt, Key, Output, Say, Send
from dragoman.server.failures import IdleTooLong, MessageTooLarge, NotReady, quoted
from dragoman.server.phases import step
from dragoman.server.protocols.palabra import messages, parsing
from dragoman.server.protocols.palabra.errors import (
    BAD_REQUEST,
    NORMAL,
    NOT_FOUND,
    RATE_LIMIT_EXCEEDED,
    VALIDATION_ERROR,
    Refused,
    error_message,
    error_of,
    placed,
    refusal_of,
)
from dragoman.server.protocols.palabra.fields import BadTask
from dragoman.server.protocols.palabra.intake import Intake, make_intake
from dragoman.server.protocols.palabra.job import Job, Operator, make_job
from dragoman.server.protocols.palabra.languages import base_of, same
from dragoman.server.protocols.palabra.limits import Rate
from dragoman.server.protocols.palabra.order import Turns
from dragoman.server.protocols.palabra.requests import Ending, Interruption, Text
from dragoman.server.protocols.palabra.stream import Stream, new_id
from dragoman.server.protocols.palabra.task import GLOBAL, Task
from dragoman.server.protocols.palabra.voices import Abilities
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

SILENCE_S = 10.0
"""A task that listens and is not paused gets audio at least so often, or its time is over."""
TEXTS_PER_MINUTE = 60
MAX_SESSIONS = 4
"""So many sessions of changed tasks may still be talking at once."""

_PATIENCE_S = 0.5
"""How soon a client that is overdue is looked at again."""


class Phase(Enum):
    """Where a connection is, as its adapter sees it. While it is open, a task runs, or is paused, or there is none."""

    OPEN = auto()
    ENDING = auto()
    """The client wants no more: what was begun is said to its end."""
    PARTING = auto()
    """Something has ended the task: what was heard is said, then why nothing follows."""


_BEFORE = {Phase.ENDING: (Phase.OPEN, Phase.ENDING), Phase.PARTING: tuple(Phase)}


@dataclass(frozen=True, slots=True)
class _Running:
    """A task, its session's key, and where its audio goes in."""

    task: Task
    key: int
    intake: Intake | None


class PalabraAdapter(BaseAdapter):
    """server.commands.Adapter for speech-to-speech."""

    protocol = "palabra"

    def __init__(
        self,
        abilities: Abilities,
        operator: Operator,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        control_bytes: int = CONTROL_BYTES,
    ) -> None:
        super().__init__(control_bytes)
        self._abilities = abilities
        self._operator = operator
        self._now = now
        self._wall = wall
        self._keys = count()
        self._turns: Turns[Stream] = Turns()
        self._running: _Running | None = None
        self._proposed: tuple[_Running, Job] | None = None
        """A task whose session is being opened."""
        self._unfinished: list[int] = []
        """Sessions of tasks that were changed, to be finished with the next message."""
        self._paused = False
        self._phase = Phase.OPEN
        self._wants_eos = False
        """Whether the client has named a time for the end, as older ones do: they wait for a message more."""
        self._parting: tuple[str, str, int] | None = None
        """Why the connection ends, once what was heard has been said: code, text, and close code."""
        self._audio_s = 0.0
        """When audio came last, or was not waited for."""
        self._texts = Rate(TEXTS_PER_MINUTE, 60.0, now)

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parsing.parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        before = [Finish(key) for key in self._unfinished]
        self._unfinished.clear()
        if self._phase is Phase.PARTING:
            return before
        try:
            return [*before, *self._take(parsed)]
        except Refused as refused:
            return [*before, error_message(refused.code, str(refused))]
        except BadTask as error:
            return [*before, error_message(VALIDATION_ERROR, str(error))]
        except NotReady as error:
            return [*before, error_message(*error_of(error)[:2])]

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The proposed task runs now."""
        del session_id
        assert self._proposed is not None  # noqa: S101
        (running, job), self._proposed = self._proposed, None
        event = "started" if self._running is None else "updated"
        if self._running is not None:
            self._unfinished.append(self._running.key)
        self._turns.add(key, Stream(job, self._wall()))
        self._running = running
        return self._go_on(event, job)

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened, when it is its session's turn."""
        outputs = self._turns.event(key, event)
        return [*outputs, *self._farewell()] if isinstance(event, Ended) else outputs

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say what went wrong. What ends a running task closes the connection; a task that cannot begin does not.

        The sessions before that of the running task say what they have heard first.
        """
        if self._proposed is not None and self._proposed[0].key == key:
            (_, job), self._proposed = self._proposed, None
            code, text, _ = error_of(error)
            return [error_message(code, placed(error, job) if isinstance(error, ModelError) else text)]
        code, text, close = error_of(error)
        if isinstance(error, MessageTooLarge):
            return [error_message(code, text)]
        if isinstance(error, IdleTooLong) and self._listens and self._now() - self._audio_s >= SILENCE_S:
            text = f"no audio for {SILENCE_S:g} s: pause the task, or end it"
        outputs = self._turns.over(key)
        if key is not None and (self._running is None or key != self._running.key):
            return [*outputs, error_message(code, text), *self._farewell()]
        if key is None and isinstance(error, IdleTooLong):
            outputs = self._turns.drain()
        elif key is None:
            self._turns.clear()
        self._running, self._parting = None, (code, text, close)
        self._advance(Phase.PARTING)
        return [*outputs, *self._farewell()]

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """A text is not said after all: nothing comes of it in any target, and its end is told in its turn."""
        outputs: list[Output] = [refusal_of(error)]
        if key in self._turns:
            for branch in range(len(self._turns[key].job.tongues)):
                outputs += self._turns.event(key, Translated(branch, text_id=text_id))
        return outputs

    def patience_s(self) -> float | None:
        """How long audio is still waited for, while it is."""
        return max(_PATIENCE_S, self._audio_s + SILENCE_S - self._now()) if self._listens else None

    @property
    def _listens(self) -> bool:
        running = self._running
        return running is not None and running.task.hears and not self._paused and self._phase is Phase.OPEN

    @property
    def _status(self) -> str:
        return "paused" if self._paused else "running"

    def _take(self, parsed: object) -> Sequence[Command | Output]:
        match parsed:
            case parsing.Unreadable():
                raise Refused(VALIDATION_ERROR, parsed.text)
            case parsing.AudioIn():
                return self._audio(parsed.data)
            case parsing.Command("set_task"):
                return self._set_task(parsed)
            case parsing.Command("get_task"):
                described = _described(self._task.task, self._operator)
                return [Send(messages.current_task(self._status, described))]
            case parsing.Command("pause_task"):
                return self._pause()
            case parsing.Command("interrupt_task" | "flush_task"):
                return self._interrupt(parsed.kind, parsed.read(Interruption))
            case parsing.Command("tts_task"):
                return self._say(parsed)
            case parsing.Command("end_task"):
                return self._end_task(parsed.read(Ending))
            case parsing.Command():
                raise Refused(VALIDATION_ERROR, f"message_type: '{quoted(parsed.kind)}' is no command")
            case _:
                return []

    @property
    def _task(self) -> _Running:
        if self._running is None:
            raise Refused(NOT_FOUND, "there is no task: send set_task first")
        return self._running

    @property
    def _live_task(self) -> _Running:
        if self._phase is not Phase.OPEN:
            raise Refused(BAD_REQUEST, "the task is ending")
        return self._task

    def _set_task(self, command: parsing.Command) -> Sequence[Command | Output]:
        if self._phase is not Phase.OPEN:
            raise Refused(BAD_REQUEST, "the task is ending")
        task = command.read(Task)
        running = self._running
        if running is not None and task == running.task:
            event = "resumed" if self._paused else "unchanged"
            return self._go_on(event, None)
        key = next(self._keys)
        job = make_job(task, self._abilities, self._operator, key)
        if running is not None and replace(job.opening, key=running.key) == self._turns[running.key].job.opening:
            self._turns[running.key].job = replace(job, opening=replace(job.opening, key=running.key))
            same_input = task.input_stream == running.task.input_stream
            self._running = _Running(task, running.key, running.intake if same_input else _intake(task))
            return self._go_on("updated", job)
        if len(self._turns) >= MAX_SESSIONS:
            raise Refused(RATE_LIMIT_EXCEEDED, "the task was changed too often: what was heard before is still said")
        self._proposed = _Running(task, key, _intake(task)), job
        return [job.opening if running is None else replace(job.opening, after=running.key)]

    def _go_on(self, event: str, job: Job | None) -> list[Output]:
        """A task runs from now on."""
        self._paused = False
        self._audio_s = self._now()
        outputs: list[Output] = [Send(messages.task_status("set_task", event, self._status))]
        return outputs + [Send(messages.warning(*warning)) for warning in (job.warnings if job is not None else ())]

    def _audio(self, data: bytes) -> Sequence[Command]:
        running = self._task
        if self._paused or self._phase is not Phase.OPEN:
            return []
        if running.task.input_stream is None:
            raise Refused(VALIDATION_ERROR, "input_stream: the task takes no audio")
        self._audio_s = self._now()
        return [Feed(running.key, running.intake.take(data))] if running.intake is not None else []

    def _pause(self) -> Sequence[Command | Output]:
        running = self._live_task
        self._paused = True
        # What was begun is said to its end.
        return [FlushInput(running.key, None), Send(messages.task_status("pause_task", "paused", self._status))]

    def _interrupt(self, command: str, request: Interruption) -> Sequence[Command | Output]:
        running = self._task
        languages = request.languages or [GLOBAL]
        every = any(same(code, GLOBAL) for code in languages)
        targets = [translation.target_language for translation in running.task.pipeline.translations]
        for place, code in enumerate(languages):
            if not every and not any(same(code, target) for target in targets):
                raise Refused(VALIDATION_ERROR, f"languages[{place}]: is neither '{GLOBAL}' nor a target of the task")
        commands: list[Command] = []
        outputs: list[Output] = []
        for key, stream in self._turns:
            tongues = list(enumerate(stream.job.tongues))
            named = [tongue for _, tongue in tongues if every or any(same(code, tongue.spelled) for code in languages)]
            bases = frozenset(tongue.language for tongue in named)
            # A session knows languages, not regions: two targets of one language stop together.
            hit = {place for place, tongue in tongues if tongue.language in bases}
            commands.append(Interrupt(key, None if every else bases))
            outputs += stream.interrupt(hit)
            self._turns.forget(key, lambda event, hit=hit: _branch_of(event) in hit)  # type: ignore[misc]
        if request.pause_task and self._phase is Phase.OPEN:
            self._paused = True
            commands.append(FlushInput(running.key, None))
        return [*commands, *outputs, Send(messages.task_status(command, "interrupted", self._status))]

    def _say(self, command: parsing.Command) -> Sequence[Command | Output]:
        running = self._live_task
        request = command.read(Text)
        stream = self._turns[running.key]
        language = base_of(request.language) or ""
        tongues = list(enumerate(stream.job.tongues))
        if request.translate_text:
            targets = [place for place, _ in tongues]
            for _, tongue in tongues:
                if not self._abilities.translates(language, tongue.language):
                    pair = LanguagePair(language, tongue.language)
                    error = NoTranslator(pair, remedies.for_translation(pair))
                    raise Refused(VALIDATION_ERROR, f"language: {error}")
        else:
            targets = [place for place, tongue in tongues if same(tongue.spelled, request.language)]
        if not targets:
            raise Refused(VALIDATION_ERROR, "language: must be a target of the task, unless translate_text is true")
        if not self._texts.take():
            raise Refused(RATE_LIMIT_EXCEEDED, f"more than {TEXTS_PER_MINUTE} texts in a minute")
        text_id = new_id()
        stream.give(text_id, translated=request.translate_text, targets=targets)
        given = GivenText(text_id, request.text, language, request.translate_text)
        # In this order: whether there is room for a text is known when it is said.
        return [Send(messages.task_status("tts_task", "queued", self._status, text_id)), Say(running.key, given)]

    def _end_task(self, request: Ending) -> Sequence[Command | Output]:
        running = self._task
        begun, self._wants_eos = self._phase is not Phase.OPEN, request.eos_timeout is not None
        self._advance(Phase.ENDING)
        if request.force:
            commands = [Abort(key) for key, _ in self._turns]
            self._turns.clear()
            return [*commands, *self._end()]
        return [] if begun else [Finish(running.key)]

    def _farewell(self) -> list[Output]:
        """The end of the connection, where it is to end and no session has anything more to say."""
        if self._turns:
            return []
        if self._parting is not None:
            code, text, close = self._parting
            return [error_message(code, text), Close(close, close_reason(text))]
        return self._end() if self._phase is Phase.ENDING else []

    def _advance(self, phase: Phase) -> None:
        self._phase = step(self._phase, phase, _BEFORE)

    def _end(self) -> list[Output]:
        """Everything has been said."""
        farewell = [messages.end_of_stream(), *([messages.eos()] if self._wants_eos else [])]
        return [*(Send(message) for message in farewell), Close(NORMAL)]


def _intake(task: Task) -> Intake | None:
    return make_intake(task.input_stream.source) if task.hears and task.input_stream is not None else None


def _branch_of(event: Event) -> int | None:
    return event.branch if isinstance(event, Translation | Translated | Speech) else None


def _described(task: Task, operator: Operator) -> dict[str, Any]:
    """The task with all its defaults, the operator's among them."""
    described = task.model_dump()
    heard = described["pipeline"]["transcription"]
    if heard is not None and heard["segment_confirmation_silence_threshold"] is None:
        heard["segment_confirmation_silence_threshold"] = operator.listen.end_silence_ms / 1000
    return described
