"""Words as tokens. A token that begins a word carries the blank before it: one after another, tokens are the text.

Spoken tokens and translated tokens make a text each: a client tells them apart by `translation_status`.
"""

from dataclasses import replace

from dragoman.pipeline.events import Transcript, Translation
from dragoman.pipeline.timing import UNSPACED, estimate_words, split_words
from dragoman.server.protocols.soniox.messages import Token
from dragoman.server.protocols.soniox.start import Request

END = Token(text="<end>", is_final=True)
FIN = Token(text="<fin>", is_final=True)

CONFIDENCE = 0.9
"""Said of every word of which the engine does not say how sure it is, and of every translated one."""


class TokenWriter:
    """Writes the tokens of one stream."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._spoken = False
        """Whether any final spoken token was written; the first has no blank before it."""
        self._translated = False

    def spoken(self, said: Transcript) -> list[Token]:
        """The words of a transcript, final or not."""
        words = said.words or estimate_words(said.text, said.start_s, said.stop_s, said.language)
        tokens: list[Token] = []
        for word in words:
            if text := word.text.strip():
                start_ms = milliseconds(word.start_s)
                confidence = CONFIDENCE if word.confidence is None else round(min(max(word.confidence, 0.0), 1.0), 3)
                tokens.append(
                    Token(
                        text=self._blank(said.language, follows=self._spoken or bool(tokens)) + text,
                        is_final=said.final,
                        start_ms=start_ms,
                        end_ms=max(start_ms, milliseconds(word.stop_s)),
                        confidence=confidence,
                        speaker=said.speaker if self._request.diarizes else None,
                        language=said.language if self._request.identifies else None,
                        translation_status=self._status(said.language),
                    )
                )
        self._spoken = self._spoken or (said.final and bool(tokens))
        return tokens

    def supposed(self, said: Transcript) -> list[Token]:
        """The words that are supposed behind a final transcript, which was written before; none are final."""
        return self.spoken(replace(said, text="", words=said.rest, final=False)) if said.rest else []

    def translated(self, clause: Translation) -> list[Token]:
        """The words of a translation; all are final."""
        tokens: list[Token] = []
        for text in split_words(clause.text):
            follows, self._translated = self._translated, True
            tokens.append(
                Token(
                    # Blanks inside a clause of a language without blanks stand between foreign words.
                    text=(" " if tokens else self._blank(clause.language, follows=follows)) + text,
                    is_final=True,
                    confidence=CONFIDENCE,
                    speaker=clause.speaker if self._request.diarizes else None,
                    language=clause.language,
                    translation_status="translation",
                    source_language=clause.source,
                )
            )
        return tokens

    def _status(self, language: str) -> str | None:
        """Whether speech in a language is translated; None where nothing is."""
        if not self._request.targets:
            return None
        translated = any(wish.target_of(language) not in (None, language) for wish in self._request.targets)
        return "original" if translated else "none"

    @staticmethod
    def _blank(language: str, *, follows: bool) -> str:
        return " " if follows and language not in UNSPACED else ""


def milliseconds(seconds: float) -> int:
    """A place on the input's clock, as the wire counts."""
    return max(0, round(seconds * 1_000))
