"""Who speaks, by the speaker model inside the `moonshine-voice` package: pyannote/embedding, run on ONNX Runtime.

The package has the model as data in its library, which is read as a file here and never loaded (`recognizer.py` says
why): what belongs to the model is told by its place, its length and its checksum. It is an x-vector network over
learned filters, trained on VoxCeleb; it hears voices and not languages. Model: https://huggingface.co/pyannote/embedding
(MIT).

Measured on 28 recordings of 17 people in five languages (four minutes: FLEURS, Kennedy, the package's own), with the
clustering of `pipeline/speakers.py`. Equal error rate of one piece against another: 10 % at 1 s, 5 % at 1.5 s, 2 % at
2 s, under 1 % at 4 s. Made-up conversations of two to five people have the wrong label for 3 % of the time where turns
take 1.5 s (median) and for 1 to 2 % where they take 2.5 or 4 s. With telephone bandwidth (8 kHz) that is 12, 5 and
under 1 %; with 300 to 3400 Hz and mu-law 25, 17 and 12 %, because people who are alike are taken for one; in a room
with much echo 15, 8 and 6 %, because one person is taken for two.
"""

import hashlib
import mmap
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Samples, Voiceprint
from dragoman.models.embedded import onnx_session, package_file
from dragoman.models.errors import EngineFailed, EngineUnavailable

NAME = "moonshine-speakers"

MARGIN_S = 0.3
"""Silence put before and behind a piece: the network looks at 0.15 s around each place and has nothing to say of the
edges. With it, the equal error rate of pieces of 1 s fell from 16 % to 10 %, of 2 s from 4 % to 2.3 %."""

LEVEL = 0.1
"""The root mean square that pieces are brought to: the network takes quiet speech for something else."""

NOISE_DB = -35.0
"""Noise mixed in, by that level. Telephone speech has nothing above 4 kHz, and that alone makes all voices
alike: without noise 4 s of two people reach the cosine of one person at a wide-band microphone. Wide-band speech loses
nothing by it."""

_SILENCE = 1e-6
_MARK = b"ORTM"  # the identifier of an ORT-format model, behind the four bytes of its root's place
_SIZE = 17_639_176
_SHA256 = "0ec8d36d8e19b4a7035f1b71d35e651d9cb8e8cf2e456c559da3d22105c8050d"
_PACKAGE = "moonshine-voice==0.0.49"
_REMEDY = f"Run `pip install '{_PACKAGE}'`"


class MoonshineSpeakerEmbedder:
    """Tells voices apart; any number of threads may call it at once.

    The network is loaded when it is first needed: it takes 50 MB, which a server whose clients want no speakers is
    spared. Raises EngineUnavailable when the package is missing or of another version.
    """

    name = NAME
    batching = Batching(workers=2)
    threshold = 0.36
    shortest_s = 1.0

    def __init__(self) -> None:
        _read_model()
        self._session: Any = None
        self._closed = False
        self._loading = threading.Lock()

    def embed(self, pieces: Sequence[Samples]) -> list[Voiceprint]:
        """The voice of each piece of speech, as unit vectors of 512. Raises EngineFailed, also after `close`."""
        session = self._loaded()
        return [self._voice(session, piece) for piece in pieces]

    def close(self) -> None:
        """Let go of the network. May be called again."""
        self._closed = True
        self._session = None

    def _loaded(self) -> Any:
        with self._loading:
            if self._closed:
                raise EngineFailed(NAME, "it is closed")
            if self._session is None:
                self._session = onnx_session(NAME, _read_model(), threads=1, remedy=_REMEDY)
            return self._session

    @staticmethod
    def _voice(session: Any, piece: Samples) -> Voiceprint:
        try:
            (voices,) = session.run(["embeddings"], {"waveform": _prepared(piece)[np.newaxis]})
        except Exception as error:
            raise EngineFailed(NAME, str(error)) from error
        voice = voices[0] / np.linalg.norm(voices[0])
        if not np.isfinite(voice).all():
            raise EngineFailed(NAME, "it gave no vector")
        found: Voiceprint = voice
        return found


def _prepared(piece: Samples) -> Samples:
    """The piece at its level, with its margins and a little noise, which is the same each time."""
    clean = np.nan_to_num(np.asarray(piece, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    clean = np.pad(clean - clean.mean(), round(MARGIN_S * SAMPLE_RATE_HZ))
    level = float(np.sqrt(np.square(clean).mean()))
    noise = np.random.default_rng(0).standard_normal(len(clean), np.float32)
    return clean * np.float32(LEVEL / max(level, _SILENCE)) + noise * np.float32(LEVEL * 10 ** (NOISE_DB / 20))


def _read_model() -> bytes:
    """The network out of the package's library. Raises EngineUnavailable."""
    path = package_file(NAME, "moonshine_voice", "libmoonshine.so", _REMEDY)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as library:
            start = library.find(_MARK) - 4
            model = library[start : start + _SIZE] if start >= 0 else b""
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise EngineUnavailable(NAME, f"{path.name} cannot be read ({error})", _REMEDY) from error
    if hashlib.sha256(model).hexdigest() != _SHA256:
        raise EngineUnavailable(NAME, f"the installed {path.name} does not hold the network of {_PACKAGE}", _REMEDY)
    return model
