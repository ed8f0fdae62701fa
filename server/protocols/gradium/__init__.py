"""Gradium speech-to-speech: the WebSocket at `speech/s2s` and as much REST as its clients touch.

messages.py     every wire message
parsing.py      from a frame to a message
formats.py      the table of audio formats
setup.py        what a setup message asks for
errors.py       which code and text a failure gets
adapter.py      requests on one socket: no I/O
unserved.py     the vendor's other sockets: that they are not served
credentials.py  where keys and tokens stand in a request
rest.py         voices, usage, tokens
routes.py       where all of it is served
"""
