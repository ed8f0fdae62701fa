"""What a session wants, and who serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dragoman.models.base import Voice


@dataclass(frozen=True, slots=True)
class TargetWish:
    """One language that speech is to be turned into.

    `language` None: the language that was heard. `by_source` takes its place for a conversation: what each language
    becomes; other languages are not translated. `sources` are the only languages that are translated, all where there
    are none; `excluded` are never. `voice_id` None: the default voice; `speaks` false: text only. `tempo` is a factor
    on the operator's speaking rate. `terms` are translations that the client insists on. `lenient`: speech in a
    language from which nothing here leads to the target is left untranslated; otherwise it ends the session.
    """

    language: str | None = None
    by_source: Mapping[str, str] | None = None
    sources: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    voice_id: str | None = None
    speaks: bool = True
    tempo: float = 1.0
    terms: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    lenient: bool = False

    def target_of(self, source: str) -> str | None:
        """What speech in `source` becomes; None where it is not translated."""
        if self.by_source is not None:
            return self.by_source.get(source)
        if source in self.excluded or (self.sources and source not in self.sources):
            return None
        return self.language or source


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """A wish that can be fulfilled. `voice` None: the default voice of whatever language is spoken, or text only."""

    wish: TargetWish = field(default_factory=TargetWish)
    voice: Voice | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who serves a session. `source` None: the recogniser tells.

    `candidates` are the only languages that the recogniser chooses from, all where there are none; `keywords` are
    terms that it should expect. `english_for` are the languages that it is asked to translate to English itself,
    because no translator here does, or none as well. `locks_language`: the first language that is heard surely may be
    kept for the session, if the operator lets it. There are as many `branches` as targets, none where speech is only
    written down.
    """

    recognizer: str
    source: str | None
    branches: tuple[BranchPlan, ...]
    candidates: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()
    english_for: frozenset[str] = frozenset()
    locks_language: bool = True

    @property
    def target(self) -> str | None:
        """The language of the only or first target."""
        return self.branches[0].wish.language if self.branches else None

    @property
    def voice(self) -> Voice | None:
        """The voice of the only or first target."""
        return self.branches[0].voice if self.branches else None
