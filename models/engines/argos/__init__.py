"""Translates with Argos packages on CTranslate2 and SentencePiece. Needs a pulled package for each pair."""
