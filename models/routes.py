"""Which pairs of languages can be translated, directly or through others, and which way is the best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from dragoman.models.base import LanguagePair
from dragoman.models.worth import Step, Worth, WorthTable, worth_table

MAX_STEPS = 3
"""Every step loses a little; beyond three, little is left."""


@dataclass(frozen=True)
class Route:
    """A way from one language to another, in at least one step, and what it is worth."""

    steps: tuple[Step, ...]
    worth: Worth

    @cached_property
    def name(self) -> str:
        """Who translates, and through what: "firefox+apertium via pt"."""
        names = dict.fromkeys(step.engine for step in self.steps)
        return "+".join(names) + "".join(f" via {step.pair.target}" for step in self.steps[:-1])


class RouteMap:
    """The ways over what the installed translators offer, which come in order of preference.

    From each language the targets are settled one by one, the one that is worth most first, and ways go on from what is
    settled: so every beginning of a way is itself the best way there. Spanish does not go to Portuguese by way of an
    English to which Portuguese is the better way, though the words that come out are the more usual ones and chrF likes
    them. Of two ways that are worth the same, the shorter is taken, and then that of the engine that comes first.
    """

    def __init__(self, offers: Iterable[Step], table: WorthTable | None = None) -> None:
        self.table = table or worth_table()
        self._from: dict[str, list[Step]] = {}
        for step in sorted(dict.fromkeys(offers), key=lambda step: step.pair):  # stable: engines stay in their order
            self._from.setdefault(step.pair.source, []).append(step)
        self._found: dict[str, dict[str, list[Route]]] = {}

    def routes(self, source: str, target: str) -> list[Route]:
        """The ways from `source` to another language `target` that were looked at, the one that is taken first."""
        return self._all(source).get(target, [])

    def best(self, source: str, target: str) -> Route | None:
        """The best way, where there is one to another language."""
        return next(iter(self.routes(source, target)), None)

    def leads(self, source: str, target: str) -> bool:
        """Whether there is a way, which takes no step where the two are the same."""
        return source == target or bool(self.routes(source, target))

    def own_english(self, recognizer: str, source: str, target: str) -> Route | None:
        """The way by the recogniser's own English, and from there on by translators, where one leads on."""
        steps: tuple[Step, ...] = (Step(LanguagePair(source, "en"), recognizer),)
        if target != "en":
            if (onward := self.best("en", target)) is None:
                return None
            steps += onward.steps
        return self._route(steps)

    def prefers(self, recognizer: str, source: str, target: str) -> bool:
        """Whether the recogniser's own English is the way to take: the only one, or better by the table's margin."""
        own, other = self.own_english(recognizer, source, target), self.best(source, target)
        if own is None or source == target:
            return False
        return other is None or own.worth.chrf > other.worth.chrf + self.table.margin

    def ways(self, source: str, target: str, recognizer: str = "") -> list[Route]:
        """Every way, the one that is taken first; that by the own English of `recognizer` too, if one is named."""
        found = self.routes(source, target)
        if not recognizer or (own := self.own_english(recognizer, source, target)) is None:
            return found
        return [own, *found] if self.prefers(recognizer, source, target) else [*found, own]

    def reachable(self, source: str) -> dict[str, Route]:
        """Every other language that can be reached from `source`, with the best way."""
        return {target: routes[0] for target, routes in sorted(self._all(source).items())}

    def _all(self, source: str) -> dict[str, list[Route]]:
        if source not in self._found:
            settled: dict[str, list[Route]] = {}
            open_: dict[str, list[Route]] = {}
            here: tuple[Step, ...] = ()
            while True:
                seen = {source, *(step.pair.target for step in here)}
                for step in self._from.get(here[-1].pair.target if here else source, ()):
                    target = step.pair.target
                    if target not in seen and len(here) < MAX_STEPS:
                        steps = (*here, step)
                        (settled if target in settled else open_).setdefault(target, []).append(self._route(steps))
                if not open_:
                    break
                target = min(open_, key=lambda code: (*_rank(min(open_[code], key=_rank)), code))
                settled[target] = sorted(open_.pop(target), key=_rank)
                here = settled[target][0].steps
            self._found[source] = settled
        return self._found[source]

    def _route(self, steps: tuple[Step, ...]) -> Route:
        return Route(steps, self.table.of(steps))


def _rank(route: Route) -> tuple[float, int]:
    return -route.worth.chrf, len(route.steps)


def compared(ways: Sequence[Route]) -> str:
    """What the first of `ways` is worth, and the best of the others beside it."""
    taken, *others = ways
    said = f"{taken.worth} chrF"
    if others:
        other = max(others, key=lambda route: route.worth.chrf)
        said += f"; {other.name}: {other.worth}"
    return said


def offers(engine: str, pairs: Iterable[LanguagePair]) -> list[Step]:
    """The steps that one engine offers."""
    return [Step(pair, engine) for pair in sorted(pairs)]
