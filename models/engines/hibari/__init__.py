"""Speaks English naturally: the network inside the `hibari-tts` package, in child processes."""
