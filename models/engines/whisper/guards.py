"""Guards against what Whisper writes when nobody spoke: on silence, noise and music.

They judge by the model's own numbers, not by a list of phrases: what is invented differs between models and languages
and is often something that people do say ("Thank you.").
"""

import zlib
from dataclasses import dataclass

from dragoman.config.settings import WhisperSettings
from dragoman.models.guards import has_words, natural_rate, plausible_rate, without_loops

MAX_TOKENS = 224
"""Whisper's own limit for 30 s: half of its positions."""
_SPARE_TOKENS = 16
_TOKENS_PER_SECOND = 32.0
"""More than anybody says, in any language: those that Whisper spells byte by byte take about 30."""

SURE_LOG_PROBABILITY = -0.5
"""From this mean on a text that repeats itself was heard so. Over repeated words, numbers and pieces of sound tiny.en's
was -0.46 to -0.11, but once -0.57; over noise, speech played backwards and other languages, where it went in circles,
-1.08 to -0.57, or it went on for more than half of what it may write."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One text that the model wrote. `tokens` are those of words alone; `log_probability` is the mean over them and
    the end; `no_speech` is the probability that the audio holds no speech; `endless` tells that it ran into the limit
    of what can be said in the time."""

    text: str
    tokens: list[int]
    log_probability: float
    no_speech: float
    endless: bool = False

    @property
    def compression_ratio(self) -> float:
        """Bytes of the text over bytes after zlib; OpenAI's measure of repetition."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data))


def token_limit(seconds: float) -> int:
    """How many tokens a text of that much speech can have: a loop on a short segment need not run to MAX_TOKENS."""
    return min(MAX_TOKENS, _SPARE_TOKENS + round(_TOKENS_PER_SECOND * seconds))


def unspoken(decoded: Decoded, settings: WhisperSettings) -> bool:
    """Whether the audio most probably held no speech.

    The likelier silence is, the surer the words must be: at `max_no_speech` they may be as unsure as
    `min_log_probability`, and from there on a straight line asks for more, up to certainty at `no_speech_alone`.
    OpenAI's rule is the lower end alone; on silence the small models are fairly sure of their "Thank you.".
    """
    low, high, probability = settings.max_no_speech, settings.no_speech_alone, decoded.no_speech
    if probability <= min(low, high):
        return False
    if probability >= high:
        return True
    return decoded.log_probability < settings.min_log_probability * (high - probability) / (high - low)


def failed(decoded: Decoded, settings: WhisperSettings) -> bool:
    """Whether the text is to be tried again at a higher temperature: it goes in circles, never ends, or is a guess."""
    sure = decoded.log_probability >= settings.min_log_probability  # what is not a number is not sure
    return goes_in_circles(decoded, settings) or not sure


def goes_in_circles(decoded: Decoded, settings: WhisperSettings) -> bool:
    """Whether the text repeats itself more than speech does, and nothing says that it was spoken so."""
    return decoded.endless or (decoded.compression_ratio > settings.max_compression_ratio and not _heard(decoded))


def _heard(decoded: Decoded) -> bool:
    """Whether the model was sure of what it wrote and came to an end of its own accord."""
    ended = not decoded.endless and len(decoded.tokens) <= MAX_TOKENS // 2
    return ended and decoded.log_probability >= SURE_LOG_PROBABILITY


def credible(decoded: Decoded, seconds: float, settings: WhisperSettings) -> str:
    """What is left of the best text that the model wrote of so many seconds of audio; "" where nothing was said."""
    text = decoded.text
    if (
        unspoken(decoded, settings)
        or not has_words(text)
        # The rate is that of the raw text: a loop all through the segment says that nothing was heard.
        or not plausible_rate(text, seconds)
    ):
        return ""
    shorter = without_loops(text, seconds, sure=_heard(decoded))
    repeats = decoded.endless or decoded.compression_ratio > settings.max_compression_ratio
    spoken = _heard(decoded) and natural_rate(text, seconds)
    return "" if shorter == text and repeats and not spoken else shorter
