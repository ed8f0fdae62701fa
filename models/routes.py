"""Which pairs of languages can be translated, directly or through others."""

from collections import deque
from collections.abc import Iterable

from dragoman.models.base import LanguagePair

MAX_STEPS = 3
"""Every step loses a little; beyond three, little is left."""


class RouteMap:
    """Shortest routes over the pairs that the installed translators offer."""

    def __init__(self, pairs: Iterable[LanguagePair]) -> None:
        self._next: dict[str, list[str]] = {}
        for pair in sorted(set(pairs)):
            self._next.setdefault(pair.source, []).append(pair.target)

    def route(self, source: str, target: str) -> tuple[LanguagePair, ...] | None:
        """The steps from `source` to `target`: none where they are equal, None where there is no way."""
        if source == target:
            return ()
        waiting: deque[tuple[LanguagePair, ...]] = deque([()])
        seen = {source}
        while waiting:
            steps = waiting.popleft()
            here = steps[-1].target if steps else source
            for there in self._next.get(here, []):
                if there in seen:
                    continue
                longer = (*steps, LanguagePair(here, there))
                if there == target:
                    return longer
                seen.add(there)
                if len(longer) < MAX_STEPS:
                    waiting.append(longer)
        return None

    def reachable(self, source: str) -> dict[str, tuple[LanguagePair, ...]]:
        """Every target that can be reached from `source`, with its route."""
        targets = {target for nexts in self._next.values() for target in nexts} - {source}
        routes = {target: self.route(source, target) for target in sorted(targets)}
        return {target: route for target, route in routes.items() if route is not None}
