"""Gradium: the WebSockets `speech/s2s`, `speech/asr` and `speech/tts`, and as much REST as its clients touch.

messages.py     every wire message
parsing.py      from a frame to a message
formats.py      the table of audio formats
setup.py        what a setup message asks for; asr_setup.py and tts_setup.py, on the other sockets
errors.py       which code and text a failure gets
requests.py     requests on one socket: no I/O
adapter.py      what they do: speech to speech,
asr.py          recognition and translation to text, steps.py its clock, from which clients tell that a turn is over,
tts.py          synthesis, said.py what is said of a text that comes in pieces, voices.py by whom
sound.py        a piece of speech as a message
credentials.py  where keys and tokens stand in a request
rest.py         voices, usage, tokens
one_shot.py     recognition and synthesis by REST, with the adapters of the sockets
routes.py       where all of it is served
"""
