"""Sarvam text to speech, as far as its socket and its REST share it, and the socket.

codecs.py     the vendor's names of formats in which it speaks
orders.py     what a request or a configuration asks for
speakers.py   which voice a name stands for
buffer.py     pieces of text until there is enough to speak
messages.py   every message of the server
parsing.py    from a frame to a message
adapter.py    one connection: no I/O
"""
