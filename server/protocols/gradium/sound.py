"""A piece of speech as a message."""

from dragoman.pipeline.events import Speech
from dragoman.server.commands import Send
from dragoman.server.protocols.gradium.messages import Audio
from dragoman.server.wire import encode_base64


def audio_of(speech: Speech, client_req_id: str | None) -> list[Send]:
    """The message, if there is anything to be heard in it or to be written down."""
    if not speech.audio:
        return []
    audio = Audio(
        audio=encode_base64(speech.audio),
        start_s=round(speech.start_s, 6),
        stop_s=round(speech.stop_s, 6),
        stream_id=0,
        client_req_id=client_req_id,
    )
    return [Send(audio.to_json(), speech.stop_s - speech.start_s)]
