"""What can go wrong with engines, as one tree.

    ModelError
    ├── EngineUnavailable        an engine cannot be loaded here: `engine`, `reason`, `remedy`
    ├── EngineFailed             an engine broke on one request: `engine`, `reason`
    │   ├── OutOfMemory          its device has no memory left: `engine`
    │   └── TextRefused          this one text cannot be done, whoever asks; others can: `engine`, `reason`
    ├── Overloaded               an engine's queue is full: `engine`, `retry_after_s`
    ├── Superseded               a waiting partial gave its place to something that matters more: `engine`
    └── RouteError               nothing installed can do what was asked: `remedy`
        ├── NoRecognizer         `language`
        ├── NoTranslator         `pair`
        ├── NoVoice              `language`
        ├── UnknownVoice         `voice_id`
        └── VoiceMismatch        `voice_id`, `voice_language`, `language`

Every message is one sentence that a client may be shown; where the operator can mend it, it says how. `clients_fault`:
only the client can change it, by asking for something else. `may_pass`: the same may succeed a little later.
"""

from dragoman.models.base import LanguagePair


class ModelError(Exception):
    """Base of everything that engines and the registry raise."""

    clients_fault = False
    may_pass = False


class EngineUnavailable(ModelError):
    """An engine cannot be loaded on this machine."""

    def __init__(self, engine: str, reason: str, remedy: str = "") -> None:
        self.engine = engine
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{engine} is not available: {reason}" + (f". {remedy}" if remedy else ""))


class EngineFailed(ModelError):
    """An engine broke on one request; the next request may well succeed."""

    def __init__(self, engine: str, reason: str) -> None:
        self.engine = engine
        self.reason = reason
        super().__init__(f"{engine} failed: {reason}")


class OutOfMemory(EngineFailed):
    """The engine's device had no memory left for one request; fewer at once may fit."""

    may_pass = True

    def __init__(self, engine: str) -> None:
        super().__init__(engine, "its device is out of memory; try again with fewer sessions")


class TextRefused(EngineFailed):
    """An engine cannot do this one text, however often it is tried; nothing is wrong with the engine."""


class Overloaded(ModelError):
    """An engine's queue is full; trying again after `retry_after_s` seconds may help."""

    may_pass = True

    def __init__(self, engine: str, retry_after_s: float = 5.0) -> None:
        self.engine = engine
        self.retry_after_s = retry_after_s
        super().__init__(f"{engine} has too much work waiting; try again in {retry_after_s:g} s")


class Superseded(ModelError):
    """A waiting partial was dropped: a newer one of its session came, or a final needed its room."""

    may_pass = True

    def __init__(self, engine: str) -> None:
        self.engine = engine
        super().__init__(f"{engine} dropped a partial request for a newer one")


class RouteError(ModelError):
    """No installed engine can do what was asked."""

    clients_fault = True

    def __init__(self, message: str, remedy: str = "") -> None:
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}" if remedy else message)


class NoRecognizer(RouteError):
    """Nothing installed recognises `language`."""

    def __init__(self, language: str, remedy: str = "") -> None:
        self.language = language
        super().__init__(f"no recogniser for '{language}' is installed", remedy)


class NoTranslator(RouteError):
    """Nothing installed translates `pair`, directly or through a pivot."""

    def __init__(self, pair: LanguagePair, remedy: str = "") -> None:
        self.pair = pair
        super().__init__(f"no translator for {pair} is installed", remedy)


class NoVoice(RouteError):
    """No voice of an installed synthesizer speaks `language`."""

    def __init__(self, language: str, remedy: str = "") -> None:
        self.language = language
        super().__init__(f"no voice for '{language}' is installed", remedy)


class UnknownVoice(RouteError):
    """The catalogue has no such voice id or alias."""

    def __init__(self, voice_id: str) -> None:
        self.voice_id = voice_id
        super().__init__(f"unknown voice '{voice_id}'")


class VoiceMismatch(RouteError):
    """The voice exists but speaks another language than the one asked for."""

    def __init__(self, voice_id: str, voice_language: str, language: str) -> None:
        self.voice_id = voice_id
        self.voice_language = voice_language
        self.language = language
        super().__init__(f"voice '{voice_id}' speaks '{voice_language}', not the target language '{language}'")
