"""One Argos package, loaded: its network on CTranslate2 and its tokenizer."""

from collections.abc import Sequence
from typing import Any

from dragoman.models.devices import Device
from dragoman.models.engines.argos.package import ArgosPackage, broken
from dragoman.models.engines.argos.tokens import Tokens, load_tokens
from dragoman.models.errors import OutOfMemory
from dragoman.models.memory_errors import ran_out_of_memory
from dragoman.models.sentences import split_sentences

MAX_TOKENS = 128
"""A longer sentence (about a hundred words) is cut near its middle; the models were trained on shorter ones."""

MAX_OUTPUT_TOKENS = 256
"""Where a translation is cut off that will not end; CTranslate2's own default, which Argos Translate keeps."""

FAULTS = (RuntimeError, ValueError, MemoryError)
"""What CTranslate2 and SentencePiece raise."""

_BATCH_TOKENS = 4096
"""More than this in one call is run in several batches, which bounds memory."""

_BEAM_SIZE = 4
_LENGTH_PENALTY = 0.2
_ENDS = frozenset(".,;:!?…。、，；！？")


class ArgosModel:
    """Translates by one package. Several threads may call it; `workers` of them are served at once.

    `threads` of the processor compute one batch. Raises EngineUnavailable where the package cannot be loaded, and
    OutOfMemory.
    """

    def __init__(self, package: ArgosPackage, device: Device, compute_type: str, *, threads: int, workers: int) -> None:
        import ctranslate2  # noqa: PLC0415  (0.1 s and 16 MB that nobody without packages should pay)

        self._prefix = package.target_prefix
        try:
            self._tokens: Tokens = load_tokens(package.tokens, package.codes)
            self._translator: Any = ctranslate2.Translator(
                str(package.model),
                device=device.kind,
                device_index=device.index,
                compute_type=compute_type,
                inter_threads=workers,
                intra_threads=threads,
            )
        except ImportError as error:
            raise broken(package.folder, str(error), "") from error
        except (OSError, *FAULTS) as error:
            if ran_out_of_memory(error):
                raise OutOfMemory("argos") from error
            raise broken(package.folder, f"it cannot be loaded ({' '.join(str(error).split())})") from error

    @property
    def compute_type(self) -> str:
        """What it computes with, in CTranslate2's words."""
        return str(self._translator.compute_type)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """One translation per text, all of them in one call of CTranslate2. Raises FAULTS."""
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
        done = iter([self._without_prefix(result.hypotheses[0]) for result in results])
        # The tokens of all sentences of a text are joined before they become letters, so that the tokenizer, which
        # knows the language, says whether a blank stands between two sentences.
        return [self._tokens.decode([token for _ in part for token in next(done)]).strip() for part in cut]

    def _without_prefix(self, tokens: list[str]) -> list[str]:
        return tokens[1:] if self._prefix and tokens[:1] == [self._prefix] else tokens


def sendable(text: str) -> str:
    """`text` without lone surrogates, which have no UTF-8, and with every run of blanks made one."""
    return " ".join(text.encode("utf-8", "ignore").decode().split())


def pieces(tokens: Tokens, text: str) -> list[list[str]]:
    """`text` as token lists, one for each sentence; none is longer than MAX_TOKENS."""
    return [piece for sentence in split_sentences(text) for piece in _halves(tokens, sentence)]


def _halves(tokens: Tokens, text: str) -> list[list[str]]:
    """`text` halved behind punctuation, else at a blank, until the halves fit."""
    encoded = tokens.encode(text) if text else []
    if len(encoded) <= MAX_TOKENS or len(text) < 2:
        return [encoded[:MAX_TOKENS]] if encoded else []
    cut = _middle(text)
    return _halves(tokens, text[:cut].strip()) + _halves(tokens, text[cut:].strip())


def _middle(text: str) -> int:
    """Offset of the best place to cut, from the second to the third quarter."""
    middle = len(text) // 2
    around = range(max(1, len(text) // 4), min(len(text), len(text) * 3 // 4 + 1))
    behind_punctuation = [at for at in around if text[at - 1] in _ENDS and (text[at] == " " or text[at - 1] > "\u3000")]
    blanks = [at for at in around if text[at] == " "]
    return min(behind_punctuation or blanks or [middle], key=lambda at: abs(at - middle))
