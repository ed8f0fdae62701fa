"""What the stages of one branch share."""

from dataclasses import dataclass

from dragoman.models.base import Voice
from dragoman.models.plan import TargetWish


@dataclass(slots=True)
class BranchState:
    """A target of a session by its number. `epoch` counts interruptions: what was begun before is not said.

    Words spoken before `cut_s` on the input clock are not said either, whenever they become certain. `texts_bytes` is
    the size of the given texts that wait to be translated.
    """

    number: int
    wish: TargetWish
    voice: Voice | None
    epoch: int = 0
    cut_s: float = 0.0
    texts_bytes: int = 0
