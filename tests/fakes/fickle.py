"""Engines that fail at chosen partials, and serve finals."""

from collections.abc import Callable
from typing import Any

from dragoman.models.batching import Priority
from dragoman.models.errors import ModelError
from dragoman.models.registry import Engines


class FakeFickleness:
    """Makes the recognition and translation of partials raise `error`: those whose numbers, from 1 on, `fails` says.

    `counts` may choose others than partials.
    """

    def __init__(
        self,
        error: Callable[[], ModelError],
        fails: Callable[[int], bool],
        counts: Callable[[Priority], bool] = lambda priority: priority is Priority.PARTIAL,
    ) -> None:
        self.asked = 0
        self.failed = 0
        self._error = error
        self._fails = fails
        self._counts = counts

    def spoil(self, engines: Engines) -> None:
        """Take the place of the engines' ways to them."""
        engines.recognize = self._around(engines.recognize, 3)  # type: ignore[method-assign]
        engines.translate = self._around(engines.translate, 5)  # type: ignore[method-assign]

    def _around(self, ask: Callable[..., Any], place: int) -> Callable[..., Any]:
        async def asked(*args: Any) -> Any:
            if self._counts(args[place] if len(args) > place else Priority.FINAL):
                self.asked += 1
                if self._fails(self.asked):
                    self.failed += 1
                    raise self._error()
            return await ask(*args)

        return asked
