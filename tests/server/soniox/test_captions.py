"""Whole talks as live captions: what a client shows that takes the final tokens and puts all the others behind them."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples
from dragoman.models.loading import load_engines
from dragoman.models.registry import Engines
from dragoman.pipeline.events import Event, Transcript
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.server.protocols.soniox.start import parse_start
from dragoman.server.protocols.soniox.stream import Stream
from tests.fakes.engines import fake_engines, s16, silence
from tests.fakes.readable import reader, spoken
from tests.models.recordings import recording
from tests.pipeline.stillness import Stillness
from tests.server.soniox.wire import SIGNS, START

CHUNK = SAMPLE_RATE_HZ // 10
SPANISH = {"type": "one_way", "target_language": "es"}


async def messages(engines: Engines, audio: Samples, latency: Latency, **fields: Any) -> list[dict[str, Any]]:
    """All that the client of a stream is told, each piece of the audio when all is done with the one before.

    `closes` is added to the messages about the end of a segment.
    """
    request, found = parse_start({**START, **fields}), list[dict[str, Any]]()
    stream, settings = Stream(request), load_settings()

    def emit(event: Event) -> None:
        closes = isinstance(event, Transcript) and event.final and event.closes
        found.extend({**json.loads(result.to_json()), "closes": closes} for result in stream.event(event))

    plan = engines.plan(targets=request.targets)
    asked = SessionRequest(
        request.input_format, None, plan, partials=request.shows_non_finals, latency=latency, listen=settings.listen
    )
    with Stillness(engines) as still:
        session = Session(
            asked, engines, settings, still.offload, work_clock=still.work_clock, session_id="s", emit=emit
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            for start in range(0, len(audio), CHUNK):
                await session.feed(s16(audio[start : start + CHUNK]))
                await still.settled(session)
            await session.end()
    return found


def spoken_tokens(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        token
        for token in message["tokens"]
        if token["text"] not in SIGNS and token.get("translation_status") != "translation"
    ]


def captions(found: list[dict[str, Any]]) -> Iterator[str]:
    """What is shown after each message."""
    said = ""
    for message in found:
        tokens = spoken_tokens(message)
        said += "".join(token["text"] for token in tokens if token["is_final"])
        yield said + "".join(token["text"] for token in tokens if not token["is_final"])


def halves(found: list[dict[str, Any]]) -> list[str]:
    """Final words after which nothing is supposed, though it is in the next message, which has no others."""
    torn = []
    for one, other in pairwise(found):
        first, second = spoken_tokens(one), spoken_tokens(other)
        if first and all(token["is_final"] for token in first) and not one["closes"]:
            torn += [first[-1]["text"]] if second and not second[0]["is_final"] else []
    return torn


def shrinks(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Captions that lose words, with what was shown before."""
    return [(before, after) for before, after in pairwise(captions(found)) if len(after.split()) < len(before.split())]


def flickers(found: list[dict[str, Any]]) -> list[str]:
    """Words that go and come back. A recogniser that changes its mind may well make fewer words of the same speech."""
    shown = [caption.split() for caption in captions(found)]
    return [
        before[len(short)]
        for before, short, after in zip(shown, shown[1:], shown[2:], strict=False)
        if before[len(short) : len(short) + 1] == after[len(short) : len(short) + 1] != []
    ]


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@pytest.mark.parametrize("times", [False, True], ids=["without word times", "with word times"])
@pytest.mark.parametrize("fields", [{}, {"translation": SPANISH}], ids=["transcribed", "translated"])
@pytest.mark.parametrize("sentence", [8, 1000], ids=["sentences", "no sentence ends"])
async def test_captions_only_grow(latency: Latency, times: bool, fields: dict[str, Any], sentence: int) -> None:
    audio = np.concatenate([spoken(80), silence(1.5), spoken(5, first=80), silence(1.5)])
    with closing(fake_engines(reader(times=times, sentence=sentence))) as engines:
        found = await messages(engines, audio, latency, **fields)
    assert any(not token["is_final"] for message in found for token in spoken_tokens(message))
    assert shrinks(found) == []
    assert halves(found) == []
    assert len(list(captions(found))[-1].split()) == 85


async def test_a_client_that_wants_finals_only_gets_no_others() -> None:
    with closing(fake_engines(reader(times=False))) as engines:
        audio = np.concatenate([spoken(30), silence(1.0)])
        found = await messages(engines, audio, "low", enable_non_final_tokens=False)
    assert all(token["is_final"] for message in found for token in message["tokens"])


async def test_a_final_waits_for_nothing_where_nothing_is_supposed_behind_it() -> None:
    def hear(request: RecognitionRequest) -> str | Hypothesis:
        return "yes" if len(request.samples) > SAMPLE_RATE_HZ // 2 else ""

    with closing(fake_engines(hear)) as engines:
        found = await messages(engines, np.concatenate([spoken(4), silence(1.0)]), "balanced")
    assert [token["text"] for token in found[-2]["tokens"] if token["is_final"]] == ["yes"]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Engines]:
    with closing(load_engines(load_settings(overrides={"engines": {"set": "embedded"}}))) as engines:
        yield engines


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("name", "latency", "fields"),
    [
        ("two_cities.wav", "balanced", {"enable_endpoint_detection": True}),
        ("beckett.wav", "balanced", {"translation": SPANISH}),
        ("beckett.wav", "quality", {}),
    ],
)
async def test_recordings(embedded: Engines, name: str, latency: Latency, fields: dict[str, Any]) -> None:
    found = await messages(embedded, recording(name), latency, **fields)
    assert halves(found) == []
    assert flickers(found) == []
