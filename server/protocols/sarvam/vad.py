"""The parameters of voice activity detection, as the settings of a session's listening.

The vendor counts in frames of 32 ms (512 samples at 16 kHz, 256 at 8 kHz), ours too. Of its defaults only the 0.7 of
`positive_speech_threshold` stands in its pages; others are told by people who use it. With those (0.7 and 0.45, eight
unbroken frames for the first turn) quiet words and whole first phrases are lost that every other wire here hears, and
with its longer pauses other words are recognised. So what a client does not name is the operator's.
"""

import math
import re
from collections.abc import Mapping
from typing import TypeVar

from dragoman.config.settings import ListenSettings
from dragoman.server.failures import BadMessage, Fault, quoted

FRAME_MS = 32
MAX_FRAMES = 900
"""No count may be longer than about half a minute: audio is kept for as long."""
MAX_PAD_FRAMES = 100
MAX_IGNORED_FRAMES = 1_000_000

WINDOW = 24
"""Where a client names how many silent frames end an utterance, and not of how many."""
HASTY_SILENT, HASTY_WINDOW = 2, 2
"""With `high_vad_sensitivity`."""

T = TypeVar("T", int, float)
_COUNT = re.compile(r"[0-9]{1,9}")


def tuned(query: Mapping[str, str], base: ListenSettings) -> ListenSettings:
    """How a session listens that was opened with these parameters. `base` has what no parameter names.

    Raises BadMessage naming the parameter that is wrong.
    """
    counts = [_frames(query, f"{which}min_speech_frames") for which in ("", "first_turn_", "interrupt_")]
    least, first, interrupting = (None if count is None else FRAME_MS * count for count in counts)
    ignored = _frames(query, "num_initial_ignored_frames", MAX_IGNORED_FRAMES)
    pad = _frames(query, "pre_speech_pad_frames", MAX_PAD_FRAMES)
    return base.model_copy(
        update={
            "threshold": _or(ratio(query, "positive_speech_threshold"), base.threshold),
            "negative_threshold": _or(ratio(query, "negative_speech_threshold"), base.negative_threshold),
            "start_level_dbfs": _or(_level(query, "start_speech_volume_threshold"), base.start_level_dbfs),
            "ignore_start_ms": base.ignore_start_ms if ignored is None else FRAME_MS * ignored,
            "min_speech_ms": _or(least, base.min_speech_ms),
            # For the settings zero means "as for any other segment"; no speech is shorter than a frame anyway.
            "opening_min_speech_ms": base.opening_min_speech_ms if first is None else max(FRAME_MS, first),
            "interrupt_min_speech_ms": (
                base.interrupt_min_speech_ms if interrupting is None else max(FRAME_MS, interrupting)
            ),
            # A count that is named is one of frames that follow each other.
            "unbroken_start": base.unbroken_start or any(count is not None for count in counts),
            "pre_speech_ms": base.pre_speech_ms if pad is None else FRAME_MS * pad,
            **_ending(query, base),
        }
    )


def flag(query: Mapping[str, str], name: str) -> bool | None:
    """A parameter that is true or false, in any case; None where it is not there. Raises BadMessage."""
    value = query.get(name, "").strip().lower()
    if value not in ("", "true", "false"):
        raise BadMessage(f"{name} must be true or false, not '{quoted(value)}'", Fault.SETUP)
    return value == "true" if value else None


def _ending(query: Mapping[str, str], base: ListenSettings) -> dict[str, int]:
    """How many silent frames of how many end an utterance, as settings; none where the client says nothing of it.

    A default gives way to what is named, and however long somebody talks, a pause is as long.
    """
    wanted = _frames(query, "negative_frames_count", least=1)
    among = _frames(query, "negative_frames_window", least=1)
    if wanted is not None and among is not None and wanted > among:
        raise BadMessage(f"negative_frames_count {wanted} is more than negative_frames_window {among}", Fault.SETUP)
    hasty = flag(query, "high_vad_sensitivity") or False
    if wanted is None and among is None and not hasty:
        return {}
    silent, window = (HASTY_SILENT, HASTY_WINDOW) if hasty else (max(1, round(base.end_silence_ms / FRAME_MS)), WINDOW)
    if among is None:
        silent, window = (silent, window) if wanted is None else (wanted, max(wanted, window))
    else:
        silent, window = min(silent, among) if wanted is None else wanted, among
    silent_ms = FRAME_MS * silent
    return {"end_silence_ms": silent_ms, "long_end_silence_ms": silent_ms, "end_window_ms": FRAME_MS * window}


def _frames(query: Mapping[str, str], name: str, most: int = MAX_FRAMES, *, least: int = 0) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if not _COUNT.fullmatch(text) or not least <= int(text) <= most:
        raise BadMessage(f"{name} must be an integer from {least} to {most}, not '{quoted(text)}'", Fault.SETUP)
    return int(text)


def ratio(query: Mapping[str, str], name: str) -> float | None:
    value = _number(query, name)
    if value is not None and not 0 <= value <= 1:
        raise BadMessage(f"{name} must be a number from 0.0 to 1.0, not '{quoted(query[name])}'", Fault.SETUP)
    return value


def _level(query: Mapping[str, str], name: str) -> float | None:
    value = _number(query, name)
    if value is not None and not (math.isfinite(value) and value <= 0):
        raise BadMessage(
            f"{name} must be in dB under full scale, such as -45, not '{quoted(query[name])}'", Fault.SETUP
        )
    return value


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return math.nan


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
