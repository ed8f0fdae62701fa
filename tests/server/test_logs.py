import io
import json
import logging
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragoman.config.settings import load_settings
from dragoman.server.logs import MINUTE_S, OnceAMinute, configure_logging, escaped, session_id

NASTY = (
    "\x1b[2J\x1b]0;owned\x07 \x00 \x0b \x0c \x7f \x85 \x9b31m \t"
    "\u2028 \u2029 \u202e \u2066 \u200f \ufeff \U000e0041 \udc80"
)
JOINED = "\u0915\u094d\u200d\u0937 \u0645\u06cc\u200c\u062e \u00e9 \U0001f600"
"""Scripts that need the joiners, and other text that stays as it is."""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., io.StringIO]]:
    """Configures logging as the server does and gives what it writes; puts everything back."""
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(one, one.handlers[:], one.level, one.propagate, one.filters[:]) for one in loggers]
    stream = io.StringIO()

    def configure(**overrides: Any) -> io.StringIO:
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logging(load_settings(overrides=overrides))
        return stream

    yield configure
    for one, handlers, level, propagate, filters in before:
        one.handlers[:], one.level, one.propagate, one.filters[:] = handlers, level, propagate, filters


def invisible(text: str) -> set[str]:
    """Characters that do something other than show themselves, joiners apart."""
    return {one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs")} - {"\u200c", "\u200d"}


def test_every_character_that_acts_is_shown() -> None:
    assert invisible(escaped(NASTY)) == set()
    assert escaped("\x1b[2J\r\n\u2028\U000e0041") == r"\x1b[2J\r\n\u2028\U000e0041"
    assert escaped(JOINED) == JOINED
    acting = [
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp", "Cs")
    ]
    assert [one for one in acting if escaped(one) == one] == []
    # Direction, and tags that nobody sees.
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF, 0xE0001, 0xE007F):
        assert escaped(chr(code)) != chr(code)


def test_a_line_of_text_is_one_line(logged: Callable[..., io.StringIO]) -> None:
    stream = logged()
    logging.getLogger("dragoman.test").info("a client said %s", NASTY + "\n2026-01-01 00:00:00 INFO forged")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert invisible(line) == {"\n"}


def test_a_traceback_shows_what_a_client_sent_and_forges_nothing(logged: Callable[..., io.StringIO]) -> None:
    stream = logged()
    try:
        raise ValueError(NASTY + "\n2026-01-01 00:00:00,000 INFO    dragoman.server forged")
    except ValueError:
        logging.getLogger("dragoman.test").exception("it broke")
    first, *rest = stream.getvalue().splitlines()
    assert first.endswith("it broke")
    assert rest[0] == "  Traceback (most recent call last):"
    assert "forged" in rest[-1]
    assert all(line.startswith("  ") for line in rest)
    assert invisible(stream.getvalue()) == {"\n"}


def test_json_says_the_same_in_its_own_way(logged: Callable[..., io.StringIO]) -> None:
    stream = logged(log_format="json")
    token = session_id.set("abc")
    try:
        logging.getLogger("dragoman.test").warning("a client said %s", NASTY)
    finally:
        session_id.reset(token)
    line = stream.getvalue()
    assert invisible(line) == {"\n"}
    assert line.count("\n") == 1
    record = json.loads(line)
    assert (record["level"], record["session_id"], record["message"]) == ("WARNING", "abc", f"a client said {NASTY}")


def test_the_session_is_named(logged: Callable[..., io.StringIO]) -> None:
    stream = logged()
    token = session_id.set("abc")
    try:
        logging.getLogger("dragoman.test").info("heard")
    finally:
        session_id.reset(token)
    assert stream.getvalue().endswith("heard [session abc]\n")


def test_what_clients_do_wrong_is_no_warning_and_what_we_do_wrong_is(logged: Callable[..., io.StringIO]) -> None:
    stream = logged()
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.warning("Invalid HTTP request received.")
    uvicorn.info('("192.0.2.1", 1) - "WebSocket /x?token=secret" [accepted]')
    assert stream.getvalue() == ""
    uvicorn.error("Exception in ASGI application\n")
    assert "Exception in ASGI application" in stream.getvalue()


class Later:
    """Keeps what is to happen in a minute."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, delay_s: float, then: Callable[[], None]) -> None:
        assert delay_s == MINUTE_S == 60.0
        self.waiting.append(then)

    def minute(self) -> None:
        waiting, self.waiting = self.waiting, []
        for then in waiting:
            then()


def test_what_happens_again_and_again_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    later = Later()
    say = OnceAMinute(logging.getLogger("dragoman.test"), logging.WARNING, later)
    for _ in range(1000):
        say("refused a connection")
    say("another thing")
    assert [record.getMessage() for record in caplog.records] == ["refused a connection", "another thing"]
    caplog.clear()
    later.minute()
    assert [record.getMessage() for record in caplog.records] == ["refused a connection; 999 more in the last minute"]
    caplog.clear()
    say("refused a connection")
    assert caplog.records == []
    later.minute()
    assert [record.getMessage() for record in caplog.records] == ["refused a connection; 1 more in the last minute"]
    caplog.clear()
    later.minute()
    assert (caplog.records, later.waiting) == ([], [])
    say("refused a connection")
    assert [record.getMessage() for record in caplog.records] == ["refused a connection"]
