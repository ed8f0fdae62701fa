"""The official client and the engines that users get, on the recordings inside the recogniser's package."""

import jiwer
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.loading import load_translators
from dragoman.models.routes import RouteMap, offers
from dragoman.models.text.finishing import finished
from dragoman.pipeline.sentences import words_of
from dragoman.testing import RunningServer
from tests.sdk.child import Raised
from tests.sdk.client import run_client
from tests.sdk.speech import from_format, in_format, recording, says_again
from tests.sdk.test_entry_points import FORMATS

pytestmark = pytest.mark.embedded

BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it"
    " was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of"
    " darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing"
    " before us, we were all going direct to heaven, we were all going direct the other way. In short, the period was"
    " so far like the present period that some of its noisiest authorities insisted on its being received, for good or"
    " for evil, in the superlative degree of comparison only."
)


def error_rate(text: str, reference: str) -> float:
    return float(jiwer.wer(" ".join(words_of(reference)), " ".join(words_of(text))))


def test_english_in_english_out_loses_nothing(embedded: RunningServer) -> None:
    heard = ""
    for name in ("beckett.wav", "two_cities.wav"):
        samples, rate = recording(name)
        setup = {"input_format": "wav", "output_format": "pcm", "json_config": {"target_language": "en"}}
        result = run_client("buffered", url=embedded.url, setup=setup, audio=in_format("wav", samples, rate))
        heard += f" {result['text']}"
        assert len(result["raw"]) / 96000 > 0.4 * len(samples) / rate
    assert error_rate(heard, f"{BECKETT} {TWO_CITIES}") <= 0.15, heard


def test_every_format_and_every_target(embedded: RunningServer) -> None:
    samples, rate = recording("beckett.wav")
    pairs = list(zip(FORMATS, [*FORMATS[3:], *FORMATS[:3]], strict=True))
    targets = ["es", "fr", "pt", "en"]
    jobs = [
        (
            ("buffered", "pulled", "realtime")[number % 3],
            {
                "url": embedded.url,
                "setup": {
                    "input_format": source,
                    "output_format": output,
                    "json_config": {"target_language": targets[number % 4]},
                },
                "audio": in_format(source, samples, rate),
            },
        )
        for number, (source, output) in enumerate(pairs)
    ]
    for number, ((_, output), result) in enumerate(zip(pairs, run_client("each", jobs=jobs), strict=True)):
        assert not isinstance(result, Raised), result
        messages = result if isinstance(result, list) else None
        text = " ".join(m["text"] for m in messages if m["type"] == "text") if messages else result["text"]
        raw = b"".join(m["audio"] for m in messages if m["type"] == "audio") if messages else result["raw"]
        assert says_again(text, targets[number % 4]), (pairs[number], text)
        spoken, spoken_hz = from_format(output, raw)
        assert len(spoken) / spoken_hz > 3


def test_german_says_what_is_missing_and_how_to_get_it(embedded: RunningServer) -> None:
    setup = {"input_format": "pcm", "json_config": {"target_language": "de"}}
    for job in ("buffered", "pulled", "realtime"):
        answer = run_client(job, url=embedded.url, setup=setup, audio=bytes(1000))
        assert isinstance(answer, Raised)
        assert "no translator for en→de is installed" in answer.text
        assert "firefox-en_de" in answer.text
        assert "1008" in answer.text


def test_other_languages_in_say_what_is_missing(embedded: RunningServer) -> None:
    setup = {"input_format": "pcm", "json_config": {"target_language": "en", "source_language": "fr"}}
    answer = run_client("buffered", url=embedded.url, setup=setup, audio=bytes(1000))
    assert isinstance(answer, Raised)
    assert "no recogniser for 'fr'" in answer.text


def test_without_a_target_the_speech_gets_another_voice(embedded: RunningServer) -> None:
    samples, rate = recording("beckett.wav")
    result = run_client("buffered", url=embedded.url, setup={}, audio=in_format("wav", samples, rate))
    # Twelve words, of which a tiny recogniser mistakes one or two.
    assert error_rate(result["text"], BECKETT) <= 0.25


def test_the_stream_says_what_the_bare_engines_say(embedded: RunningServer) -> None:
    samples, rate = recording("two_cities.wav")
    audio = in_format("pcm", samples, rate)
    jobs = [
        ("buffered", {"url": embedded.url, "audio": audio, "setup": {"input_format": "pcm", "json_config": config}})
        for config in ({}, *({"target_language": target} for target in ("es", "fr", "pt")))
    ]
    english, *others = ([text for text, _, _ in result["times"]] for result in run_client("each", jobs=jobs))
    translators = load_translators(load_settings(overrides={"engines": {"set": "embedded"}}), [])
    routes = RouteMap(step for engine in translators for step in offers(engine.name, engine.pairs))
    by_name = {engine.name: engine for engine in translators}
    try:
        # Each session heard for itself, and where one cuts its clauses depends on what came while it was recognising.
        for target, said in zip(("es", "fr", "pt"), others, strict=True):
            texts, route = english, routes.best("en", target)
            assert route is not None
            for pair, engine in route.steps:
                made = by_name[engine].translate(pair, texts)
                texts = [finished(text, done, pair) for text, done in zip(texts, made, strict=True)]
            assert error_rate(" ".join(said), " ".join(texts)) <= 0.1, (said, texts)
    finally:
        for engine in translators:
            engine.close()


def test_text_and_sound_come_while_the_speaker_goes_on(embedded: RunningServer) -> None:
    samples, rate = recording("beckett.wav")
    found = run_client(
        "first_output",
        url=embedded.url,
        setup={"input_format": "pcm", "output_format": "pcm", "json_config": {"target_language": "es"}},
        audio=in_format("pcm", samples, rate),
    )
    assert not isinstance(found, Raised), found
    assert "text" in found["before"]
    assert "text" in found["after"]


@pytest.mark.parametrize("source", ["silence", "noise"])
def test_nobody_speaks_and_nothing_is_said(embedded: RunningServer, source: str) -> None:
    import numpy as np

    level = 0 if source == "silence" else 600
    noise = np.random.default_rng(0).normal(0, 1, 24000 * 20) * level
    setup = {"input_format": "pcm", "output_format": "pcm", "json_config": {"target_language": "es"}}
    result = run_client("buffered", url=embedded.url, setup=setup, audio=noise.astype("<i2").tobytes())
    assert result["text"] == ""
    assert result["raw"] == b""
