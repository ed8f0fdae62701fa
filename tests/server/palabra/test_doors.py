"""Tokens, sessions made by REST, limits, and the voices that ids stand for."""

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from dragoman.models.base import Voice
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.server import state
from dragoman.server.auth import Gatekeeper, caller
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.palabra.credentials import check_bearer, check_secret, check_token
from dragoman.server.protocols.palabra.languages import base_of, same
from dragoman.server.protocols.palabra.limits import Rate
from dragoman.server.protocols.palabra.sessions import Sessions
from dragoman.server.protocols.palabra.voices import Choice, EngineAbilities
from dragoman.server.state import InProcess
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator

KEY = "a+b/c=%41"


@pytest.fixture
def gatekeeper() -> Gatekeeper:
    return Gatekeeper([SecretStr(KEY), SecretStr("plain key")], 60.0, InProcess())


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(60.0, InProcess())


@pytest.mark.parametrize(
    "query",
    [
        b"token=a+b/c=%41",
        b"token=a%2Bb%2Fc%3D%2541",
        b"x=1&token=a+b/c=%41&y",
        b"token=plain+key",
        b"token=plain%20key",
    ],
)
async def test_tokens_are_taken_raw_and_decoded(query: bytes, gatekeeper: Gatekeeper, sessions: Sessions) -> None:
    await check_token(query, gatekeeper, sessions)


@pytest.mark.parametrize("query", [b"", b"token", b"token=", b"token=plain", b"key=plain+key", b"token=\xff%ff"])
async def test_other_tokens_are_not(query: bytes, gatekeeper: Gatekeeper, sessions: Sessions) -> None:
    with pytest.raises(AuthenticationFailed):
        await check_token(query, gatekeeper, sessions)


async def test_without_keys_everybody_may_come_in(sessions: Sessions) -> None:
    await check_token(b"", Gatekeeper([], 60.0, InProcess()), sessions)


async def test_a_sessions_token_opens_sockets_until_it_is_deleted(gatekeeper: Gatekeeper, sessions: Sessions) -> None:
    session = await sessions.create("mine")
    query = b"token=" + session.token.encode()
    await check_token(query, gatekeeper, sessions)
    assert caller.get() == "mine"
    await check_token(query, gatekeeper, sessions)
    assert await sessions.delete(session.session_id)
    assert not await sessions.delete(session.session_id)
    with pytest.raises(AuthenticationFailed):
        await check_token(query, gatekeeper, sessions)


async def test_sessions_grow_old_and_the_oldest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_KEPT", 100)
    now = [0.0]
    sessions = Sessions(10.0, InProcess(lambda: now[0]))
    first = await sessions.create()
    now[0] = 6.0
    second = await sessions.create()
    now[0] = 11.0
    assert await sessions.all() == [second]
    assert await sessions.owner(first.token) is None
    for _ in range(100):
        await sessions.create()
    assert await sessions.owner(second.token) is None
    assert len(await sessions.all()) == 100


async def test_every_front_with_the_same_keys_tells_the_same_token() -> None:
    shared = InProcess()
    one, same, other = (Sessions(60.0, shared, [SecretStr(key) for key in keys]) for keys in ("ab", "ba", "c"))
    session = await one.create()
    assert await same.all() == [session]
    (told,) = await other.all()
    assert told.token != session.token
    assert await other.owner(told.token) is None


def test_keys_in_headers(gatekeeper: Gatekeeper) -> None:
    check_bearer(Headers({"Authorization": f"Bearer {KEY}"}), gatekeeper)
    check_secret(Headers({"ClientId": "me", "ClientSecret": KEY}), gatekeeper)
    for headers in ({}, {"Authorization": f"Basic {KEY}"}, {"ClientSecret": "no"}):
        for check in (check_bearer, check_secret):
            with pytest.raises(AuthenticationFailed):
                check(Headers(headers), gatekeeper)


def test_a_rate() -> None:
    now = [0.0]
    rate = Rate(2, 1.0, lambda: now[0])
    assert [rate.take(), rate.take(), rate.take()] == [True, True, False]
    now[0] = 0.9
    assert not rate.take()
    now[0] = 1.0
    assert [rate.take(), rate.take(), rate.take()] == [True, True, False]


@pytest.mark.parametrize(
    ("code", "base"),
    [("en", "en"), ("EN-us", "en"), ("zh-hant", "zh"), ("pt_BR", "pt"), ("en-xx", "en"), ("fil", "fil"), ("ba", "ba")]
    + [(code, None) for code in ("", "auto", "e", "xx", "xx-us", "en-", "english", "en us", "multi")],
)
def test_languages(code: str, base: str | None) -> None:
    assert base_of(code) == base


def test_spellings() -> None:
    assert same("pt-BR", "PT_br")
    assert not same("pt", "pt-br")


def voice(voice_id: str, language: str, gender: str, engine: str = "fake-synthesizer", spoken: str = "") -> Voice:
    return Voice(voice_id.ljust(16, "-"), voice_id, language, engine, spoken or voice_id, gender, aliases=(voice_id,))


def test_voices_by_their_ids() -> None:
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "")],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue(
            [
                voice("ana", "es", "female"),
                voice("bea", "es", "female", "absent"),
                voice("cid", "es", "male"),
                voice("dan", "fr", "female"),
                voice("choir", "es", "neutral", spoken="choir#one"),
            ]
        ),
    )
    abilities = EngineAbilities(lambda: engines)
    found = {
        (voice_id, language): abilities.voice(voice_id, language)
        for voice_id in ("default_low", "default_high")
        for language in ("es", "fr", "cy")
    }
    low, high = "cid".ljust(16, "-"), "ana".ljust(16, "-")
    assert found["default_low", "es"] == Choice(low)
    assert found["default_high", "es"] == Choice(high)
    assert found["default_low", "fr"] == Choice("dan".ljust(16, "-"))  # the only one
    assert found["default_low", "cy"] == Choice(None)  # none: opening the session says so
    assert abilities.voice("ana", "es") == Choice("ana")
    assert abilities.voice("choir#two", "es") == Choice("choir#two")
    for voice_id, complaint in (
        ("bea", "the engine of voice 'bea' is not installed"),
        ("dan", "voice 'dan' speaks 'fr', not 'es'"),
        ("nobody", "voice 'nobody' does not exist"),
    ):
        assert abilities.voice(voice_id, "es") == Choice(low, f"{complaint}; a default voice is used")
    assert abilities.translates("en", "es")
    assert not abilities.translates("es", "en")
    engines.close()
