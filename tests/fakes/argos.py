"""Small Argos packages in the real form: a CTranslate2 Transformer with random weights and a SentencePiece model.

What they say means nothing, but the same text always gives the same few words.
"""

import io
import json
import re
import zipfile
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ctranslate2 import specs

from dragoman.config.settings import ArgosSettings, default_table
from dragoman.models.engines.argos.tokens import Merges

LINES = (
    "ever tried ever failed no matter try again fail again fail better",
    "it was the best of times it was the worst of times, it was the age of wisdom",
    "The house of my friend is big. Good morning, how are you today? Thank you very much!",
    "we had everything before us, we had nothing before us; 1234567890",
)
PREFIX = ">>deu<<"
DIMENSION, HEADS, LAYERS, POSITIONS = 32, 2, 1, 512


@cache
def sentencepiece_model() -> bytes:
    """A unigram model over LINES, with tokens for the target prefix and for an underscore, which shows as a blank."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 20),
        model_writer=model,
        vocab_size=90,
        hard_vocab_limit=False,
        user_defined_symbols=[PREFIX, "_"],
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


@cache
def vocabulary() -> tuple[str, ...]:
    """The tokens of `sentencepiece_model`."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    return tuple(processor.id_to_piece(index) for index in range(processor.get_piece_size()))


def _words() -> list[str]:
    return re.findall(r"\w+|[^\w\s]", " ".join(LINES))


@cache
def bpe_model(version: str = "0.2", merges: int = 80) -> str:
    """A BPE model over LINES: the most frequent pair of symbols is merged, again and again."""
    words = [[*word[:-1], word[-1] + "</w>"] if version == "0.2" else [*word, "</w>"] for word in _words()]
    lines = [f"#version: {version}"]
    while len(lines) <= merges:
        (first, second), _ = Counter(pair for word in words for pair in pairwise(word)).most_common(1)[0]
        lines.append(f"{first} {second}")
        words = [Merges.merged(word, (first, second)) for word in words]
    return "\n".join(lines) + "\n"


@cache
def bpe_vocabulary(version: str = "0.2") -> tuple[str, ...]:
    """Tokens of `bpe_model`, each letter among them."""
    merges = Merges(bpe_model(version))
    words = _words()
    tokens = {token for word in words for token in merges.tokens(word)}
    letters = {letter for word in words for letter in word}
    return ("<unk>", "<s>", "</s>", *sorted(tokens | letters | {f"{letter}@@" for letter in letters}))


class _Weights:
    """Random weights. The first dimension is left to the positions, so that the end of a text can grow likely."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def linear(self, layer: specs.common_spec.LinearSpec, rows: int, columns: int, *, back: bool = False) -> None:
        layer.weight = self.random.normal(0, 1 / np.sqrt(columns), (rows, columns)).astype(np.float32)
        layer.bias = np.zeros(rows, np.float32)
        if back:
            layer.weight[0] = 0

    def norm(self, layer: specs.common_spec.LayerNormSpec) -> None:
        layer.gamma, layer.beta = np.ones(DIMENSION, np.float32), np.zeros(DIMENSION, np.float32)

    def block(self, layer: specs.transformer_spec.TransformerDecoderLayerSpec, *, decoder: bool) -> None:
        own = layer.self_attention
        self.norm(own.layer_norm)
        self.linear(own.linear[0], 3 * DIMENSION, DIMENSION)
        self.linear(own.linear[1], DIMENSION, DIMENSION, back=True)
        if decoder:
            other = layer.attention
            self.norm(other.layer_norm)
            self.linear(other.linear[0], DIMENSION, DIMENSION)
            self.linear(other.linear[1], 2 * DIMENSION, DIMENSION)
            self.linear(other.linear[2], DIMENSION, DIMENSION, back=True)
            other.linear[2].weight *= 6  # else the translation would hardly depend on the source
        self.norm(layer.ffn.layer_norm)
        self.linear(layer.ffn.linear_0, 2 * DIMENSION, DIMENSION)
        self.linear(layer.ffn.linear_1, DIMENSION, 2 * DIMENSION, back=True)


@cache
def model_files(seed: int = 0, tokens: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The files of a CTranslate2 model over `tokens`, by default those of the SentencePiece model."""
    weights, tokens = _Weights(seed), tokens or vocabulary()
    spec = specs.TransformerSpec.from_config(LAYERS, HEADS)
    embeddings = weights.random.normal(0, 0.3, (len(tokens), DIMENSION)).astype(np.float32)
    embeddings[:, 0] = 0
    positions = np.zeros((POSITIONS, DIMENSION), np.float32)
    positions[:, 0] = np.arange(POSITIONS) * 0.5
    for side in (spec.encoder, spec.decoder):
        side.position_encodings.encodings = positions
        weights.norm(side.layer_norm)
        weights.block(side.layer[0], decoder=side is spec.decoder)
    spec.encoder.embeddings[0].weight = embeddings
    spec.decoder.embeddings.weight = embeddings
    weights.linear(spec.decoder.projection, len(tokens), DIMENSION)
    spec.decoder.projection.weight *= 3
    spec.decoder.projection.weight[:, 0] = 0
    spec.decoder.projection.weight[tokens.index("</s>"), 0] = 4
    for name in {"<s>", PREFIX} & set(tokens):
        spec.decoder.projection.bias[tokens.index(name)] = -1e3
    spec.register_source_vocabulary(list(tokens))
    spec.register_target_vocabulary(list(tokens))
    spec.validate()
    with TemporaryDirectory() as folder:
        spec.save(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def package_files(source: str = "en", target: str = "de", seed: int = 0, **metadata: object) -> dict[str, bytes]:
    """Every file of a package by its path in it; `metadata` adds to or replaces what metadata.json says."""
    described = {
        "package_version": "1.0",
        "argos_version": "1.9",
        "from_code": source,
        "to_code": target,
        "type": "translate",
        **metadata,
    }
    return {
        "metadata.json": json.dumps(described).encode(),
        "README.md": b"# A package for tests\n",
        "sentencepiece.model": sentencepiece_model(),
        **{f"model/{name}": data for name, data in model_files(seed).items()},
    }


def bpe_files(source: str = "en", target: str = "de", seed: int = 0, version: str = "0.2") -> dict[str, bytes]:
    """Every file of a package with a BPE model in place of the SentencePiece model."""
    files = package_files(source, target)
    files = {name: data for name, data in files.items() if name != "sentencepiece.model" and "model/" not in name}
    network = model_files(seed, bpe_vocabulary(version))
    return files | {
        "bpe.model": bpe_model(version).encode(),
        **{f"model/{name}": data for name, data in network.items()},
    }


def unpacked(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Write a package as a folder."""
    for name, data in (package_files() if files is None else files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def argosmodel(path: Path, files: dict[str, bytes] | None = None, root: str = "en_de/") -> Path:
    """Write a package as an .argosmodel file."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (package_files() if files is None else files).items():
            archive.writestr(root + name, data)
    return path


def argos_settings(**changes: object) -> ArgosSettings:
    """The packaged defaults of `[engines.argos]` with some of them changed."""
    return ArgosSettings(**{**default_table()["engines"]["argos"], **changes})
