"""What a stream or a call asks for; wrong values are told by name."""

from dataclasses import dataclass

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, pcm
from dragoman.server.commands import Key, Open
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.soniox.models import check_speech_model
from dragoman.server.protocols.soniox.speech.formats import output_format
from dragoman.server.protocols.soniox.speech.messages import Wish
from dragoman.server.protocols.soniox.speech.voices import Choice, Voices


@dataclass(frozen=True, slots=True)
class SpeechOrder:
    """A valid wish. `tempo` is a factor on the voice's normal rate."""

    model: str
    choice: Choice
    sound: AudioFormat
    media_type: str
    tempo: float = 1.0
    reference: str = ""

    def opening(self, key: Key, limit_s: float | None) -> Open:
        """The session that speaks it: it is given text, and hears nothing."""
        wish = TargetWish(self.choice.language, voice_id=self.choice.voice_id, tempo=self.tempo)
        return Open(key, pcm(24_000), self.sound, targets=(wish,), hears=False, limit_s=limit_s)


def read_order(wish: Wish, voices: Voices) -> SpeechOrder:
    """Check a wish. Raises BadMessage naming the field that is wrong, NoVoice, NotReady."""
    if wish.model is None:
        raise BadMessage("model is missing", Fault.SETUP)
    check_speech_model(wish.model)
    sound, media_type = output_format(wish.audio_format, wish.sample_rate, wish.bitrate)
    choice = voices.choose(wish.voice or None, wish.language or None)
    tempo = 1.0 if wish.speed is None else wish.speed
    return SpeechOrder(wish.model, choice, sound, media_type, tempo, wish.client_reference_id or "")
