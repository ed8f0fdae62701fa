"""What a setup of `speech/asr` asks for. What cannot be is told with a code on which no client tries again."""

from dataclasses import dataclass
from typing import Any

from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.latency import Latency
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.gradium.formats import INPUT_HZ, input_format
from dragoman.server.protocols.gradium.setup import (
    Asked,
    delay_of,
    language_of,
    latency_of,
    number_of,
    read_config,
    read_setup,
)
from dragoman.server.wire import MAX_ID

TRANSLATES = "stt-translate"
MODELS = ("default", TRANSLATES)
TARGETS = ("en", "fr", "de", "es", "pt")
"""The vendor's; what is served here is what is installed."""
DEFAULT_DELAY = 10
LEAST_DELAY = 5
"""Frames of 80 ms: the beginning of speech is not known earlier."""
MAX_KEYWORDS = 500


@dataclass(frozen=True, slots=True)
class AsrRequest(Asked):
    """A valid setup. `target` None: what is said is written down; `rate_hz` is the input's, as far as it is known."""

    input_format: AudioFormat
    rate_hz: int
    source: str | None
    target: str | None
    delay_frames: int
    keywords: tuple[str, ...]
    latency: Latency | None


def parse_asr_setup(message: dict[str, Any]) -> AsrRequest:
    """Read a setup message. Raises BadMessage naming the field that is wrong."""
    setup, model = read_setup(message, MODELS)
    config = read_config(setup.json_config)
    number_of(config, "temp", 0.0, 1.5, Fault.MODEL)
    number_of(config, "padding_bonus", -4.0, 4.0, Fault.MODEL)
    language = language_of(config, "language", Fault.MODEL)
    target = language_of(config, "target_language", Fault.MODEL) or language
    if model == TRANSLATES and target is None:
        languages = ", ".join(TARGETS)
        raise BadMessage(f"missing required 'language': the one to translate to, such as {languages}", Fault.MODEL)
    delay = delay_of(config, Fault.MODEL)
    read = input_format(setup.input_format)
    return AsrRequest(
        client_req_id=setup.client_req_id,
        model_name=model,
        close_ws_on_eos=setup.close_ws_on_eos is not False,
        input_format=read,
        rate_hz=read.rate_hz or INPUT_HZ,
        source=language_of(config, "source_language", Fault.MODEL) if model == TRANSLATES else language,
        target=target if model == TRANSLATES else None,
        delay_frames=max(DEFAULT_DELAY if delay is None else delay, LEAST_DELAY),
        keywords=_keywords(config.get("keywords")),
        latency=latency_of(config, Fault.MODEL),
    )


def _keywords(given: object) -> tuple[str, ...]:
    """`{words, boost}`: single words; how much they are favoured is the engine's business. Raises BadMessage."""
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise BadMessage("json_config.keywords must be an object", Fault.MODEL)
    number_of({"keywords.boost": given.get("boost")}, "keywords.boost", -6.0, 6.0, Fault.MODEL)
    words = given.get("words")
    if words is None:
        return ()
    if not isinstance(words, list) or len(words) > MAX_KEYWORDS:
        raise BadMessage(f"json_config.keywords.words must be a list of at most {MAX_KEYWORDS} words", Fault.MODEL)
    for word in words:
        if not isinstance(word, str) or len(word) > MAX_ID or len(word.split()) != 1:
            shown = quoted(word) if isinstance(word, str) else "what is no text"
            raise BadMessage(f"json_config.keywords.words must be single words, not '{shown}'", Fault.MODEL)
    return tuple(dict.fromkeys(word.strip() for word in words))
