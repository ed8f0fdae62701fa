"""Text to the tokens of a model and back, as Argos Translate does it.

SentencePiece: https://github.com/google/sentencepiece. Byte pair encoding: Sennrich, Haddow and Birch 2016, in the
form of https://github.com/rsennrich/subword-nmt, over the words of the Moses tokenizer.
"""

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from dragoman.models.base import LanguagePair

_SPACE = "\u2581"
"""SentencePiece's mark for a blank."""

_WORD_END = "</w>"
_CONTINUES = "@@"


class Tokens(Protocol):
    """The tokenizer of one package."""

    def encode(self, text: str) -> list[str]: ...

    def decode(self, tokens: list[str]) -> str: ...


def load_tokens(path: Path, codes: LanguagePair) -> Tokens:
    """The tokenizer of a package. Raises ImportError, OSError, RuntimeError or ValueError where it cannot be loaded."""
    return BpeTokens(path, codes) if path.name == "bpe.model" else SentencePieceTokens(path)


class SentencePieceTokens:
    """The SentencePiece model of a package."""

    def __init__(self, path: Path) -> None:
        import sentencepiece  # noqa: PLC0415  (20 ms that only packages need)

        self._processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(self, text: str) -> list[str]:
        tokens: list[str] = self._processor.encode(text, out_type=str)
        return tokens

    def decode(self, tokens: list[str]) -> str:
        # Blanks for underscores too: some models were trained on text in which one stands for the other.
        text: str = self._processor.decode_pieces(tokens)
        return text.replace(_SPACE, " ").replace("_", " ")


class BpeTokens:
    """A BPE model over Moses words, as in packages made from older OPUS-MT models; needs the package sacremoses."""

    def __init__(self, path: Path, codes: LanguagePair) -> None:
        try:
            import sacremoses  # noqa: PLC0415  (few packages need it)
        except ImportError as error:
            raise ImportError("its bpe.model needs the Python package sacremoses: pip install sacremoses") from error
        self._normalizer: Any = sacremoses.MosesPunctNormalizer(codes.source)
        self._splitter: Any = sacremoses.MosesTokenizer(codes.source)
        self._joiner: Any = sacremoses.MosesDetokenizer(codes.target)
        self._merges = Merges(path.read_text(encoding="utf-8"))

    def encode(self, text: str) -> list[str]:
        words = " ".join(self._splitter.tokenize(self._normalizer.normalize(text))).split()
        return [token for word in words for token in self._merges.tokens(word)]

    def decode(self, tokens: list[str]) -> str:
        joined = " ".join(tokens).replace(f"{_CONTINUES} ", "")
        text: str = self._joiner.detokenize(joined.split(" "))
        return text


class Merges:
    """The merges of a BPE file: after an optional `#version:` line one pair a line, the earlier the stronger.

    Raises ValueError for a file of another form.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip("\r\n ") for line in text.rstrip("\n").split("\n")]
        # In the first version the end of a word is a symbol of its own, in the second it is part of the last letter.
        self._own_end = True
        if lines and lines[0].startswith("#version:"):
            self._own_end = lines.pop(0).split()[-1] != "0.2"
        pairs = [tuple(line.split(" ")) for line in lines]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise ValueError("its bpe.model is not a list of merges")
        self._ranks = {pair: rank for rank, pair in reversed(list(enumerate(pairs)))}
        self.tokens = lru_cache(maxsize=10_000)(self._tokens)

    def _tokens(self, word: str) -> tuple[str, ...]:
        if len(word) == 1:
            return (word,)
        symbols = [*word, _WORD_END] if self._own_end else [*word[:-1], word[-1] + _WORD_END]
        while len(symbols) > 1:
            pairs = set(pairwise(symbols))
            best = min(pairs, key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            symbols = self.merged(symbols, best)
        if symbols[-1] == _WORD_END:
            symbols.pop()
        else:
            symbols[-1] = symbols[-1].removesuffix(_WORD_END)
        return (*(symbol + _CONTINUES for symbol in symbols[:-1]), symbols[-1])

    @staticmethod
    def merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
        """`symbols` with every `pair` in them made one."""
        merged: list[str] = []
        index = 0
        while index < len(symbols):
            if tuple(symbols[index : index + 2]) == pair:
                merged.append("".join(pair))
                index += 2
            else:
                merged.append(symbols[index])
                index += 1
        return merged
