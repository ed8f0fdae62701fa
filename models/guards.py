"""Guards against text that nobody said: what speech recognisers invent on short, cut or noisy audio.

Pure functions over text. They know no engine; each recogniser applies those that it needs.
"""

MAX_WORDS_PER_SECOND = 9.0
"""Faster than anybody speaks: the quickest public speakers reach about 6, auctioneers in bursts about 8."""

NATURAL_WORDS_PER_SECOND = 6.0
NATURAL_LETTERS_PER_SECOND = 18.0
"""As fast as people say a thing over and over; a loop of a decoder that found no end has no such measure."""

_CLOSING = ".,;:!?…"

SPARE_WORDS, SPARE_LETTERS = 2, 12
"""Allowed above the rates, because a segment may be cut close around one or two short words."""


def collapse_repetitions(text: str, *, min_words: int = 3, min_times: int = 3) -> str:
    """The text with each phrase that is said over and over reduced to one telling.

    A phrase of at least `min_words` words that occurs at least `min_times` times in a row may be a decoder's loop.
    One telling is kept because the speech did hold the phrase once: that is where the loop got it. Shorter or rarer
    repetitions are people's own ("no, no, no"; "try again, try again"); `without_loops` knows longer ones that are.
    When a loop runs to the end of the text, a broken last telling is dropped as well. Words are compared without case
    and punctuation; the rest is untouched.
    """
    if min_words < 1 or min_times < 2:
        raise ValueError("min_words must be at least 1 and min_times at least 2")
    words = text.split()
    start, collapsed = 0, False
    while start < len(words):
        shorter = _collapse_at(words, start, min_words, min_times)
        if shorter is None:
            start += 1
        else:
            # What was joined may repeat what stands before it: look again from the beginning.
            words, start, collapsed = shorter, 0, True
    return " ".join(words) if collapsed else text


def without_loops(text: str, seconds: float, *, sure: bool) -> str:
    """The text of so many seconds of speech without what its decoder said over and over by itself.

    What people repeat ("one, one, one, …"; a number digit by digit; a chant) takes its time, a decoder that hears it is
    `sure` of it, and comes to an end of its own accord. A loop is a guess, or it goes on until it is stopped.
    """
    return text if sure and natural_rate(text, seconds) else collapse_repetitions(text)


def natural_rate(text: str, seconds: float) -> bool:
    """Whether people say that much in that time, if they repeat themselves."""
    seconds = max(0.0, seconds)
    letters = sum(map(str.isalnum, text))
    return (
        len(text.split()) <= SPARE_WORDS + NATURAL_WORDS_PER_SECOND * seconds
        and letters <= SPARE_LETTERS + NATURAL_LETTERS_PER_SECOND * seconds
    )


def plausible_rate(text: str, seconds: float) -> bool:
    """Whether a mouth can say the text in that time; when not, the text was invented and no part is to be trusted."""
    return len(text.split()) <= SPARE_WORDS + MAX_WORDS_PER_SECOND * max(0.0, seconds)


def has_words(text: str) -> bool:
    """Whether any letter or digit is there: "♪♪♪" and "..." are no speech."""
    return any(character.isalnum() for character in text)


def _collapse_at(words: list[str], start: int, min_words: int, min_times: int) -> list[str] | None:
    """The words without the loop that begins at `start`, or None when none begins there."""
    keys = [_key(word) for word in words[start:]]
    for length in range(min_words, len(keys) // min_times + 1):
        phrase = keys[:length]
        times = 1
        while keys[times * length : (times + 1) * length] == phrase:
            times += 1
        if times < min_times:
            continue
        stop = start + times * length
        rest = words[stop:]
        if keys[times * length :] == phrase[: len(rest)]:
            rest = []
        kept = words[: start + length]
        kept[-1] = kept[-1].rstrip(_CLOSING) + _closing(words[stop - 1])
        return [*kept, *rest]
    return None


def _closing(word: str) -> str:
    """The marks at the end of a word."""
    return word[len(word.rstrip(_CLOSING)) :]


def _key(word: str) -> str:
    """What two tellings of one word share. A word of punctuation only is itself."""
    return "".join(character for character in word.casefold() if character.isalnum()) or word
