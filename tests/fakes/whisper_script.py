"""A Whisper that says what a test wants, through the real library: its weights are made so by hand.

The next token follows from the one before it alone, except the first, which follows from the language and the task.
Each token has a direction of its own, in which it is embedded and by which the output layer knows it again; attention
passes on the directions of the language and the task; cross-attention looks at a place of the audio for each word,
the n-th word at n times WORD_S seconds. The audio itself has no influence.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.fakes import whisper_tokens
from tests.fakes.whisper_model import FRAMES, Size, Weights, specification, write

SIZE = Size(dimension=64, heads=1)
WORD_S = 0.4
_SCALE = math.sqrt(SIZE.dimension)  # of a direction behind a layer norm
_SURE = 40.0  # logit of the token that is said next
_LANGUAGE, _TASK = 20.0, 30.0  # what these add to the first token's
_UNSURE = 20  # other tokens that share what certainty is left, and as many that follow on any of them


@dataclass(frozen=True, slots=True)
class Script:
    """What is said; its tokens must all differ. `certainty` is the probability of each token, `loops` begins again at
    the end."""

    text: str
    certainty: float = 0.999
    loops: bool = False


class _Directions:
    """Orthogonal vectors of length 1 and mean 0, which layer norms only scale; one for each name, as they come."""

    def __init__(self) -> None:
        count = SIZE.dimension
        columns = np.random.default_rng(1).standard_normal((count, count))
        columns[:, 0] = 1
        self._free = list(np.linalg.qr(columns)[0].T[1:].astype(np.float32))
        self._taken: dict[object, NDArray[np.float32]] = {}

    def __getitem__(self, name: object) -> NDArray[np.float32]:
        if name not in self._taken:
            self._taken[name] = self._free.pop(0)
        return self._taken[name]


def scripted_whisper(
    folder: Path,
    scripts: Mapping[str, Script],
    *,
    no_speech: float = 0.01,
    heard: Mapping[str, float] | None = None,
    size: Size = SIZE,
) -> Path:
    """Write the model. `scripts` has one for each language that matters, for "translate", and for "" (any other);
    `no_speech` is the probability of silence, `heard` are those of the languages."""
    spec = specification(size, Weights(size, 0))
    for layer in (spec.encoder.layer[0], spec.decoder.layer[0]):
        for linear in (*layer.self_attention.linear, layer.ffn.linear_0, layer.ffn.linear_1):
            linear.weight[:] = 0
    for array in (spec.encoder.conv1.weight, spec.encoder.conv2.weight, spec.decoder.embeddings.weight):
        array[:] = 0
    spec.decoder.position_encodings.encodings[:] = 0
    rows, places = np.zeros((len(size.vocabulary), size.dimension), np.float32), _Directions()
    spec.encoder.position_encodings.encodings[:] = 0
    for frame in range(min(FRAMES, round(60 * WORD_S * 50))):
        spec.encoder.position_encodings.encodings[frame] = places[frame // round(WORD_S * 50)]
    decoder = _Decoder(size, rows, places)
    decoder.begin(no_speech, heard or {"en": 1.0})
    for name, script in scripts.items():
        decoder.learn(name, script)
    spec.decoder.embeddings.weight[:] = decoder.embeddings
    spec.decoder.projection.weight = decoder.rows
    decoder.attend(spec.decoder.layer[0])
    return write(folder, size, spec)


class _Decoder:
    """Collects the weights of the decoder. `rows` are those of the output layer."""

    def __init__(self, size: Size, rows: NDArray[np.float32], places: _Directions) -> None:
        self.size, self.rows, self.embeddings = size, rows, np.zeros_like(rows)
        self._places, self._own = places, _Directions()
        self._looks: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self._conditions = [size.token("transcribe"), size.token("translate")]
        self._conditions += [size.token(code) for code in ("en", "de", "es", "fr", "jw")]
        for token in self._conditions:
            self.embeddings[token] = self._own[token]
        first = whisper_tokens.pieces(size.multilingual)[0].index("Ġw0")
        self._unsure, tail = range(first, first + _UNSURE), range(first + _UNSURE, first + 2 * _UNSURE)
        # Beam search must not find a shorter way to the end than the script.
        for token in self._unsure:
            self.embeddings[token] = self._own["unsure"]
        self._follow("unsure", tail[0], _SURE)
        for before, token in pairwise((*tail, size.token("endoftext"))):
            self.embeddings[before] = self._own[before]
            self._follow(before, token, _SURE)

    def begin(self, no_speech: float, heard: Mapping[str, float]) -> None:
        """What stands at the start: whether there is speech, and in which language."""
        start = self.size.token("startoftranscript")
        self.embeddings[start] = self._own[start]
        others = float(len(self.rows))
        for code, probability in heard.items():
            logit = 15.0 + math.log(probability)
            others += math.exp(logit)
            self._follow(start, self.size.token(code), logit)
        silence = self.size.token("nospeech" if self.size.multilingual else "nocaptions")
        self._follow(start, silence, math.log(no_speech / (1 - no_speech) * others))

    def learn(self, name: str, script: Script) -> None:
        tokenizer = whisper_tokens.tokenizer(self.size.multilingual, self.size.languages)
        tokens = tokenizer.encode(f" {script.text}", add_special_tokens=False).ids
        assert len(set(tokens)) == len(tokens), f"{script.text!r} has a token twice"
        begin, end = self.size.token("notimestamps"), self.size.token("endoftext")
        for token in (begin, *tokens):
            self.embeddings[token] = self._own[token]
        less = math.log(_UNSURE * script.certainty / (1 - script.certainty))
        bonus = 0.0 if not name else _TASK if name == "translate" else _LANGUAGE
        for place, (before, token) in enumerate(pairwise((begin, *tokens, tokens[0] if script.loops else end))):
            self._follow(before, token, _SURE if place else _SURE - bonus / 2)
            self._looks.append((self._places[place], self._own[before]))
            if place:
                for other in self._unsure:
                    self._follow(before, other, _SURE - less)
        if name:
            self.rows[tokens[0]] += bonus / _SCALE * 2 * self._own[self.size.token(name)]
        if name != "translate":
            self.rows[tokens[0]] -= _TASK / _SCALE * 2 * self._own[self.size.token("translate")]

    def attend(self, layer: object) -> None:
        """Self-attention to the language and the task only; cross-attention to the place of the word."""
        own, across = layer.self_attention.linear, layer.attention.linear  # type: ignore[attr-defined]
        d, look = self.size.dimension, self._own["look"]
        own[0].bias[:d] = 5 * look
        for token in self._conditions:
            own[0].weight[d : 2 * d] += 5 * np.outer(look, self._own[token])
            own[0].weight[2 * d :] += np.outer(self._own[token], self._own[token])
        own[1].weight[:] = np.eye(d) / _SCALE
        for linear in across:
            linear.weight[:] = 0
        for place, before in self._looks:
            across[0].weight += 2 * np.outer(place, before)
        across[1].weight[:d] = 2 * np.eye(d)

    def _follow(self, before: object, token: int, logit: float) -> None:
        self.rows[token] += logit / _SCALE * self._own[before]
