"""Argos packages, run on CTranslate2 and SentencePiece, the two libraries that Argos Translate itself runs on.

The translations are those of Argos Translate for the same sentence: the same tokens, beam of four, length penalty and
replaced unknowns (its `apply_packaged_translation`). It asks for the four best and shows the first; here only the
best is asked for, which is the same one. Splitting text into sentences is the pipeline's business.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dragoman.models.argos_package import ArgosPackage, broken, read_package
from dragoman.models.argos_tokens import Tokens, load_tokens
from dragoman.models.base import Batching, LanguagePair
from dragoman.models.errors import EngineFailed, EngineUnavailable

MAX_TOKENS = 128
"""A longer text (about a hundred words) is cut near its middle; the models were trained on sentences."""

MAX_OUTPUT_TOKENS = 256
"""Where a translation is cut off that will not end; CTranslate2's own default, which Argos Translate keeps."""

_BATCH_TOKENS = 4096
"""More than this in one call is run in several batches, which bounds memory."""

_BEAM_SIZE = 4
_LENGTH_PENALTY = 0.2
_ENDS = frozenset(".,;:!?…。、，；！？")

_FAULTS = (RuntimeError, ValueError, MemoryError)
"""What CTranslate2 and SentencePiece raise."""

_log = logging.getLogger(__name__)


def package_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that should be packages; a leading full stop marks one that is being installed."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


class _Model:
    """One package, loaded."""

    def __init__(self, package: ArgosPackage, *, threads: int, compute_type: str) -> None:
        import ctranslate2  # noqa: PLC0415  (0.1 s and 16 MB that nobody without packages should pay)

        self._prefix = package.target_prefix
        try:
            self._tokens: Tokens = load_tokens(package.tokens, package.codes)
            self._translator: Any = ctranslate2.Translator(
                str(package.model), device="cpu", compute_type=compute_type, inter_threads=1, intra_threads=threads
            )
        except ImportError as error:
            raise broken(package.folder, str(error), "") from error
        except (OSError, *_FAULTS) as error:
            raise broken(package.folder, f"it cannot be loaded ({' '.join(str(error).split())})") from error

    def translate(self, texts: Sequence[str]) -> list[str]:
        cut = [pieces(self._tokens, sendable(text)) for text in texts]
        source = [piece for part in cut for piece in part]
        if not source:
            return ["" for _ in texts]
        results = self._translator.translate_batch(
            source,
            target_prefix=[[self._prefix]] * len(source) if self._prefix else None,
            beam_size=_BEAM_SIZE,
            length_penalty=_LENGTH_PENALTY,
            replace_unknowns=True,
            max_batch_size=_BATCH_TOKENS,
            batch_type="tokens",
            max_input_length=0,  # `pieces` has seen to it
            max_decoding_length=MAX_OUTPUT_TOKENS,
        )
        done = iter([self._text(result.hypotheses[0]) for result in results])
        return [" ".join(filter(None, (next(done) for _ in part))) for part in cut]

    def _text(self, tokens: list[str]) -> str:
        if self._prefix and tokens[:1] == [self._prefix]:
            tokens = tokens[1:]
        return self._tokens.decode(tokens).strip()

    def close(self) -> None:
        self._translator.unload_model()


def sendable(text: str) -> str:
    """`text` without lone surrogates, which have no UTF-8, and with every run of blanks made one."""
    return " ".join(text.encode("utf-8", "ignore").decode().split())


def pieces(tokens: Tokens, text: str) -> list[list[str]]:
    """`text` as token lists of at most MAX_TOKENS: halved behind punctuation, else at a blank, until they fit."""
    encoded = tokens.encode(text) if text else []
    if len(encoded) <= MAX_TOKENS or len(text) < 2:
        return [encoded[:MAX_TOKENS]] if encoded else []
    cut = _middle(text)
    return pieces(tokens, text[:cut].strip()) + pieces(tokens, text[cut:].strip())


def _middle(text: str) -> int:
    """Offset of the best place to cut, from the second to the third quarter."""
    middle = len(text) // 2
    around = range(max(1, len(text) // 4), min(len(text), len(text) * 3 // 4 + 1))
    behind_punctuation = [at for at in around if text[at - 1] in _ENDS and (text[at] == " " or text[at - 1] > "\u3000")]
    blanks = [at for at in around if text[at] == " "]
    return min(behind_punctuation or blanks or [middle], key=lambda at: abs(at - middle))


class ArgosTranslator:
    """Translates by every Argos package under `folder` (a `Translator`), one model a pair, loaded at its first text.

    `threads` compute one batch; `compute_type` is CTranslate2's, where "auto" takes the fastest that this processor
    has, as Argos Translate does. Of several packages for a pair the newest is used. `broken` says what is wrong with
    the others, one error each. Raises EngineUnavailable where there is no package at all.
    """

    name = "argos"
    batching = Batching()

    def __init__(self, folder: Path, *, threads: int = 1, compute_type: str = "auto") -> None:
        self._threads = threads
        self._compute_type = compute_type
        self._lock = threading.Lock()
        self._closed = False
        self._models: dict[LanguagePair, _Model] = {}
        self._packages: dict[LanguagePair, ArgosPackage] = {}
        self.broken: tuple[EngineUnavailable, ...] = ()
        folders = package_folders(folder)
        if not folders:
            remedy = "Install one: dragoman install FILE.argosmodel"
            raise EngineUnavailable(self.name, f"there is no Argos package in {folder}", remedy)
        for path in folders:
            try:
                self._add(read_package(path))
            except EngineUnavailable as error:
                self.broken += (error,)
        self.pairs = frozenset(self._packages)

    def _add(self, package: ArgosPackage) -> None:
        other = self._packages.get(package.pair)
        if other is not None and other.rank >= package.rank:
            package, other = other, package
        if other is not None:
            _log.info("argos package %s is not used: %s serves %s", other.folder, package.folder, package.pair)
        self._packages[package.pair] = package

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order, without surrounding blanks; blank gives "". Raises EngineFailed."""
        try:
            return self._model(pair).translate(texts)
        except EngineUnavailable as error:
            raise EngineFailed(self.name, str(error)) from error
        except _FAULTS as error:
            raise EngineFailed(self.name, f"{pair}: {error}") from error

    def warm(self, pairs: Iterable[LanguagePair]) -> None:
        """Load and try the models of `pairs` now. One that does not work leaves `pairs` and is told in `broken`."""
        for pair in pairs:
            try:
                self._try(pair)
            except EngineUnavailable as error:
                self.broken += (error,)
                del self._packages[pair]
                self._models.pop(pair, None)
        self.pairs = frozenset(self._packages)

    def _try(self, pair: LanguagePair) -> None:
        model = self._model(pair)
        try:
            model.translate(["a"])
        except _FAULTS as error:
            raise broken(self._packages[pair].folder, f"it does not work ({error})") from error

    def _model(self, pair: LanguagePair) -> _Model:
        with self._lock:
            if self._closed:
                raise EngineFailed(self.name, "closed")
            package = self._packages.get(pair)
            if package is None:
                raise EngineFailed(self.name, f"{pair} is not installed")
            if pair not in self._models:
                self._models[pair] = _Model(package, threads=self._threads, compute_type=self._compute_type)
            return self._models[pair]

    def close(self) -> None:
        """Free every model. Idempotent."""
        with self._lock:
            self._closed = True
            for model in self._models.values():
                model.close()
            self._models.clear()
