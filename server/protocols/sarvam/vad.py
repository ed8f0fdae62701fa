"""The parameters of voice activity detection, as the settings of a session's listening.

The vendor counts in frames of 32 ms (512 samples at 16 kHz, 256 at 8 kHz), ours too. Its defaults are these; where it
has published none, the values are ours.
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

POSITIVE = 0.7
NEGATIVE = 0.45
MIN_SPEECH = 3
FIRST_SPEECH = 8
PAD = 10
SILENT, WINDOW = 18, 24
HASTY_SILENT, HASTY_WINDOW = 2, 2
"""With `high_vad_sensitivity`."""

T = TypeVar("T", int, float)
_COUNT = re.compile(r"[0-9]{1,9}")


def tuned(query: Mapping[str, str], base: ListenSettings) -> ListenSettings:
    """How a session listens that was opened with these parameters. `base` has what no parameter names.

    Raises BadMessage naming the parameter that is wrong.
    """
    hasty = flag(query, "high_vad_sensitivity")
    silent, window = _scattered(query, *((HASTY_SILENT, HASTY_WINDOW) if hasty else (SILENT, WINDOW)))
    least = _frames(query, "min_speech_frames")
    first = _frames(query, "first_turn_min_speech_frames")
    interrupting = _frames(query, "interrupt_min_speech_frames")
    level = _level(query, "start_speech_volume_threshold")
    return base.model_copy(
        update={
            "threshold": _or(ratio(query, "positive_speech_threshold"), POSITIVE),
            "negative_threshold": _or(ratio(query, "negative_speech_threshold"), NEGATIVE),
            "start_level_dbfs": _or(level, base.start_level_dbfs),
            "ignore_start_ms": FRAME_MS * _or(_frames(query, "num_initial_ignored_frames", MAX_IGNORED_FRAMES), 0),
            "min_speech_ms": FRAME_MS * _or(least, MIN_SPEECH),
            # For the settings zero means "as for any other segment"; no speech is shorter than a frame anyway.
            "opening_min_speech_ms": FRAME_MS * max(1, _or(first, FIRST_SPEECH)),
            "interrupt_min_speech_ms": FRAME_MS * max(1, interrupting) if interrupting is not None else 0,
            "unbroken_start": True,
            "end_silence_ms": FRAME_MS * silent,
            "end_window_ms": FRAME_MS * window,
            "long_end_silence_ms": FRAME_MS * silent,
            "pre_speech_ms": FRAME_MS * _or(_frames(query, "pre_speech_pad_frames", MAX_PAD_FRAMES), PAD),
        }
    )


def flag(query: Mapping[str, str], name: str) -> bool | None:
    """A parameter that is true or false, in any case; None where it is not there. Raises BadMessage."""
    value = query.get(name, "").strip().lower()
    if value not in ("", "true", "false"):
        raise BadMessage(f"{name} must be true or false, not '{quoted(value)}'", Fault.SETUP)
    return value == "true" if value else None


def _scattered(query: Mapping[str, str], silent: int, window: int) -> tuple[int, int]:
    """How many silent frames of how many end a segment. A default gives way to what the client names."""
    wanted = _frames(query, "negative_frames_count", least=1)
    among = _frames(query, "negative_frames_window", least=1)
    if wanted is not None and among is not None and wanted > among:
        raise BadMessage(f"negative_frames_count {wanted} is more than negative_frames_window {among}", Fault.SETUP)
    if among is None:
        return (silent, window) if wanted is None else (wanted, max(wanted, window))
    return min(silent, among) if wanted is None else wanted, among


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
