"""Recognises about a hundred languages and translates them to English: Whisper on CTranslate2. Needs a pulled model."""
