"""A vocabulary that knows ASCII but for what those of the Firefox models lack of it, and counts blanks."""


class FakeVocabulary:
    """Stands for `models.engines.firefox.pieces.Vocabulary`: a token for each word, four characters each at most."""

    def tokens(self, text: str) -> int:
        return sum(-(-len(word) // 4) for word in text.split())

    def knows(self, character: str) -> bool:
        return (character.isascii() and character not in "<{}~^`\\") or character in "áéíóúãõçêô"
