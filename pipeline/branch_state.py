"""What the stages of one branch share."""

from dataclasses import dataclass

from dragoman.models.base import Voice
from dragoman.models.plan import TargetWish


@dataclass(slots=True)
class BranchState:
    """A target of a session by its number. `epoch` counts interruptions: what was begun before is not said."""

    number: int
    wish: TargetWish
    voice: Voice | None
    epoch: int = 0
