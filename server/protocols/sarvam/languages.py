"""The vendor's codes of languages (BCP-47 with the region India) and ours."""

from dragoman.server.failures import BadMessage, Fault, quoted

AUTOMATIC = frozenset({"", "unknown", "auto"})
"""What a client says when it does not know the language."""

CODES = {
    **{f"{code}-IN": code for code in ("en", "hi", "bn", "gu", "kn", "ml", "mr", "pa", "ta", "te", "as", "ur", "ne")},
    **{f"{code}-IN": code for code in ("kok", "ks", "sd", "sa", "sat", "mni", "brx", "mai", "doi")},
    "od-IN": "or",
    "or-IN": "or",
}
"""Ours by the vendor's. Odia has one name on some of the vendor's sockets and another on others."""


def language_of(name: str, field: str = "language-code", *, bare: bool = False) -> str | None:
    """Our code of a language that a client names; None: to be detected. `bare`: the region may be left out.

    Raises BadMessage.
    """
    if name.lower() in AUTOMATIC:
        return None
    found = CODES.get(name) or (CODES.get(f"{name}-IN") if bare else None)
    if found is None:
        codes = ", ".join(code for code in CODES if code != "or-IN")
        raise BadMessage(f"unknown {field} '{quoted(name)}': use unknown or one of {codes}", Fault.SETUP)
    return found


def code_of(language: str, odia: str = "od-IN") -> str | None:
    """The vendor's code of ours. A language that it does not have keeps ours, which is BCP-47 too."""
    if language == "or":
        return odia
    named = f"{language}-IN"
    return named if named in CODES else language or None
