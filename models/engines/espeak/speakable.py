"""What a text is made to be before espeak-ng gets it, as a synthesizer or for Piper's phonemes.

espeak-ng 1.52 has buffers of fixed size for one word and for one abbreviation. What overruns them was found by trying:
from 136 characters without a blank on ("'s" 68 times), and from 160 bytes of letters with full stops between them on
("e.g.e.g. …", with blanks or without). People write neither; what is longer is parted here, and so it is spoken. There
are other texts that end the library, for example two Gurmukhi letters in its Vietnamese voice, for which
`models/processes/children.py` is.
"""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_RUN = 60
"""So many characters may stand without a blank."""
LONGEST_ABBREVIATION = 16
"""So many single characters with a full stop behind each are taken for one abbreviation at most."""

_UNSPEAKABLE = {"Cc", "Cs"}  # control characters and lone surrogates; format characters shape words in some scripts
_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")
_ABBREVIATION = re.compile(rf"((?:[^\s.]\. ?){{{LONGEST_ABBREVIATION - 1}}}[^\s.])\. ?(?=[^\s.]\.)")


def speakable(text: str) -> str:
    """`text` in one line, without control characters (some of them are commands to espeak); empty if it has no word.

    What is too long to be a word or an abbreviation is parted.
    """
    kept = (" " if unicodedata.category(character) in _UNSPEAKABLE else character for character in text)
    cleaned = " ".join("".join(kept).split())
    if not any(character.isalnum() for character in cleaned):
        return ""
    return _RUN.sub(lambda run: " ".join(_parts(run[0])), _ABBREVIATION.sub(r"\1 ", cleaned))


def _parts(run: str) -> Iterator[str]:
    """Pieces of LONGEST_RUN characters at most, if possible behind a mark, and none that begins with an accent."""
    start = 0
    while len(run) - start > LONGEST_RUN:
        places = range(start + LONGEST_RUN, start + LONGEST_RUN // 2, -1)
        begins = [place for place in places if not unicodedata.category(run[place]).startswith("M")]
        marked = (place for place in begins if unicodedata.category(run[place - 1])[0] in "PS")
        stop = next(marked, begins[0] if begins else places[0])
        yield run[start:stop]
        start = stop
    yield run[start:]
