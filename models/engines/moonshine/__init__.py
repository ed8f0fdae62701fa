"""Recognises English, and tells speakers apart, with the models inside the `moonshine-voice` package."""
