"""English contractions written out, for translators that know only the usual ones (I'm, don't, she'll, could've).

What a translator does not know it copies, and a negation or a tense is lost with it: "You mustn't" becomes "Tú
mustn't".
Apostrophes are the typewriter's here (`apertium.clean`).
"""

import re
from collections.abc import Callable, Sequence

_SUSPECT = re.compile(
    r"'|\b(?:[gG]otta|[hH]afta|[kK]inda|[sS]orta|[lL]emme|[gG]imme|[dD]unno|[oO]utta|"
    r"(?:[sS]h|[cC]|[wW])oulda|[mM]usta|[mM]ighta|[wW]hatcha|[dD]idja)\b"
)
_TOKEN = re.compile(r"[A-Za-z']+")

_WORDS = {
    "cap'n": "captain", "c'mon": "come on", "d'you": "do you", "didja": "did you", "y'know": "you know",
    "ma'am": "madam", "s'pose": "suppose", "whatcha": "what are you", "lemme": "let me", "gimme": "give me",
    "dunno": "don't know", "kinda": "rather", "sorta": "rather", "outta": "out of", "ol'": "old", "o'er": "over",
    "ne'er": "never", "e'er": "ever",
    "shoulda": "should have", "coulda": "could have", "woulda": "would have", "mighta": "might have",
    "musta": "must have",
    "mustn't": "must not", "mightn't": "might not", "mayn't": "may not", "oughtn't": "should not",
    "usedn't": "did not use", "amn't": "am not",
    "mustn't've": "must not have", "mightn't've": "might not have", "shouldn't've": "should not have",
    "couldn't've": "could not have", "wouldn't've": "would not have", "hadn't've": "had not",
    "doin'": "doing", "goin'": "going", "nothin'": "nothing", "somethin'": "something", "comin'": "coming",
    "lookin'": "looking", "gettin'": "getting", "talkin'": "talking", "tryin'": "trying", "workin'": "working",
    "thinkin'": "thinking", "makin'": "making", "sayin'": "saying", "takin'": "taking", "runnin'": "running",
    "feelin'": "feeling", "livin'": "living", "lovin'": "loving", "waitin'": "waiting", "mornin'": "morning",
    "i'm": "I'm", "i've": "I've", "i'll": "I'll", "i'd": "I'd",
}  # fmt: skip
"""Words that stand for others, wherever they stand."""

_CLIPPED = {
    "'tis": "it is", "'twas": "it was", "'twere": "it were", "'twill": "it will", "'twould": "it would",
    "'em": "them", "'cause": "because", "'til": "until", "'till": "until", "'bout": "about", "'round": "around",
    "'cos": "because", "'cuz": "because", "'n'": "and",
}  # fmt: skip
"""Words without their beginning. What opens with a quotation mark and closes with one is a quotation."""

_KNOWN = {
    "'ll": frozenset({"i", "you", "he", "she", "it", "we", "they"}),
    "'d": frozenset({"i", "you", "he", "she", "it", "we", "they"}),
    "'ve": frozenset({"i", "you", "we", "they", "could", "should", "would"}),
}
"""What the translator knows together with these endings."""

_ASKING = frozenset({"what", "where", "when", "why", "how"})
_SINGULAR = frozenset({"he", "she", "it", "that", "this", "who", "nobody", "everybody", "everyone", "somebody"})
_SUBJECTS = frozenset({"i", "you", "he", "she", "it", "we", "they"})
_OPENING = frozenset(
    {"the", "a", "an", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those"}
)
_BETWEEN = frozenset({
    "all", "already", "always", "also", "both", "ever", "just", "never", "not", "only", "probably", "really", "still",
    "even", "first", "once", "recently", "often",
})  # fmt: skip
"""Adverbs that stand between an auxiliary and its verb."""

_PARTICIPLES = """
    been beaten become begun bitten blown born broken brought built bought caught chosen done drawn drunk driven eaten
    fallen felt fought found flown forgotten forgiven frozen given gone got gotten grown had heard held hidden kept
    known laid led left lent lost made meant met paid ridden risen said sat seen sent shown slept sold sought spent
    spoken stolen stood sung taken taught thought thrown told understood woken won worn written
"""
_PAST = frozenset(_PARTICIPLES.split())
"""Participles that are no other form of their verb; regular ones end in -ed."""

_ED = frozenset({
    "bed", "bleed", "breed", "embed", "exceed", "feed", "heed", "need", "proceed", "seed", "shed", "speed", "succeed",
    "wed", "weed", "red", "led",
})  # fmt: skip
"""No participles, for all their ending."""

_WISHED = frozenset({"be", "like", "love", "prefer", "rather", "hate", "recommend", "suggest", "advise"})
"""Verbs with which "what'd you …" asks what somebody would do, and not what he did."""

_GOT_TO = frozenset({"gotta", "hafta"})
_HAVING = re.compile(r"(?P<who>[a-z]+)'(?:ve|(?P<s>s))")
_LOOKED_AT = 4
"""So many words behind a 'd tell what it stands for."""


def contractions_written_out(text: str) -> str:
    """`text` with the contractions in full that are not among the usual ones."""
    if not _SUSPECT.search(text):
        return text
    tokens = list(_TOKEN.finditer(text))
    words = [token[0].lower() for token in tokens]
    pieces: list[str] = []
    done = 0
    for at, token in enumerate(tokens):
        if token.start() < done:
            continue  # taken by the one before
        written = _written(words, at, _follows(text, tokens, at))
        if written is None:
            continue
        full, taken = written
        pieces += (text[done : token.start()], _cased(token[0], full))
        done = tokens[at + taken - 1].end()
    return "".join([*pieces, text[done:]]) if pieces else text


def _follows(text: str, tokens: Sequence[re.Match[str]], at: int) -> Callable[[int], bool]:
    """Whether so many words behind this one are parted by blanks only."""

    def told(count: int) -> bool:
        last = at + count
        return last < len(tokens) and all(
            text[tokens[place].end() : tokens[place + 1].start()].isspace() for place in range(at, last)
        )

    return told


def _written(words: Sequence[str], at: int, follows: Callable[[int], bool]) -> tuple[str, int] | None:
    """What stands for the word, and how many words it takes the place of; None where it stays."""
    word = words[at]
    before = words[at - 1] if at else ""
    after = words[at + 1] if follows(1) else ""
    if word in _CLIPPED:
        return _CLIPPED[word], 1
    if word in _GOT_TO:
        return f"{'has' if before in _SINGULAR else 'have'} to", 1
    if after in _GOT_TO and (having := _HAVING.fullmatch(word)):  # "He's gotta go"
        return f"{_subject(having['who'])} {'has' if having['s'] else 'have'} to", 2
    if word in {"needn't", "daren't"}:
        return _not_needed(word, before, after)
    if word == "ain't":
        return _ain_t(before, after)
    if word in _WORDS:
        full = _WORDS[word]
        modal, _, rest = full.partition(" ")
        if rest == "not" and after in _SUBJECTS:  # "Mustn't I go?"
            return f"{modal} {_subject(after)} not", 2
        return full, 2 if word == "oughtn't" and after == "to" else 1
    for ending, written in (("'d've", "would have"), ("'ll've", "will have"), ("'ll", "will"), ("'ve", "have")):
        stem = word.removesuffix(ending)
        if stem != word and stem.isalpha() and stem not in _KNOWN.get(ending, ()):
            return f"{_subject(stem)} {'has' if written == 'have' and stem in _SINGULAR else written}", 1
    stem = word.removesuffix("'d")
    if stem != word and stem.isalpha() and stem not in _KNOWN["'d"]:
        return f"{stem} {_had_would_did(stem, words, at, follows)}", 1
    return None


def _not_needed(word: str, before: str, after: str) -> tuple[str, int]:
    """ "needn't go" as "do not need to go"; "need not go" is translated as a need not to go."""
    verb = word.removesuffix("n't")
    if after in _SUBJECTS:
        return f"{'does' if after in _SINGULAR else 'do'} {_subject(after)} not {verb} to", 2
    auxiliary = "does" if before in _SINGULAR else "do"
    return f"{auxiliary} not {verb}{' to' if after and after not in {'to', 'have'} else ''}", 1


def _ain_t(before: str, after: str) -> tuple[str, int] | None:
    """ "ain't" is "am not", "isn't" or "aren't", which the translator knows, or stands for "have"."""
    if after not in _PAST:  # "tired" is no participle here
        return None
    return f"{'has' if before in _SINGULAR else 'have'} not", 1


def _had_would_did(stem: str, words: Sequence[str], at: int, follows: Callable[[int], bool]) -> str:
    """What 'd stands for, by what follows."""
    place = 1
    while place < _LOOKED_AT and follows(place) and words[at + place] in _BETWEEN:
        place += 1
    after = words[at + place] if follows(place) else ""
    if after == "better" or _is_past(after):
        return "had"
    if after in _SUBJECTS or after in _OPENING or (stem in _ASKING and not after):
        verb = words[at + place + 1] if follows(place + 1) else ""
        if _is_past(verb):
            return "had"
        return "would" if verb in _WISHED or after == "rather" else "did"
    if stem in {"why", "how", "when", "where"} and after not in _WISHED:
        return "did"  # "How'd Anna do it?"
    return "would"


def _is_past(word: str) -> bool:
    return word in _PAST or (word.endswith("ed") and word not in _ED)


def _subject(word: str) -> str:
    return "I" if word == "i" else word


def _cased(word: str, full: str) -> str:
    """`full` in the case of `word`."""
    letters = [letter for letter in word if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return full.upper()
    return full[:1].upper() + full[1:] if letters[0].isupper() else full
