"""Soniox: speech to text and translation at `transcribe-websocket`, speech at `tts-websocket`, files, REST around them.

languages.py        the vendor's languages
models.py           the vendor's model ids, and what each of them takes
messages.py         every wire message
parsing.py          from a frame to a message
formats.py          the table of audio formats
start.py            what a start message asks for
translation.py      its translation block, in three generations
context.py          its context: terms to hear, terms to translate
endpoints.py        what its endpoint settings mean for our listening
tokens.py           words as tokens
stream.py           what a stream has said and must still say: finals, non-finals, endpoints
errors.py           which code, type and text a failure gets
adapter.py          one stream on one socket: no I/O
temporary_keys.py   keys that servers make for their browsers
credentials.py      where keys stand in a request, and what each allows
usage.py            what was used, by key
usage_rest.py       the calls that tell it
api.py              what all REST endpoints share
rest.py             temporary keys, models, voices, limits
speech/             text to speech
files/              uploaded files and their transcription
routes.py           where all of it is served
"""
