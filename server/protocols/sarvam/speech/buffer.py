"""Text that comes in pieces, until there is enough of it to be spoken."""

from dragoman.models.sentences import sentence_ends


class TextBuffer:
    """What a client has sent and is not being spoken yet."""

    def __init__(self) -> None:
        self._text = ""

    def __len__(self) -> int:
        return len(self._text)

    def put(self, text: str, least: int, most: int) -> list[str]:
        """Take more. What can be spoken: all sentences, where at least `least` characters wait; where `most` do and no
        sentence has ended, as many words as they hold."""
        self._text += text
        said: list[str] = []
        if len(self._text) >= least and (ends := sentence_ends(self._text)):
            said.append(self._text[: ends[-1]])
            self._text = self._text[ends[-1] :]
        start = 0
        while len(self._text) - start >= most:
            blank = self._text.rfind(" ", start + 1, start + most)
            stop = blank + 1 if blank >= 0 else start + most
            said.append(self._text[start:stop])
            start = stop
        self._text = self._text[start:]
        return [piece for piece in said if piece.strip()]

    def take(self) -> list[str]:
        """All that waits."""
        text, self._text = self._text, ""
        return [text] if text.strip() else []
