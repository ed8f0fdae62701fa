import re

import pytest

from dragoman.server import state
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.soniox.temporary_keys import TRANSCRIBE, TemporaryKeys
from dragoman.server.state import InProcess


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_key_is_good_until_it_expires() -> None:
    clock = FakeClock()
    keys = TemporaryKeys(InProcess(clock))
    key = await keys.issue(TRANSCRIBE, 60, session_s=5)
    for _ in range(3):
        assert (await keys.check(key, TRANSCRIBE)).session_s == 5
    clock.now += 60
    for _ in range(2):
        with pytest.raises(AuthenticationFailed, match="expired"):
            await keys.check(key, TRANSCRIBE)


async def test_a_key_for_a_single_use_is_spent_by_it() -> None:
    keys = TemporaryKeys(InProcess())
    key, other = [await keys.issue(TRANSCRIBE, 60, single_use=True) for _ in range(2)]
    assert key != other
    assert (await keys.check(key, TRANSCRIBE)).session_s is None
    with pytest.raises(AuthenticationFailed, match="already used"):
        await keys.check(key, TRANSCRIBE)
    await keys.check(other, TRANSCRIBE)


async def test_a_key_for_something_else_is_not_spent() -> None:
    keys = TemporaryKeys(InProcess())
    key = await keys.issue("tts_rt", 60, single_use=True)
    with pytest.raises(AuthenticationFailed, match="for tts_rt, not for transcribe_websocket"):
        await keys.check(key, TRANSCRIBE)
    await keys.check(key, "tts_rt")


async def test_a_key_may_stand_in_a_subprotocol() -> None:
    keys = TemporaryKeys(InProcess())
    made = [await keys.issue(TRANSCRIBE, 60) for _ in range(50)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{40,}", key) for key in made)


async def test_too_many_keys_push_out_those_that_expire_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_KEPT", 3)
    clock = FakeClock()
    keys = TemporaryKeys(InProcess(clock))
    long, short, middle = [await keys.issue(TRANSCRIBE, lifetime_s) for lifetime_s in (90, 10, 50)]
    newest = await keys.issue(TRANSCRIBE, 30)
    with pytest.raises(AuthenticationFailed):
        await keys.check(short, TRANSCRIBE)
    clock.now += 60  # two more are over, and make room by themselves
    await keys.issue(TRANSCRIBE, 30)
    await keys.issue(TRANSCRIBE, 30)
    await keys.check(long, TRANSCRIBE)
    for gone in (middle, newest):
        with pytest.raises(AuthenticationFailed):
            await keys.check(gone, TRANSCRIBE)
