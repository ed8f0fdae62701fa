"""AMR files without an encoder, which many builds of libav do not have.

`tone.amr` holds three seconds of a sine at 440 Hz and a quarter of a second of silence, encoded by libopencore-amrnb at
4.75 kbit/s. What is written here has these frames: wherever there is sound it is that tone.
"""

from pathlib import Path

import numpy as np

from dragoman.models.base import Samples

_HEAD = b"#!AMR\n"
_FRAME_BYTES = 13
_FRAME_S = 0.02
_QUIET = 0.01
_DATA = Path(__file__).with_name("tone.amr").read_bytes().removeprefix(_HEAD)
_FRAMES = [_DATA[at : at + _FRAME_BYTES] for at in range(0, len(_DATA), _FRAME_BYTES)]
_TONE, _SILENCE = _FRAMES[:150], _FRAMES[-2:]


def amr_file(samples: Samples, rate_hz: int) -> bytes:
    """A file that is loud where `samples` are, to 20 ms."""
    size, frames, begun = round(_FRAME_S * rate_hz), [], 0
    for number, at in enumerate(range(0, len(samples), size)):
        if np.abs(samples[at : at + size]).max() > _QUIET:
            frames.append(_TONE[(number - begun) % len(_TONE)])
        else:
            frames.append(_SILENCE[number % 2])
            begun = number + 1
    return _HEAD + b"".join(frames)
