"""Palabra: speech and text into several languages at once, and the vendor's plain speech-to-text and text-to-speech.

parsing.py      from a frame to a command
languages.py    the codes that the wire knows
fields.py       kinds of values that a task is made of
task.py         the task of `set_task`: what has a meaning here is checked, the rest kept
job.py          what a task means here: formats, targets, voices
voices.py       which voice an id stands for
intake.py       chunks of audio in each input format
units.py        what was said, cut into the pieces that are confirmed and translated
stream.py       one session's events as messages
order.py        several sessions on one socket, one behind the other
messages.py     every message of the server
errors.py       which code and text a failure gets
limits.py       so many commands in so much time
requests.py     the fields of the other commands
adapter.py      tasks on one socket: no I/O
stt.py          the socket of `Palabra.stt()`
tts.py          the socket of `Palabra.tts()` (with tts_requests.py and tts_stream.py)
credentials.py  where keys and tokens stand in a request
sessions.py     the sessions that are made by REST
rest.py         sessions, voices, glossaries
routes.py       where all of it is served
"""
