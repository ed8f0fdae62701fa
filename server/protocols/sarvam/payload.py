"""Which format the audio of a message has: a WAV file of its own, the continuation of one, or plain samples."""

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, Container, pcm
from dragoman.pipeline.audio.riff import RiffReader
from dragoman.pipeline.audio.sniff import sniff
from dragoman.server.protocols.sarvam.query import Codec

DEFAULT_HZ = 16_000
RIFF = (b"RIFF", b"RF64")
MAX_HEADER_BYTES = 1 << 20
SNIFFED_BYTES = 4_096
"""So much of the first message is looked at, to tell compressed audio, which the vendor takes by REST only."""


class Payload:
    """Takes the audio of one message after the other and says how its samples are written.

    A message that begins with RIFF has a header of its own; others go on in the format of the last header. Without any
    header they are 16-bit samples at the rate of the connection.
    """

    def __init__(self, codec: Codec, sample_rate_hz: int | None) -> None:
        self._wav = codec is Codec.WAV
        self._rate_hz = sample_rate_hz
        self._header: RiffReader | None = None
        self._header_bytes = 0
        self._format: AudioFormat | None = None
        self._begun = False

    def take(self, data: bytes, rate_hz: int | None) -> tuple[AudioFormat, bytes] | None:
        """The format of a message's samples, and their bytes; None while a header is not complete.

        `rate_hz` is what the message says; it counts where the connection's parameters say nothing. Raises BadAudio.
        """
        if not data:
            return None
        if self._wav and (self._header is not None or data[:4] in RIFF):
            return self._with_header(data)
        if self._wav and not self._begun:
            self._refuse_compressed(data)
        self._begun = True
        return self._format or pcm(self._rate_hz or rate_hz or DEFAULT_HZ), data

    def _with_header(self, data: bytes) -> tuple[AudioFormat, bytes] | None:
        if self._header is None:
            self._header, self._header_bytes = RiffReader(), 0
        at = self._header.read_header(data)
        if (body := self._header.body) is None:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                raise BadAudio(f"no samples within the first {MAX_HEADER_BYTES} bytes of a wav file")
            return None
        self._header, self._begun = None, True
        self._format, length = body
        # A header may count the samples of its own message only, or those of all that follow.
        return self._format, data[at:] if length is None else data[at : at + length]

    @staticmethod
    def _refuse_compressed(data: bytes) -> None:
        found = sniff(data[:SNIFFED_BYTES])
        if isinstance(found, Container):
            raise BadAudio(f"{found} is not read on sockets: send wav, or samples with input_audio_codec")
