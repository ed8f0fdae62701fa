import pytest
from pydantic import SecretStr

from dragoman.server import state
from dragoman.server.auth import Credentials, Gatekeeper, caller, owner_of
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.state import InProcess

KEYS = [SecretStr("one"), SecretStr("zwölf")]


def test_without_keys_everybody_may_come_in() -> None:
    gatekeeper = Gatekeeper([], 60, InProcess())
    assert gatekeeper.check(None) == ""
    assert gatekeeper.check("anything") == ""
    assert gatekeeper.anonymous


@pytest.mark.parametrize("key", ["one", "zwölf"])
async def test_the_right_keys(key: str) -> None:
    gatekeeper = Gatekeeper(KEYS, 60, InProcess())
    assert gatekeeper.check(key) == await gatekeeper.admit(Credentials(key=key)) == owner_of(key) == caller.get()
    assert key not in owner_of(key)


@pytest.mark.parametrize("key", [None, "", "on", "onee", "ONE", "zwolf", "\ud800"])
async def test_every_other_key(key: str | None) -> None:
    gatekeeper = Gatekeeper(KEYS, 60, InProcess())
    with pytest.raises(AuthenticationFailed):
        gatekeeper.check(key)
    with pytest.raises(AuthenticationFailed):
        await gatekeeper.admit(Credentials(key=key))


@pytest.mark.parametrize("keys", [KEYS, []])
async def test_a_token_works_once(keys: list[SecretStr]) -> None:
    gatekeeper = Gatekeeper(keys, 60, InProcess())
    token, lifetime_s = await gatekeeper.issue_token("me")
    assert lifetime_s == 60
    assert await gatekeeper.admit(Credentials(token=token)) == ("me" if keys else "")
    for spent in (token, "invented"):
        with pytest.raises(AuthenticationFailed):
            await gatekeeper.admit(Credentials(key="one", token=spent))


async def test_a_token_expires() -> None:
    now = 0.0
    gatekeeper = Gatekeeper(KEYS, 60, InProcess(lambda: now))
    token, _ = await gatekeeper.issue_token("me")
    now = 61.0
    with pytest.raises(AuthenticationFailed):
        await gatekeeper.admit(Credentials(token=token))


async def test_tokens_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_KEPT", 100)
    gatekeeper = Gatekeeper(KEYS, 60, InProcess())
    first, _ = await gatekeeper.issue_token("me")
    for _ in range(100):
        last, _ = await gatekeeper.issue_token("me")
    await gatekeeper.admit(Credentials(token=last))
    with pytest.raises(AuthenticationFailed):
        await gatekeeper.admit(Credentials(token=first))
