"""What can go wrong with audio, as one tree.

    AudioError
    ├── UnsupportedFormat    we do not speak this format: `name`, `supported`
    ├── AudioTooLong         more of it than may come: `limit_s`
    └── BadAudio             the bytes are not what they were said to be: `reason`
        └── UnknownAudio     nothing was said about them, and they are nothing that is known here

Every message is one sentence that a client may be shown. All of it is the client's to change (`clients_fault`), and
nothing passes by waiting (`may_pass`).
"""

from collections.abc import Sequence


class AudioError(Exception):
    """Base of everything that decoders and encoders raise over what a client sent or asked for."""

    clients_fault, may_pass = True, False


class UnsupportedFormat(AudioError):
    """No decoder or encoder for the format of this name; `supported` may list what to use instead."""

    def __init__(self, name: str, supported: Sequence[str] = ()) -> None:
        self.name = name
        self.supported = tuple(supported)
        remedy = f"; use one of {', '.join(self.supported)}" if self.supported else ""
        super().__init__(f"audio format '{name}' is not supported{remedy}")


class AudioTooLong(AudioError):
    """A recording is longer than one may be."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(f"the recording is longer than {limit_s:g} s")


class BadAudio(AudioError):
    """The bytes cannot be decoded. A decoder that raised this must not be used again."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"bad audio: {reason}")


class UnknownAudio(BadAudio):
    """The first bytes were to say what the audio is, and they do not."""

    def __init__(self) -> None:
        super().__init__("no known container begins here; samples without a header need a format, a rate and channels")
