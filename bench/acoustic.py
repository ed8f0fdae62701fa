"""Where segments of speech end in a recording, found without the server."""

from bench.talk import Talk
from dragoman.config.settings import ListenSettings, load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples, VoiceActivityDetector
from dragoman.models.silero import SileroDetector
from dragoman.pipeline.endpointing import Endpointer, Stopped


def ends_of(talk: Talk) -> list[float]:
    """Seconds at which a pause begins that ends a segment of the talk, by the server's detector and settings."""
    return pause_ends(talk.for_models(), SileroDetector(), load_settings().listen)


def pause_ends(samples: Samples, detector: VoiceActivityDetector, settings: ListenSettings) -> list[float]:
    """Seconds at which a pause begins that ends a segment, ascending. `samples` are at 16 kHz.

    The whole recording is judged at once, by the detector and the endpointing rules themselves. The end of the
    recording is no pause.
    """
    frame = detector.frame_samples
    whole = len(samples) - len(samples) % frame
    endpointer = Endpointer(settings, frame / SAMPLE_RATE_HZ)
    changes = [endpointer.push(float(speech)) for speech in detector.stream().probabilities(samples[:whole])]
    return [change.frame * frame / SAMPLE_RATE_HZ for change in changes if isinstance(change, Stopped)]
