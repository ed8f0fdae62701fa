"""The vocabulary of a small Whisper: Whisper's control tokens at their own numbers, and made-up words below them.

Real models have 50,256 pieces of words before the control tokens, and those that are not English-only an empty one
more, by which CTranslate2 tells the two kinds apart. Here they are single bytes, WORDS, and " w0", " w1", and so on.
"""

from functools import cache

import tokenizers
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import decoders, models, pre_tokenizers

WORDS = [
    "the",
    "house",
    "is",
    "big",
    "and",
    "old",
    ".",
    ",",
    "?",
    "!",
    "we",
    "had",
    "everything",
    "before",
    "us",
    "nothing",
    "fail",
    "again",
    "better",
    "try",
    "no",
    "matter",
    "Das",
    "Haus",
    "ist",
    "groß",
    "und",
    "alt",
    "La",
    "casa",
    "es",
    "grande",
    "Hier",
    "ist",
    "das",
    "Was",
    "sagt",
    "ihr",
    "Hello",
    "hello",
    "world",
    "good",
    "morning",
]
"""Every one of them is a single token when a blank stands before it."""

TIMESTAMPS = 1501


@cache
def languages(count: int) -> tuple[str, ...]:
    """Whisper's codes in the order of their tokens; the hundredth is "yue", which came with large-v3."""
    order = ["en", "zh", "de", "es"]
    return (*order, *(code for code in _LANGUAGE_CODES if code not in order))[:count]


@cache
def controls(multilingual: bool, languages_count: int) -> tuple[str, ...]:
    """The control tokens that stand behind the pieces of words, without the timestamps."""
    return (
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in languages(languages_count)),
        *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"),
        "<|nospeech|>" if multilingual else "<|nocaptions|>",
        "<|notimestamps|>",
    )


@cache
def pieces(multilingual: bool) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The pieces of words in the order of their numbers, spelled as byte-level tokens are, and the merges of WORDS."""
    known = dict.fromkeys(sorted(pre_tokenizers.ByteLevel.alphabet()))
    merges: dict[tuple[str, str], None] = {}
    for word in WORDS:
        spelled = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(f" {word}")[0][0]
        for at in range(1, len(spelled)):
            merges.setdefault((spelled[:at], spelled[at]))
            known.setdefault(spelled[: at + 1])
    made_up = (f"Ġw{number}" for number in range(50_256 - len(known)))
    return (*known, *made_up, *([""] if multilingual else [])), tuple(merges)


@cache
def tokenizer(multilingual: bool = True, languages_count: int = 99) -> tokenizers.Tokenizer:
    """What `tokenizer.json` holds."""
    known, merges = pieces(multilingual)
    made = tokenizers.Tokenizer(models.BPE({piece: number for number, piece in enumerate(known)}, list(merges)))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(controls(multilingual, languages_count)))
    return made


@cache
def vocabulary(multilingual: bool = True, languages_count: int = 99) -> tuple[str, ...]:
    """What `vocabulary.json` holds: every token, timestamps included."""
    stamps = (f"<|{number * 0.02:.2f}|>" for number in range(TIMESTAMPS))
    return (*pieces(multilingual)[0], *controls(multilingual, languages_count), *stamps)
