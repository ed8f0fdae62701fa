"""Text in the script of a language, from Latin letters or from another script of India: mera nam becomes मेरा नाम.

The scripts of India have one order of letters, so that indic-transliteration (MIT) turns one into another by way of
it. Latin letters are read as people write these languages with them, not as English is spelt, into ISO 15919 first;
what is ours are the few habits in which the two differ.
"""

import re
import unicodedata

from anyascii import anyascii
from indic_transliteration import sanscript

from dragoman.server.protocols.sarvam.romanise import SCHWA_DROPPING, SCRIPTS

SCRIPT_OF = {
    **dict.fromkeys(("hi", "mr", "ne", "sa", "kok", "mai", "doi", "brx"), "devanagari"),
    **dict.fromkeys(("bn", "as"), "bengali"),
    "pa": "gurmukhi",
    "gu": "gujarati",
    "or": "oriya",
    "ta": "tamil",
    "te": "telugu",
    "kn": "kannada",
    "ml": "malayalam",
}
"""The library's name of the script of each language. Urdu, Sindhi and Kashmiri, Santali and Manipuri have none here."""

_ZEROS = {
    name: unicodedata.lookup(f"{name.upper()} DIGIT ZERO") for name in set(SCRIPT_OF.values())
} | {"arabic": "\u06f0"}  # fmt: skip
_VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d"
"""Of the scripts of the north, where a word's last consonant has no vowel though nothing says so."""
_DOTLESS = frozenset({"telugu", "malayalam"})
"""Scripts without a dot for sounds of other languages: fa is written as pha there."""
_DOTS = re.compile("[\u093c\u09bc\u0a3c\u0abc\u0b3c]")
_FINAL_VIRAMA = re.compile(f"[{_VIRAMAS}](?![^\\W\\d_]|[\u200c\u200d])")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+")
_RUNS = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in SCRIPTS.items()))
_HABITS = (
    (re.compile("aa"), "ā"),
    (re.compile("ee|ii"), "ī"),
    (re.compile("oo|uu"), "ū"),
    (re.compile("chh"), "ċh"),
    (re.compile("ch"), "ċ"),
    (re.compile("c(?=[eiy])"), "s"),
    (re.compile("ck|c"), "k"),
    (re.compile("ċ"), "c"),
    (re.compile("sh"), "ś"),
    (re.compile("w"), "v"),
    (re.compile("x"), "ks"),
    (re.compile("e"), "ē"),
    (re.compile("o"), "ō"),
)
_UNDOTTED = str.maketrans({"f": "ph", "z": "j", "q": "k"})
_LONG = {"a": "ā", "i": "ī", "u": "ū"}


def nativise(text: str, language: str) -> str:
    """`text` in the script of `language`, which must be in SCRIPT_OF. What is in that script stays as it is."""
    script = SCRIPT_OF[language]
    text = _RUNS.sub(lambda run: _turned(run[0], str(run.lastgroup), script), text)
    text = _LATIN.sub(lambda word: _spelled(word[0], script, language in SCHWA_DROPPING), text)
    return unicodedata.normalize("NFC", text)


def native_digits(text: str, language: str) -> str:
    """`text` with the digits of a language, where it has some of its own."""
    name = "arabic" if language in ("ur", "ks", "sd") else SCRIPT_OF.get(language)
    if name is None:
        return text
    zero = ord(_ZEROS[name])
    return text.translate({ord("0") + digit: zero + digit for digit in range(10)})


def _turned(run: str, source: str, target: str) -> str:
    if source.removesuffix("_extended") == target:
        return run
    if target in _DOTLESS:
        run = _DOTS.sub("", unicodedata.normalize("NFD", run))
    turned: str = sanscript.transliterate(run, source, target)
    return turned


def _spelled(word: str, script: str, drops: bool) -> str:
    """A word of Latin letters; where the script `drops` the inherent vowel, the last vowel of a word is a long one."""
    word = anyascii(word).lower()
    word = word.translate(_UNDOTTED) if script in _DOTLESS else word
    for pattern, iso in _HABITS:
        word = pattern.sub(iso, word)
    if drops and len(word) > 2 and word[-1] in _LONG and word[-2] not in "aāiīuūeēoō":
        word = word[:-1] + _LONG[word[-1]]
    spelled: str = sanscript.transliterate(word, sanscript.ISO, script)
    return _FINAL_VIRAMA.sub("", spelled) if drops else spelled
