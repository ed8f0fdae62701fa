"""Native scripts in Latin letters, as people write them without diacritics: मेरा फ़ोन becomes mera fon.

The letters of the scripts of India are turned to ISO 15919 by indic-transliteration (MIT), which knows that a consonant
has a vowel of its own; whatever it leaves, and the scripts that it does not know, by AnyAscii (ISC). What is ours is
between the two: the vowel that is written and not spoken in the languages of the north, and plain letters for those
with marks. Latin text stays as it is. Urdu, Sindhi and Kashmiri do not write short vowels, so they have none here.
"""

import re
import unicodedata

from anyascii import anyascii
from indic_transliteration import sanscript

SCRIPTS = {
    "devanagari": "\u0900-\u0963\u0966-\u097f",
    "bengali": "\u0980-\u09ff",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "oriya": "\u0b00-\u0b7f",
    # The plain scheme for Tamil has four readings for each of its stops and gives the last, which nobody means.
    "tamil_extended": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "kannada": "\u0c80-\u0cff",
    "malayalam": "\u0d00-\u0d7f",
    "manipuri": "\uabc0-\uabff",
}
"""The library's name of each script, and its characters."""

SCHWA_DROPPING = frozenset({"hi", "mr", "gu", "pa", "bn", "as", "mai", "kok", "doi", "ur", "sd"})
"""Languages that do not speak the inherent vowel at the end of a word, nor between two syllables that can do without
it (Ohala 1983, Aspects of Hindi Phonology)."""

_COMPOSED = {
    decomposed: chr(code)
    for code in range(0x0900, 0x0D80)
    if len(decomposed := unicodedata.normalize("NFD", chr(code))) == 2
}
"""Letters with a dot that Unicode's normal forms write as two characters, and the library knows as one."""
_DOTTED = re.compile("|".join(_COMPOSED))
_RUNS = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in SCRIPTS.items()))
_VOWELS = "[aāiīuūeēoōô]"
_VOWEL = f"(?:ai|au|r̥|{_VOWELS})"
_CONSONANT = "(?:[kgcjṭḍtdpbṛ]h|[bcdfghjklmnpqrstvwxyẏzġñṅṇṭḍṛṟḷḻṉśṣ])"
_FINAL = re.compile(f"(?<={_VOWELS})({_CONSONANT})a$")
_MEDIAL = re.compile(f"^(.*{_VOWEL}{_CONSONANT})a({_CONSONANT}{_VOWEL})")
_WORD = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
_PLAIN = (
    (re.compile("jñ"), "gy"),
    (re.compile("c(h?)"), r"ch\1"),
    (re.compile("[śṣ]"), "sh"),
    (re.compile("ḻ"), "zh"),
    (re.compile("r̥"), "ri"),
    (re.compile("ṁ(?=[pbm])"), "m"),
    (re.compile("ṁ|m̐"), "n"),
)
_FOREIGN = re.compile(r"[^\u0000-\u024f\u0300-\u036f\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf]+")
_DANDA = str.maketrans("।॥", "..")


def romanise(text: str, language: str) -> str:
    """`text` in Latin letters; `language` is what it is written in."""
    drops = language in SCHWA_DROPPING
    spelled = _RUNS.sub(lambda run: _spell(run[0], str(run.lastgroup), drops), text.translate(_DANDA))
    return " ".join(_FOREIGN.sub(lambda run: anyascii(run[0]), spelled).split())


def _spell(run: str, script: str, drops: bool) -> str:
    iso = sanscript.transliterate(_DOTTED.sub(lambda pair: _COMPOSED[pair[0]], run), script, sanscript.ISO)
    if drops:
        iso = _WORD.sub(lambda word: _without_schwa(word[0]), iso)
    for pattern, plain in _PLAIN:
        iso = pattern.sub(plain, iso)
    return anyascii(iso)


def _without_schwa(word: str) -> str:
    """A word of ISO 15919 without the vowels that are not spoken, from its end on."""
    word = _FINAL.sub(r"\1", word)
    while (found := _MEDIAL.match(word)) is not None:
        word = found[1] + word[found.end(1) + 1 :]
    return word
