"""Moonshine tiny-en: English speech recognition on the model files inside the `moonshine-voice` package.

The files are run on ONNX Runtime. The package's own library is not used: in 0.0.49 it never gives back about 47 kB for
each second of audio, its `moonshine_free_transcriber` crashes when speaker identification is off (it follows a
pointer that was never set), and its threads spin, which costs three times the processor time. On the same audio the
two make as many errors as each other. Model: Jeffries et al. 2024, https://arxiv.org/abs/2410.15608 (MIT).
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Hypothesis, RecognitionRequest, Samples, Trust
from dragoman.models.embedded import onnx_session, package_file
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.guards import has_words, plausible_rate, without_loops

NAME = "moonshine"

SHORTEST_S = 0.1
"""Audio shorter than this holds no word, and under 0.06 s the encoder's convolutions have nothing to slide over."""

SILENT_PEAK = 1e-3
"""Audio that never rises above this (-60 dBFS) is silence: bringing it up to level would only raise its noise."""

NORMAL_PEAK = 0.7
"""The peak that segments are brought to; the model hears quiet speech badly."""

MARGIN_S = 0.3
"""Silence put before and behind a segment: cut close, the model loses or invents its first and last words. On eight
recordings (two minutes of English) cut at pauses, the word error rate was 12.9 % without it and 8.6 % with it."""

LEAST_MEAN_LOG_PROBABILITY = -1.0
"""Below this mean over the tokens the text is a guess: noise, another language, a scrap of a word."""

SURE_MEAN_LOG_PROBABILITY = -0.35
"""From this mean on the model heard what it repeats. Over repeated words and numbers that espeak-ng spoke it was -0.21
to -0.04; over noise, speech played backwards and other languages, where it went in circles and found an end, -1.14 to
-0.26."""

SURE_LEAST_LOG_PROBABILITY = -1.5
"""And no token of it was less likely. A loop makes itself sure with every round, but it began with a guess: -2.1 to
-3.2, where the least likely token of what espeak-ng repeated had -1.1."""

TRUST = Trust(sure=0.9, doubtful=0.7)
"""On eight recordings (two minutes of English), recognised again with every 0.35 s: of the last words but one, those
from 0.9 on were what the whole segment gave in 93 % of the cases, at their first hypothesis. Of the words on which two
hypotheses agreed, those under 0.7 were right in 65 to 80 %, the others in 93 to 96 %."""

_BLANK = "\u2581"
_MUSIC = "♪"  # the model's own mark that it hears no speech; what it writes beside it are invented lyrics
_TOKENS_PER_SECOND = 10.0
_SPARE_TOKENS = 4
_START_TOKEN, _END_TOKEN = 1, 2
_HEADS, _HEAD_SIZE = 8, 36
_REMEDY = "Run `pip install 'dragoman[embedded]'`"


class MoonshineRecognizer:
    """Recognises English; any number of threads may call it at once.

    `threads` is how many one call uses: a second thread costs 45 % more processor time and saves next to nothing, so
    as many workers as there are cores do more. Raises EngineUnavailable when the package is missing or broken.
    """

    name = NAME
    languages = frozenset({"en"})
    to_english: frozenset[str] = frozenset()

    def __init__(self, *, threads: int = 1) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.batching = Batching(workers=max(1, cores // threads))

        def path(name: str) -> Path:
            return package_file(NAME, "moonshine_voice", f"assets/tiny-en/{name}", _REMEDY)

        self._tokens = read_tokens(path("tokenizer.bin").read_bytes())
        encoder, decoder = path("encoder_model.ort"), path("decoder_model_merged.ort")
        self._encoder: Any = onnx_session(NAME, encoder, threads=threads, remedy=_REMEDY)
        self._decoder: Any = onnx_session(NAME, decoder, threads=threads, remedy=_REMEDY)
        self._outputs: list[str] = [output.name for output in self._decoder.get_outputs()]

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        """One hypothesis per request, in order, without word times; empty where nothing credible was said.

        Raises EngineFailed, also after `close`.
        """
        return [self._hear(request.samples, request.draft) for request in requests]

    def close(self) -> None:
        """Let go of the models. May be called again."""
        self._encoder = self._decoder = None

    def _hear(self, samples: Samples, draft: Sequence[int]) -> Hypothesis:
        encoder, decoder = self._encoder, self._decoder
        if encoder is None:
            raise EngineFailed(NAME, "it is closed")
        level = _levelled(samples)
        if level is None:
            return Hypothesis("", "en")
        try:
            tokens, log_probabilities = self._decode(encoder, decoder, level, draft)
        except Exception as error:
            raise EngineFailed(NAME, str(error)) from error
        pieces = [self._tokens[token] for token in tokens]
        text = b"".join(pieces).decode(errors="ignore").replace(_BLANK, " ").strip()
        invented = (
            float(np.mean(log_probabilities)) < LEAST_MEAN_LOG_PROBABILITY
            or not has_words(text)
            or _MUSIC in text
            # A single word that somebody said comes with a closing mark ("Yes."); noise is a bare "You" or "So".
            or (" " not in text and text[-1].isalnum())
            # The rate is that of the raw text: a loop all through the segment says that nothing was heard.
            or not plausible_rate(text, samples.size / SAMPLE_RATE_HZ)
        )
        if invented:
            return Hypothesis("", "en")
        ended = len(log_probabilities) > len(tokens)  # by the model's own mark
        sure = (
            ended
            and float(np.mean(log_probabilities)) >= SURE_MEAN_LOG_PROBABILITY
            and float(np.min(log_probabilities)) >= SURE_LEAST_LOG_PROBABILITY
        )
        told = without_loops(text, samples.size / SAMPLE_RATE_HZ, sure=sure)
        confidences = _confidences(pieces, log_probabilities) if told == text else ()
        if len(confidences) != len(told.split()):
            confidences = ()
        return Hypothesis(told, "en", confidences=confidences, trust=TRUST, tokens=tuple(tokens))

    def _decode(
        self, encoder: Any, decoder: Any, samples: Samples, draft: Sequence[int]
    ) -> tuple[list[int], list[float]]:
        """Greedy decoding: the tokens and their log probabilities, the end token's among them.

        The draft is put in at once, and as much of it is kept as the model would have said itself: the first half of
        speculative decoding (Leviathan et al. 2023, https://arxiv.org/abs/2211.17192). What follows comes one by one.
        """
        audio = samples[np.newaxis]
        mask = np.ones(audio.shape, np.int64)
        (hidden,) = encoder.run(None, {"input_values": audio, "attention_mask": mask})
        feed: dict[str, NDArray[Any]] = {
            "encoder_hidden_states": hidden,
            "encoder_attention_mask": mask,  # of the audio: the decoder thins it out to the encoder's frames itself
        }
        for name in self._outputs[1:]:
            length = hidden.shape[1] if ".encoder." in name else 0
            feed[_past(name)] = np.zeros((1, _HEADS, length, _HEAD_SIZE), np.float32)
        most = _SPARE_TOKENS + math.ceil(samples.size / SAMPLE_RATE_HZ * _TOKENS_PER_SECOND)
        outputs, put_in = self._outputs, [_START_TOKEN, *draft[: most - 1]]
        tokens: list[int] = []
        log_probabilities: list[float] = []
        while len(log_probabilities) < most:
            feed["input_ids"] = np.array([put_in])
            feed["use_cache_branch"] = np.array([bool(log_probabilities)])
            logits, *present = decoder.run(outputs, feed)
            said = 0
            for said, after in enumerate([*put_in[1:], None], 1):
                token, log_probability = _best(logits[0, said - 1])
                log_probabilities.append(log_probability)
                if token == _END_TOKEN:
                    return tokens, log_probabilities
                tokens.append(token)
                if token != after:
                    break
            for name, keys in zip(map(_past, outputs[1:]), present, strict=True):
                # Keys and values over the audio are computed by the first step only; the others give empty ones.
                feed[name] = keys if ".encoder." in name else keys[:, :, : keys.shape[2] - len(put_in) + said]
            outputs = [name for name in self._outputs if ".encoder." not in name]
            put_in = tokens[-1:]
        return tokens, log_probabilities


def read_tokens(data: bytes) -> list[bytes]:
    """The vocabulary, by token number. Each token stands behind its length: one byte, or from 128 bytes on two, low
    seven bits first. Control tokens, such as `<s>` and `<<ST_1>>`, come back empty.

    Raises EngineUnavailable when the data breaks off.
    """
    tokens: list[bytes] = []
    position = 0
    while position < len(data):
        length = data[position]
        position += 1
        if length >= 128 and position < len(data):
            length += (data[position] - 1) * 128
            position += 1
        tokens.append(data[position : position + length])
        position += length
    if position != len(data) or len(tokens) <= _END_TOKEN:
        raise EngineUnavailable(NAME, "its vocabulary file is damaged", _REMEDY)
    return [b"" if token[:1] == b"<" and token[-1:] == b">" and len(token) > 2 else token for token in tokens]


def _confidences(pieces: Sequence[bytes], log_probabilities: Sequence[float]) -> tuple[float, ...]:
    """Of each word the probability of its least probable token."""
    words: list[float] = []
    blank = _BLANK.encode()
    for number, (piece, log_probability) in enumerate(zip(pieces, log_probabilities, strict=False)):
        if piece.startswith(blank) or not number:
            words.append(log_probability)
        else:
            words[-1] = min(words[-1], log_probability)
    return tuple(float(np.exp(value)) for value in words)


def _levelled(samples: Samples) -> Samples | None:
    """The samples, finite and at the level that the model likes, or None where they hold no speech."""
    if samples.size < SHORTEST_S * SAMPLE_RATE_HZ:
        return None
    clean = np.nan_to_num(np.ascontiguousarray(samples, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    # A constant offset is no sound, but would count in the peak ("Thank you for watching" is heard in one alone).
    clean = clean - np.float32(clean.mean(dtype=np.float64))
    peak = float(np.abs(clean).max())
    if peak < SILENT_PEAK:
        return None
    return np.pad(clean * np.float32(NORMAL_PEAK / peak), round(MARGIN_S * SAMPLE_RATE_HZ))


def _best(logits: NDArray[np.float32]) -> tuple[int, float]:
    """The most probable token and its log probability."""
    token = int(np.argmax(logits))
    return token, -float(np.log(np.exp(logits - logits[token]).sum()))


def _past(output: str) -> str:
    """The decoder's input that takes what `output` gave in the step before."""
    return output.replace("present.", "past_key_values.", 1)
