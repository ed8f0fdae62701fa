"""How much of what a WebSocket client sends is taken in, and when. Without I/O.

Bytes are put in as they come and taken out frame by frame, as long as they may pass: no message is larger than its
limit, and no more messages wait for the application than the marks allow. What may not pass is kept as it came, and
the socket is not read meanwhile. Before the application has admitted the client, messages are small, and each must
have been asked for: a large one behind the first waits until the application has looked at that, and has perhaps
admitted the client.
"""

from collections import deque

from dragoman.server.frames import CONTINUATION, CONTROL_BYTES, FrameHeader, read_header

MOST_MESSAGES, MOST_BYTES = 16, 1_048_576
"""So much may wait for the application; it is half of that before more is taken in."""
FRAME_BYTES = 64
"""A frame counts as no less in the size of its message, so that a message of empty frames ends too."""


class TooLarge(Exception):
    """A message is over the limit."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        super().__init__(f"message is larger than {limit_bytes} bytes")


class Inflow:
    """What has come and not been taken yet. A message may have `small_bytes` before `admit`, and `large_bytes` from
    then on.
    """

    def __init__(self, small_bytes: int, large_bytes: int) -> None:
        self._limit = small_bytes
        self._large_bytes = large_bytes
        self.admitted = False
        self.wanted = False
        """Whether the application waits for a message."""
        self.blocked = False
        """Whether there is a frame that may not pass now."""
        self._held = bytearray()
        self._left = 0
        """Of the frame that is passing."""
        self._message = 0
        """Size of the message whose frames are passing."""
        self._sizes: deque[int] = deque()
        self._waiting_bytes = 0
        self._full = False
        self._ended = False
        self._dropping = False

    def put(self, data: bytes) -> None:
        """Bytes that came."""
        self._held += data

    def take(self) -> bytearray | None:
        """Bytes of one frame, or of what is here of it; None where nothing may pass. Raises TooLarge."""
        self.blocked = False
        while self._held and (self._left or self._begin()):
            piece = self._held[: self._left]
            del self._held[: len(piece)]
            self._left -= len(piece)
            if not self._dropping:
                return piece
        return None

    def delivered(self, size: int) -> None:
        """A message of `size` bytes waits for the application."""
        self._sizes.append(size)
        self._waiting_bytes += size
        if len(self._sizes) >= MOST_MESSAGES or self._waiting_bytes >= MOST_BYTES:
            self._full = True

    def consumed(self) -> None:
        """The application has taken the oldest message."""
        self._waiting_bytes -= self._sizes.popleft()
        if len(self._sizes) <= MOST_MESSAGES // 2 and self._waiting_bytes <= MOST_BYTES // 2:
            self._full = False

    def admit(self) -> None:
        """The client may send large messages, and more than one at a time."""
        self.admitted = True
        self._limit = self._large_bytes

    def end(self) -> None:
        """Nobody wants messages any more; those that come are thrown away, and what is no part of one passes."""
        self._ended = True

    def _begin(self) -> bool:
        header = read_header(self._held)
        if header is None:
            return False
        self._dropping = self._ended and not header.is_control
        if not self._ended and not self._may_pass():
            self.blocked = True
            return False
        if not self._dropping:
            self._measure(header)
        self._left = header.header_bytes + header.payload_bytes
        return True

    def _measure(self, header: FrameHeader) -> None:
        if header.is_control:
            if header.payload_bytes > CONTROL_BYTES:
                raise TooLarge(CONTROL_BYTES)
            return
        size = max(header.payload_bytes, FRAME_BYTES)
        if header.opcode == CONTINUATION:
            size += self._message
        if size > self._limit:
            raise TooLarge(self._limit)
        self._message = 0 if header.is_last else size

    def _may_pass(self) -> bool:
        return not self._full if self.admitted else self.wanted and not self._sizes
