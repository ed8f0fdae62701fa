"""Whose voice it is, decided as the pieces of speech come: clustering around centres, without looking back.

A voice is near the centre of its person's earlier pieces. How near, depends on how much speech both were taken from:
the cosine of two pieces of one person falls with their lengths, that of two persons hardly does, and so the bar
falls with it (`_reach`). Nothing here does I/O or knows an engine.
"""

from math import sqrt

import numpy as np

from dragoman.models.base import Voiceprint

MOST = 15
"""Speakers that a session tells apart."""

FULL_S = 6.0
"""As much speech says all that there is to say about a voice."""

HALF_S = 2.0
"""How fast it is said: measured, the cosines of two pieces of one person go with t / (t + 2 s)."""


class Speakers:
    """The speakers of one session, called "1", "2", … in the order in which they are first heard; a label is never
    given to anybody else.

    `threshold` and `shortest_s` are those of the `SpeakerEmbedder` that the voices come from.
    """

    def __init__(self, threshold: float, shortest_s: float, most: int = MOST) -> None:
        self.latest: str | None = None
        """Who was heard last."""
        self._threshold = threshold
        self._shortest_s = shortest_s
        self._most = most
        self._sums: list[Voiceprint] = []
        self._heard_s: list[float] = []

    def guess(self, voice: Voiceprint, speech_s: float) -> str:
        """Who it seems to be; nothing is learned from it. Somebody new gets the next label, which may go to somebody
        else if `settle` does not confirm it. `speech_s` is greater than 0."""
        return _label(self._place(voice, speech_s)[0])

    def settle(self, voice: Voiceprint, speech_s: float) -> str:
        """Who it is, for good: the voice of `speech_s` seconds of speech becomes a part of what is known of them."""
        place, sure = self._place(voice, speech_s)
        if place == len(self._sums):
            self._sums.append(np.zeros_like(voice))
            self._heard_s.append(0.0)
        if sure:
            self._sums[place] = self._sums[place] + voice * np.float32(speech_s)
            self._heard_s[place] += speech_s
        self.latest = _label(place)
        return self.latest

    def _place(self, voice: Voiceprint, speech_s: float) -> tuple[int, bool]:
        """Whose it is, counted from 0, and whether that is sure; somebody new comes behind the last."""
        if not self._sums:
            return 0, True
        likeness = [float(voice @ heard) / float(np.linalg.norm(heard)) for heard in self._sums]
        nearest = max(range(len(likeness)), key=likeness.__getitem__)
        bar = self._threshold * sqrt(_reach(speech_s) * _reach(self._heard_s[nearest]))
        if likeness[nearest] >= bar:
            return nearest, True
        if speech_s < self._shortest_s or len(self._sums) == self._most:
            return nearest, False
        return len(self._sums), True


def _label(place: int) -> str:
    return str(place + 1)


def _reach(speech_s: float) -> float:
    """How much of a voice so many seconds of speech tell, 1 at FULL_S and beyond."""
    heard_s = min(speech_s, FULL_S)
    return heard_s / (heard_s + HALF_S) * (FULL_S + HALF_S) / FULL_S
