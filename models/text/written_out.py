"""Text for translators that know the full words only: contractions and abbreviations written out."""

from dragoman.models.text.abbreviations import abbreviations_written_out
from dragoman.models.text.contractions import contractions_written_out


def written_out(text: str, language: str) -> str:
    """`text`, which is in `language`, without what such a translator would copy or misread."""
    if language == "en":
        text = contractions_written_out(text)
    return abbreviations_written_out(text, language)
