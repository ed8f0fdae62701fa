"""What Whisper is told before it writes: the language, the task, terms to expect, and what was said before.

CTranslate2 decodes several requests at once only if "start of transcript" stands at the same place in all of their
prompts. So what comes before it is brought to one of a few lengths, whatever the batch: how a request is prompted does
not depend on the others. Once a session has said about thirty words, its prompts are as long as everybody's, and one
call serves all; in its first seconds they are shorter, which makes a second or third call.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

Task = Literal["transcribe", "translate"]
Prompt = list[int]

LENGTHS = (8, 32, 64, 128)
"""Tokens before "start of transcript", the mark of previous text among them. Without keywords they are at most 32: some
twenty words are enough for spelling and style, and more text is more of a temptation to repeat it."""

MAX_KEYWORD_TOKENS = 100
"""Keywords past this are left out, whole ones."""

_MAX_CHARACTERS = 2000
_COMMON_LENGTH = 32
_LEAST_CONTEXT = 7


class Prompter:
    """Writes prompts for one model. `tokenizer` is what its tokenizer.json holds, `english_only` that its prompts name
    no language and no task. May be used by several threads."""

    def __init__(self, model: Any, *, english_only: bool) -> None:
        self._model = model
        self._english_only = english_only
        self._tokenizers: dict[tuple[str, Task], Any] = {}

    def tokenizer(self, code: str, task: Task = "transcribe") -> Any:
        """faster-whisper's tokenizer for Whisper's language `code`."""
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415  (see whisper.py)

        found = self._tokenizers.get((code, task))
        if found is None:
            found = Tokenizer(self._model.hf_tokenizer, not self._english_only, task, code)
            self._tokenizers[code, task] = found
        return found

    def prompt(self, code: str, task: Task = "transcribe", keywords: Sequence[str] = (), context: str = "") -> Prompt:
        """The tokens up to those that the model writes itself. `context` is cut at its beginning to fit LENGTHS."""
        tokenizer = self.tokenizer(code, task)
        terms = self._terms(tokenizer, keywords)
        said = spell(tokenizer, context[-_MAX_CHARACTERS:])
        length = 1 + len(terms) + len(said)
        wanted = max(_COMMON_LENGTH, 1 + len(terms) + (_LEAST_CONTEXT if terms else 0))
        fitting = [one for one in LENGTHS if 1 + len(terms) < one <= min(length, _above(wanted))]
        before = [*terms, *_last(said, max(fitting) - 1 - len(terms) if fitting else 0)]
        return list(self._model.get_prompt(tokenizer, before, without_timestamps=True))

    def _terms(self, tokenizer: Any, keywords: Sequence[str]) -> list[int]:
        """The keywords with commas between them. One that is too long by itself is no keyword."""
        terms: list[int] = []
        for keyword in keywords:
            spelled = spell(tokenizer, keyword) if len(keyword) <= _MAX_CHARACTERS else []
            if not spelled or len(spelled) > MAX_KEYWORD_TOKENS:
                continue
            before = spell(tokenizer, ",", blank="") if terms else []
            if len(terms) + len(before) + len(spelled) > MAX_KEYWORD_TOKENS:
                break
            terms += before + spelled
        return terms


def spell(tokenizer: Any, text: str, blank: str = " ") -> list[int]:
    """The tokens of a text behind a blank; none for a blank text. Control tokens that somebody wrote into it are left
    out: they would turn the prompt into another one."""
    words = " ".join(text.encode("utf-8", "ignore").decode().split())
    return [token for token in tokenizer.encode(f"{blank}{words}") if token < tokenizer.eot] if words else []


def groups(numbers: Iterable[int], prompts: Sequence[Prompt]) -> list[list[int]]:
    """The numbers of prompts that can be decoded in one call, for each call."""
    found: dict[int, list[int]] = {}
    for number in numbers:
        found.setdefault(len(prompts[number]), []).append(number)
    return list(found.values())


def _above(length: int) -> int:
    """The first of LENGTHS that is not below `length`."""
    return next((one for one in LENGTHS if one >= length), LENGTHS[-1])


def _last(tokens: list[int], count: int) -> list[int]:
    return tokens[len(tokens) - count :] if count else []
