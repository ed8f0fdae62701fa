"""Where there is speech in a recording, found without the server."""

from collections.abc import Iterator

from dragoman.bench.talk import Talk
from dragoman.config.settings import ListenSettings, load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples, VoiceActivityDetector
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.pipeline.endpointing import Endpointer, Started, Stopped


def ends_of(talk: Talk) -> list[float]:
    """Seconds at which a pause begins that ends a segment of the talk, by the server's detector and settings."""
    return pause_ends(talk.for_models(), SileroDetector(), load_settings().listen)


def speech_span(talk: Talk) -> tuple[float, float]:
    """Where the first speech of the talk begins and its last ends, in seconds; all of it where nobody speaks."""
    changes = list(_changes(talk.for_models(), SileroDetector(), load_settings().listen, whole=True))
    starts_s = [at_s for change, at_s in changes if isinstance(change, Started)]
    stops_s = [at_s for change, at_s in changes if isinstance(change, Stopped)]
    return (starts_s[0], min(stops_s[-1], talk.duration_s)) if starts_s else (0.0, talk.duration_s)


def pause_ends(samples: Samples, detector: VoiceActivityDetector, settings: ListenSettings) -> list[float]:
    """Seconds at which a pause begins that ends a segment, ascending. `samples` are at 16 kHz.

    The whole recording is judged at once, by the detector and the endpointing rules themselves. The end of the
    recording is no pause.
    """
    return [at_s for change, at_s in _changes(samples, detector, settings) if isinstance(change, Stopped)]


def _changes(
    samples: Samples, detector: VoiceActivityDetector, settings: ListenSettings, *, whole: bool = False
) -> Iterator[tuple[Started | Stopped, float]]:
    """Starts and ends of segments and when they are. `whole`: the end of the recording ends a segment too."""
    frame = detector.frame_samples
    used = len(samples) - len(samples) % frame
    endpointer = Endpointer(settings, frame / SAMPLE_RATE_HZ)
    changes = [endpointer.push(float(speech)) for speech in detector.stream().probabilities(samples[:used])]
    for change in [*changes, endpointer.stop() if whole else None]:
        if change is not None:
            yield change, change.frame * frame / SAMPLE_RATE_HZ
