"""The addresses that an order may name: where its file is, and who is to be told when it is over."""

import re

from dragoman.server.failures import BadMessage, Fault
from dragoman.server.outgoing import NotAllowed, Outgoing, Target
from dragoman.server.protocols.soniox.messages import TranscriptionStart

MASKED = "********"
"""What is shown of a secret."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, 5.1."""
_OURS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding",
     "upgrade", "user-agent"}
)  # fmt: skip
"""What says how a request is to be read is not the client's."""


def check_source(outgoing: Outgoing, url: str) -> Target:
    """Where a file is to be fetched. Raises BadMessage where that may not be."""
    return _check(outgoing, "audio_url", url, "upload the file and give its file_id")


def check_webhook(outgoing: Outgoing, start: TranscriptionStart) -> bool:
    """Whether somebody is to be told that it is over. Raises BadMessage where they may not be, or not so."""
    name, value = start.webhook_auth_header_name, start.webhook_auth_header_value
    if name is not None and (not _NAME.fullmatch(name) or name.lower() in _OURS):
        raise BadMessage("webhook_auth_header_name is no name of a header that may be given", Fault.SETUP)
    if value is not None and not (value.isascii() and value.isprintable() and value == value.strip()):
        raise BadMessage("webhook_auth_header_value must be of printable ASCII characters", Fault.SETUP)
    if start.webhook_url is None:
        return False
    _check(outgoing, "webhook_url", start.webhook_url, "ask for the transcription's status")
    return True


def _check(outgoing: Outgoing, field: str, url: str, instead: str) -> Target:
    if not outgoing.allowed:
        text = f"{field} is not served here: {instead}, or let the operator allow its host (outgoing.hosts)"
        raise BadMessage(text, Fault.SETUP)
    try:
        return outgoing.target(url)
    except NotAllowed as error:
        raise BadMessage(f"{field}: {error}", Fault.SETUP) from error
