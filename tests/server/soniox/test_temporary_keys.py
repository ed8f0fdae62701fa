import re

import pytest

from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.soniox import temporary_keys
from dragoman.server.protocols.soniox.temporary_keys import TRANSCRIBE, TemporaryKeys


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_good_until_it_expires() -> None:
    clock = FakeClock()
    keys = TemporaryKeys(clock)
    key = keys.issue(TRANSCRIBE, 60, session_s=5)
    for _ in range(3):
        assert keys.check(key, TRANSCRIBE).session_s == 5
    clock.now += 60
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="expired"):
            keys.check(key, TRANSCRIBE)


def test_a_key_for_a_single_use_is_spent_by_it() -> None:
    keys = TemporaryKeys()
    key, other = keys.issue(TRANSCRIBE, 60, single_use=True), keys.issue(TRANSCRIBE, 60, single_use=True)
    assert key != other
    assert keys.check(key, TRANSCRIBE).session_s is None
    with pytest.raises(AuthenticationFailed, match="already used"):
        keys.check(key, TRANSCRIBE)
    keys.check(other, TRANSCRIBE)


def test_a_key_for_something_else_is_not_spent() -> None:
    keys = TemporaryKeys()
    key = keys.issue("tts_rt", 60, single_use=True)
    with pytest.raises(AuthenticationFailed, match="for tts_rt, not for transcribe_websocket"):
        keys.check(key, TRANSCRIBE)
    keys.check(key, "tts_rt")


def test_a_key_may_stand_in_a_subprotocol() -> None:
    keys = TemporaryKeys()
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{40,}", keys.issue(TRANSCRIBE, 60)) for _ in range(50))


def test_too_many_keys_push_out_those_that_expire_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary_keys, "MAX_KEYS", 3)
    clock = FakeClock()
    keys = TemporaryKeys(clock)
    long, short, middle = (keys.issue(TRANSCRIBE, lifetime_s) for lifetime_s in (90, 10, 50))
    newest = keys.issue(TRANSCRIBE, 30)
    with pytest.raises(AuthenticationFailed):
        keys.check(short, TRANSCRIBE)
    clock.now += 60  # two more are over, and make room by themselves
    keys.issue(TRANSCRIBE, 30)
    keys.issue(TRANSCRIBE, 30)
    keys.check(long, TRANSCRIBE)
    for gone in (middle, newest):
        with pytest.raises(AuthenticationFailed):
            keys.check(gone, TRANSCRIBE)
