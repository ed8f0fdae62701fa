"""Tells speech from silence: Silero's model, the file inside `faster-whisper`."""
