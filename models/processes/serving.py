"""What a child process of an engine does: it answers questions on its standard input until that ends.

It runs in a Python of its own that has nothing but the standard library (`children.py` starts it), so this module and
those that it serves import nothing else. The frames, numbers little-endian:

    question    length (4 bytes), seconds it may take (4 bytes, float), then JSON
    answer      length (4 bytes), whether the question was refused (1 byte), then what was made, or why in UTF-8

The first answer is to no question: the child can work, or says why it cannot.
"""

import json
import os
import resource
import signal
import struct
from collections.abc import Callable
from typing import Any

QUESTION = struct.Struct("<If")
ANSWER = struct.Struct("<I?")

SPARE_S = 1.0
"""A child that hangs and has no parent any more ends itself, this long after its parent would have ended it."""

Handler = Callable[[Any], bytes]


def serve(prepare: Callable[[], Handler]) -> None:
    """Make a handler, then answer each question with what it gives, until nobody asks any more.

    What it raises is told as the reason why the question is refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a text that ends it must not fill the disk as well
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    try:
        handle = prepare()
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent learns of it)
        _write(answers, _refusal(error))
        return
    _write(answers, ANSWER.pack(0, False))
    while True:
        length, limit_s = QUESTION.unpack(_read(0, QUESTION.size))
        question = json.loads(_read(0, length))
        signal.setitimer(signal.ITIMER_REAL, limit_s + SPARE_S)
        try:
            made = handle(question)
            answer = ANSWER.pack(len(made), False) + made
        except Exception as error:  # noqa: BLE001
            answer = _refusal(error)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(answers, answer)


def _refusal(error: Exception) -> bytes:
    reason = (str(error) or type(error).__name__).encode("utf-8", "replace")
    return ANSWER.pack(len(reason), True) + reason


def _read(descriptor: int, size: int) -> bytes:
    """So many bytes; ends this process where the parent has gone."""
    data = b""
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        if not piece:
            raise SystemExit(0)
        data += piece
    return data


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except BrokenPipeError:
        raise SystemExit(0) from None
