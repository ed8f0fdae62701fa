"""Soniox text to speech: several streams on the socket at `tts-websocket`, one text by REST at `tts`.

messages.py   every message of the socket, and the body of the REST call
parsing.py    from a frame to a message
order.py      what a stream or a call asks for
voices.py     which voice a name stands for, and the lists of models and voices
stream.py     one stream: pieces of text until a sentence ends, audio, where its characters are
adapter.py    the streams of one socket: no I/O
rest.py       one text in, audio out while it is made
"""
