"""Silero voice activity detection, version 6, run on ONNX Runtime.

The model file lies inside the faster-whisper package. It is found without importing that package, whose import
brings CTranslate2 and PyAV into the process. Model and weights: https://github.com/snakers4/silero-vad (MIT).
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

_STATE_SHAPE = (1, 1, 128)
_REMEDY = "Run `pip install 'faster-whisper>=1.2'`"


class SileroStream:
    """Voice activity of one session: the model's recurrent state and the tail of the previous frame."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._hidden = np.zeros(_STATE_SHAPE, np.float32)
        self._cell = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

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
        try:
            # The leading dimension is time: the model runs its frames in order, through one recurrent state.
            speech, hidden, cell = self._session.run(
                ["speech_probs", "hn", "cn"], {"input": frames, "h": self._hidden, "c": self._cell}
            )
        except Exception as error:
            raise EngineFailed(NAME, str(error)) from error
        self._hidden, self._cell = hidden, cell
        self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        probabilities: NDArray[np.float32] = speech.reshape(-1)
        return probabilities

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
