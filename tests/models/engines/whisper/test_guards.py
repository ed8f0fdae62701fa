"""Judging what the model wrote by its own numbers."""

from dataclasses import replace
from typing import Any

import pytest

from dragoman.models.engines.whisper.guards import (
    MAX_TOKENS,
    Decoded,
    credible,
    failed,
    goes_in_circles,
    token_limit,
    unspoken,
)
from tests.models.engines.whisper.whispers import settings

SETTINGS = settings("/anywhere")
GOOD = Decoded("It was the best of times.", [1, 2, 3], log_probability=-0.3, no_speech=0.05)
LOOP = "we had nothing before us, "


def changed(**values: Any) -> Decoded:
    return replace(GOOD, **values)


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "silent"),
    [
        (0.0, -5.0, False),
        (0.4, -5.0, False),
        (0.41, -1.1, True),
        (0.41, -0.9, False),
        (0.65, -0.51, True),
        (0.65, -0.49, False),
        (0.89, -0.05, True),
        (0.89, -0.01, False),
        (0.9, 0.0, True),
        (1.0, 0.0, True),
    ],
)
def test_the_likelier_silence_is_the_surer_the_words_must_be(
    no_speech: float, log_probability: float, silent: bool
) -> None:
    decoded = changed(no_speech=no_speech, log_probability=log_probability)
    assert unspoken(decoded, SETTINGS) is silent
    assert (credible(decoded, 3.0, SETTINGS) == "") is silent


def test_limits_of_silence_that_meet_or_cross() -> None:
    decoded = changed(no_speech=0.7)
    assert unspoken(decoded, settings("/x", max_no_speech=0.5, no_speech_alone=0.5))
    assert unspoken(decoded, settings("/x", max_no_speech=0.8, no_speech_alone=0.6))
    assert not unspoken(decoded, settings("/x", max_no_speech=0.8, no_speech_alone=0.8))
    assert not unspoken(changed(no_speech=1.0), settings("/x", max_no_speech=1.0, no_speech_alone=1.0))


def test_a_guess_is_tried_again() -> None:
    assert not failed(GOOD, SETTINGS)
    assert failed(changed(log_probability=-1.01), SETTINGS)
    assert failed(changed(log_probability=float("nan")), SETTINGS)
    assert not failed(changed(log_probability=-1.01), settings("/x", min_log_probability=-2.0))


def test_what_goes_in_circles_is_tried_again() -> None:
    assert not goes_in_circles(GOOD, SETTINGS)
    loop = changed(text=LOOP * 10, log_probability=-0.7)
    assert goes_in_circles(loop, SETTINGS)
    assert failed(loop, SETTINGS)
    assert not goes_in_circles(loop, settings("/x", max_compression_ratio=20.0))
    assert goes_in_circles(changed(endless=True), SETTINGS)


def test_a_loop_that_can_be_said_is_told_once() -> None:
    assert credible(changed(text=LOOP * 4, log_probability=-0.7), 10.0, SETTINGS) == LOOP.strip()
    assert credible(changed(text=LOOP * 4, endless=True), 10.0, SETTINGS) == LOOP.strip()
    assert credible(changed(text=LOOP * 4, tokens=list(range(200))), 10.0, SETTINGS) == LOOP.strip()
    assert credible(changed(text=LOOP * 4), 2.5, SETTINGS) == LOOP.strip()


@pytest.mark.parametrize("text", [f"{'no ' * 30}", f"{'5, 5, 5, 1, 2, ' * 6}", f"{'Four more years! ' * 8}"])
def test_what_was_surely_heard_over_and_over_stays(text: str) -> None:
    heard = changed(text=text, tokens=list(range(40)))
    assert heard.compression_ratio > SETTINGS.max_compression_ratio
    assert not failed(heard, SETTINGS)
    assert credible(heard, 12.0, SETTINGS) == text


def test_a_loop_that_nobody_can_say_is_nothing() -> None:
    assert credible(changed(text=LOOP * 20), 3.0, SETTINGS) == ""


def test_a_loop_without_words_that_can_be_told_once_is_nothing() -> None:
    assert credible(changed(text="ha" * 100), 10.0, SETTINGS) == ""
    assert credible(changed(text="no " * 8 + "way", endless=True), 10.0, SETTINGS) == ""


@pytest.mark.parametrize("text", ["", ".", "...", "♪♪♪", " - "])
def test_marks_alone_are_nothing(text: str) -> None:
    assert credible(changed(text=text), 3.0, SETTINGS) == ""


def test_a_guess_where_somebody_spoke_is_better_than_nothing() -> None:
    assert credible(changed(log_probability=-3.0), 3.0, SETTINGS) == GOOD.text


@pytest.mark.parametrize(("seconds", "tokens"), [(0.1, 19), (1.0, 48), (6.5, MAX_TOKENS), (30.0, MAX_TOKENS)])
def test_how_much_can_be_said(seconds: float, tokens: int) -> None:
    assert token_limit(seconds) == tokens
