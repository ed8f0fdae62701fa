import pytest
from pydantic import SecretStr

from dragoman.server.auth import MAX_TOKENS, Credentials, Gatekeeper
from dragoman.server.failures import AuthenticationFailed

KEYS = [SecretStr("one"), SecretStr("zwölf")]


def test_without_keys_everybody_may_come_in() -> None:
    gatekeeper = Gatekeeper([], 60)
    gatekeeper.check(Credentials())
    gatekeeper.check(Credentials(key="anything"))
    assert gatekeeper.anonymous


@pytest.mark.parametrize("key", ["one", "zwölf"])
def test_the_right_keys(key: str) -> None:
    Gatekeeper(KEYS, 60).check(Credentials(key=key))


@pytest.mark.parametrize("key", [None, "", "on", "onee", "ONE", "zwolf"])
def test_every_other_key(key: str | None) -> None:
    with pytest.raises(AuthenticationFailed):
        Gatekeeper(KEYS, 60).check(Credentials(key=key))


@pytest.mark.parametrize("keys", [KEYS, []])
def test_a_token_works_once(keys: list[SecretStr]) -> None:
    gatekeeper = Gatekeeper(keys, 60)
    token, lifetime_s = gatekeeper.issue_token()
    assert lifetime_s == 60
    gatekeeper.check(Credentials(token=token))
    for spent in (token, "invented"):
        with pytest.raises(AuthenticationFailed):
            gatekeeper.check(Credentials(key="one", token=spent))


def test_a_token_expires() -> None:
    now = 0.0
    gatekeeper = Gatekeeper(KEYS, 60, now=lambda: now)
    token, _ = gatekeeper.issue_token()
    now = 61.0
    with pytest.raises(AuthenticationFailed):
        gatekeeper.check(Credentials(token=token))


def test_tokens_do_not_pile_up() -> None:
    gatekeeper = Gatekeeper(KEYS, 60)
    first, _ = gatekeeper.issue_token()
    for _ in range(MAX_TOKENS):
        last, _ = gatekeeper.issue_token()
    gatekeeper.check(Credentials(token=last))
    with pytest.raises(AuthenticationFailed):
        gatekeeper.check(Credentials(token=first))
