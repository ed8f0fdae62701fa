"""Where audio belongs: the silence that a container's times leave between its packets.

A microphone that is muted and an encoder with discontinuous transmission (DTX) send nothing; the times behind the gap
say how long it was (RFC 7845, section 4.1; Matroska's cluster and block timestamps). Times also jitter by some
milliseconds, begin anywhere, and go back where one recording follows another, so they are not taken literally.
"""

TIMED = frozenset(("asf", "avi", "flv", "matroska", "mov", "mpegts", "ogg"))
"""Containers, by libav's names, that keep times. The others' times are only their samples, counted."""

MIN_GAP_S = 0.1
"""What is less late than this is jitter. It is not forgotten: several lost packets make a gap together."""
MAX_GAP_S = 30.0
"""No gap becomes longer: an hour's jump is no hour of samples."""
RESTART_S = 1.0
"""What is earlier than this begins anew; less is jitter, behind a packet that was late."""

_ROOM_S = 60.0
_ROOM_FOR_HEARD = 20.0
"""Silence that may be put in: a minute, and so many seconds for each that was heard. DTX at its most sparing sends 20
ms in 400. Without this, a packet of four bytes for each half minute would be hours in a few kilobytes."""


class Timeline:
    """The audio of one stream, piece by piece. It begins at `start_s`; None: wherever the first piece does."""

    def __init__(self, start_s: float | None = None) -> None:
        self._end_s = start_s
        self._room_s = _ROOM_S

    def restart(self) -> None:
        """What follows has times of its own."""
        self._end_s = None

    def gap_s(self, at_s: float | None, length_s: float) -> float:
        """Seconds of silence that belong in front of the next piece.

        `at_s`: where its container says that it begins, None if it does not say. `length_s`: how long it is.
        """
        late_s = 0.0 if at_s is None or self._end_s is None else at_s - self._end_s
        gap_s = min(late_s, MAX_GAP_S, self._room_s) if late_s > MIN_GAP_S else 0.0
        if self._end_s is None or late_s > MIN_GAP_S or late_s < -RESTART_S:
            self._end_s = at_s
        if self._end_s is not None:
            self._end_s += length_s
        self._room_s = min(self._room_s - gap_s + _ROOM_FOR_HEARD * length_s, _ROOM_S)
        return gap_s
