"""Small Whispers in the real form: CTranslate2 weights, tokenizer, vocabulary, configuration.

`random_whisper` speaks words without meaning that depend on the audio, the language and the prompt, and always the
same ones. What it says is no language; how long it takes is real, so the bench makes its models here as well.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ctranslate2 import specs
from numpy.typing import NDArray

from tests.fakes import whisper_tokens

FRAMES, POSITIONS = 1500, 448


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a model. `languages` counts the language tokens: 99, or 100 since large-v3."""

    dimension: int = 32
    heads: int = 2
    encoder_layers: int = 1
    decoder_layers: int = 1
    mels: int = 80
    multilingual: bool = True
    languages: int = 99

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return whisper_tokens.vocabulary(self.multilingual, self.languages)

    def token(self, text: str) -> int:
        """The number of a control token, without its marks, or of a single piece."""
        found = whisper_tokens.tokenizer(self.multilingual, self.languages)
        number = found.token_to_id(f"<|{text}|>")
        if number is None:
            (number,) = found.encode(text, add_special_tokens=False).ids
        return int(number)


LARGE_V3 = Size(1280, 20, 32, 32, 128, languages=100)
TURBO = Size(1280, 20, 32, 4, 128, languages=100)
SMALL = Size(768, 12, 12, 12)


class Weights:
    """Fills a specification. `kind` is what is stored: float32, or float16 for models of real size."""

    def __init__(self, size: Size, seed: int, kind: str = "float32") -> None:
        self.size, self.kind = size, np.dtype(kind)
        # Large models repeat one block of random numbers: making 1.5 thousand million of them takes a minute.
        self._block = np.random.default_rng(seed).standard_normal(1 << 20, np.float32)
        self._at = 0

    def normal(self, *shape: int, scale: float) -> NDArray[np.float32]:
        """The next numbers; never the same matrix twice."""
        count = int(np.prod(shape))
        self._at = (self._at + 7919) % self._block.size
        return (np.resize(np.roll(self._block, -self._at), count).reshape(shape) * scale).astype(self.kind)

    def constant(self, value: float, *shape: int) -> NDArray[np.float32]:
        return np.full(shape, value, self.kind)

    def linear(self, layer: specs.common_spec.LinearSpec, rows: int, columns: int, scale: float = 1.0) -> None:
        layer.weight = self.normal(rows, columns, scale=scale / np.sqrt(columns))
        layer.bias = self.constant(0, rows)

    def norm(self, layer: specs.common_spec.LayerNormSpec) -> None:
        layer.gamma, layer.beta = self.constant(1, self.size.dimension), self.constant(0, self.size.dimension)

    def convolution(self, layer: specs.common_spec.Conv1DSpec, channels: int) -> None:
        layer.weight = self.normal(self.size.dimension, channels, 3, scale=1 / np.sqrt(3 * channels))
        layer.bias = self.constant(0, self.size.dimension)

    def attention(self, layer: specs.attention_spec.MultiHeadAttentionSpec, *, across: bool = False) -> None:
        d = self.size.dimension
        self.norm(layer.layer_norm)
        for linear, rows in zip(layer.linear, (d, 2 * d, d) if across else (3 * d, d), strict=True):
            self.linear(linear, rows, d)

    def forward(self, layer: specs.transformer_spec.FeedForwardSpec) -> None:
        d = self.size.dimension
        self.norm(layer.layer_norm)
        self.linear(layer.linear_0, 4 * d, d)
        self.linear(layer.linear_1, d, 4 * d)

    def encoder(self, spec: specs.whisper_spec.WhisperEncoderSpec) -> None:
        d = self.size.dimension
        self.convolution(spec.conv1, self.size.mels)
        self.convolution(spec.conv2, d)
        spec.position_encodings.encodings = self.normal(FRAMES, d, scale=0.1)
        self.norm(spec.layer_norm)
        for layer in spec.layer:
            self.attention(layer.self_attention)
            self.forward(layer.ffn)

    def decoder(self, spec: specs.transformer_spec.TransformerDecoderSpec) -> None:
        d, tokens = self.size.dimension, len(self.size.vocabulary)
        spec.embeddings.weight = self.normal(tokens, d, scale=1)
        spec.position_encodings.encodings = self.normal(POSITIONS, d, scale=0.1)
        self.norm(spec.layer_norm)
        for layer in spec.layer:
            self.attention(layer.self_attention)
            self.attention(layer.attention, across=True)
            self.forward(layer.ffn)
        spec.projection.weight = spec.embeddings.weight
        spec.projection.bias = self.constant(0, tokens)


def specification(size: Size, weights: Weights) -> specs.WhisperSpec:
    """A whole model of random weights."""
    spec = specs.WhisperSpec(size.encoder_layers, size.heads, size.decoder_layers, size.heads)
    weights.encoder(spec.encoder)
    weights.decoder(spec.decoder)
    return spec


def write(folder: Path, size: Size, spec: specs.WhisperSpec) -> Path:
    """Write every file of a model; `preprocessor_config.json` as real models have it: where there are 128 mels."""
    folder.mkdir(parents=True, exist_ok=True)
    first_language = size.token("startoftranscript") + 1
    config = spec.config
    config.alignment_heads = [[size.decoder_layers - 1, head] for head in range(size.heads)]
    config.lang_ids = list(range(first_language, first_language + size.languages)) if size.multilingual else []
    config.suppress_ids = [size.token(mark) for mark in "([{*♪"[:4]] + [size.token("startofprev")]
    config.suppress_ids_begin = [size.token(" "), size.token("endoftext")]
    spec.register_vocabulary(list(size.vocabulary))
    spec.validate()
    spec.save(str(folder))
    whisper_tokens.tokenizer(size.multilingual, size.languages).save(str(folder / "tokenizer.json"))
    if size.mels != 80:
        text = json.dumps({"feature_size": size.mels, "sampling_rate": 16_000, "hop_length": 160, "n_fft": 400})
        (folder / "preprocessor_config.json").write_text(text)
    return folder


def random_whisper(
    folder: Path, size: Size | None = None, *, seed: int = 0, ends: float = 4.0, kind: str = "float32", says: str = ""
) -> Path:
    """Write a model of random weights. The end of a text grows likelier with its length as `ends` is larger; with 0
    it never ends of itself, so that every text has as many tokens as are allowed. `says` are the only letters that it
    writes, where there are any."""
    size = size or Size()
    weights = Weights(size, seed, kind)
    spec = specification(size, weights)
    decoder = spec.decoder
    text_end, total = size.token("endoftext"), len(size.vocabulary)
    # Unlike in real models the output layer is not the embeddings: it would say the last word again and again.
    decoder.projection.weight = weights.normal(total, size.dimension, scale=1)
    decoder.projection.bias[text_end:] = -1e4  # of the control tokens only the end is ever said
    if says:
        decoder.projection.bias[:] = -1e4
        decoder.projection.bias[[size.token(letter) for letter in says]] = 0
    if ends:
        # The first dimension is left to the positions.
        decoder.embeddings.weight[:, 0] = decoder.projection.weight[:, 0] = 0
        decoder.position_encodings.encodings[:, 0] = np.arange(POSITIONS) * 0.5
        decoder.projection.weight[text_end, 0] = ends
        decoder.projection.bias[text_end] = 0
    return write(folder, size, spec)
