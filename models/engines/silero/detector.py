"""Silero voice activity detection, version 6, run on ONNX Runtime.

The model file lies inside the faster-whisper package. It is found without importing that package, whose import
brings CTranslate2 and PyAV into the process. Model and weights: https://github.com/snakers4/silero-vad (MIT).

The model's state remembers how loud somebody spoke, and a quiet speaker behind a loud one is not heard for a second, or
not at all. So a silence makes it forget, as if a new session began (docs/models.md, "What models cost").
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.models.embedded import onnx_session, package_file
from dragoman.models.errors import EngineFailed

NAME = "silero"
FRAME_SAMPLES = 512
"""One frame: 32 ms at 16 kHz, the only size the model was trained on at this rate."""

CONTEXT_SAMPLES = 64
"""Samples of the previous frame that the model sees before each frame."""

FORGETS_AFTER = 10
"""Silent frames (320 ms) behind which the state begins anew, once for each silence: less than a pause that ends a
segment, and more than most pauses within a phrase."""

_SILENT = 0.35
"""A frame is silent under this probability."""

_RUN = 32
"""Frames that the model is given at once: those behind a place where it forgets are run again."""

_STATE_SHAPE = (1, 1, 128)
_REMEDY = "Run `pip install 'faster-whisper>=1.2'`"


_State = tuple[NDArray[np.float32], NDArray[np.float32]]


def _no_state() -> _State:
    return np.zeros(_STATE_SHAPE, np.float32), np.zeros(_STATE_SHAPE, np.float32)


def _until_forgotten(probabilities: NDArray[np.float32], silent: int) -> tuple[int, int]:
    """How many frames there are up to the place where the state begins anew, or to the end, and how many silent ones in
    a row end there; `silent` are those in a row before the first."""
    for at, probability in enumerate(probabilities.tolist(), 1):
        silent = silent + 1 if probability < _SILENT else 0
        if silent == FORGETS_AFTER:
            return at, silent
    return len(probabilities), silent


class SileroStream:
    """Voice activity of one session: the model's recurrent state and the tail of the previous frame."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._hidden, self._cell = _no_state()
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._silent = 0
        """Silent frames in a row."""

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech of each frame, shape (frames,), in [0, 1].

        `samples`: 16 kHz, shape (frames * 512,); none gives none. Raises ValueError for a broken frame and
        EngineFailed when the model does not run; the state is then as it was before the call.
        """
        if samples.ndim != 1 or samples.size % FRAME_SAMPLES:
            raise ValueError(f"expected whole frames of {FRAME_SAMPLES} samples, got shape {samples.shape}")
        if not samples.size:
            return np.empty(0, np.float32)
        frames = self._with_context(samples)
        given: list[NDArray[np.float32]] = []
        done, silent, state = 0, self._silent, (self._hidden, self._cell)
        while done < len(frames):
            speech, *after = self._run(frames[done : done + _RUN], state)
            count, silent = _until_forgotten(speech, silent)
            state = _no_state() if silent == FORGETS_AFTER else (after[0], after[1])
            given.append(speech[:count])
            done += count
        self._silent, (self._hidden, self._cell) = silent, state
        self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        return np.concatenate(given)

    def _run(self, frames: NDArray[np.float32], state: _State) -> tuple[NDArray[np.float32], ...]:
        """The frames' probabilities and the state behind them."""
        try:
            # The leading dimension is time: the model runs its frames in order, through one recurrent state.
            speech, hidden, cell = self._session.run(
                ["speech_probs", "hn", "cn"], {"input": frames, "h": state[0], "c": state[1]}
            )
        except Exception as error:
            raise EngineFailed(NAME, str(error)) from error
        return speech.reshape(-1), hidden, cell

    def _with_context(self, samples: Samples) -> NDArray[np.float32]:
        """The frames, each behind the last samples of the one before it, shape (frames, 64 + 512)."""
        frames = np.empty((samples.size // FRAME_SAMPLES, CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        # One NaN would stay in the recurrent state for the rest of the session.
        body = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
        frames[:, CONTEXT_SAMPLES:] = body.reshape(-1, FRAME_SAMPLES)
        frames[0, :CONTEXT_SAMPLES] = self._context
        frames[1:, :CONTEXT_SAMPLES] = frames[:-1, -CONTEXT_SAMPLES:]
        return frames


class SileroDetector:
    """Tells speech from everything else; one ONNX session serves every stream, from any thread.

    Raises EngineUnavailable when the model file is not there or cannot be loaded.
    """

    name = NAME
    frame_samples = FRAME_SAMPLES

    def __init__(self) -> None:
        path = package_file(NAME, "faster_whisper", "assets/silero_vad_v6.onnx", _REMEDY)
        # Four milliseconds of work for a second of audio: more threads would cost more than they give.
        self._session: Any = onnx_session(NAME, path, threads=1, remedy=_REMEDY)

    def stream(self) -> SileroStream:
        """A fresh stream for one session. Raises EngineFailed after `close`."""
        if self._session is None:
            raise EngineFailed(NAME, "it is closed")
        return SileroStream(self._session)

    def close(self) -> None:
        """Let go of the model; streams that are still open keep it until they are gone."""
        self._session = None
