"""Steps from phase to phase."""

from enum import Enum, auto

import pytest

from dragoman.server.phases import step


class Phase(Enum):
    OPEN = auto()
    ENDING = auto()
    OVER = auto()


BEFORE = {Phase.ENDING: (Phase.OPEN,), Phase.OVER: (Phase.OPEN, Phase.ENDING)}


def test_a_step_that_exists_is_taken() -> None:
    assert step(Phase.OPEN, Phase.ENDING, BEFORE) is Phase.ENDING
    assert step(Phase.ENDING, Phase.OVER, BEFORE) is Phase.OVER


def test_another_says_what_was_expected_and_what_came() -> None:
    with pytest.raises(RuntimeError, match="expected OPEN before ENDING, but it is OVER"):
        step(Phase.OVER, Phase.ENDING, BEFORE)
    with pytest.raises(RuntimeError, match="expected OPEN or ENDING before OVER, but it is OVER"):
        step(Phase.OVER, Phase.OVER, BEFORE)
