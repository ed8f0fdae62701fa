"""Texts that ended espeak-ng 1.52, by voice; found by trying."""

CRASHES = [
    ("en-us", "'s" * 70),
    ("en-us", "He wrote " + "'S" * 70 + " yesterday."),
    ("en-us", "ness" * 70),
    ("en-us", "s’" * 220),
    ("fr", "'s" * 100),
    ("ru", "'s" * 70),
    ("hi", "s'" * 100),
    ("cmn", "ness" * 100),
    ("de", "un" * 200),
    ("de", "ver" * 133),
    ("nl", "ment" * 60),
    ("nl", "er" * 90),
    ("da", "lol" * 60),
    ("da", "ing" * 60),
    ("da", "rock'n'roll" * 40),
    ("da", "keit" * 100),
    ("ro", "XVII" * 60),
    ("ro", "i" * 400),
    ("it", "dell'" * 100),
    ("es", "A.B." * 100),
    ("en-us", "a." * 200),
    ("pt-br", "e.g." * 200),
    ("es", "e.g. " * 200),
    ("de", "z. b. " * 200),
    ("ru", "щ." * 200),
    ("cmn", "中." * 100),
]
"""By long words and long abbreviations, which `speakable` parts: they are spoken."""

SHORT_CRASHES = [("vi", "\u0a27\u0a73"), ("bg", "\u2131\u2139"), ("my", "\u2139\u210a"), ("vi", "\u0a1d\u0a08")]
"""By letters of scripts that a voice does not know: nothing can be parted there."""
