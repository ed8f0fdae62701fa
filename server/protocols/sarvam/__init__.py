"""Sarvam: the sockets `/speech-to-text-translate/ws`, `/speech-to-text/ws` and the realtime one, and its REST.

languages.py    the vendor's codes of languages
query.py        what the address asks for
vad.py          the parameters of voice activity detection
prompts.py      terms to expect, from prompts and lists
parsing.py      from a frame to a message
payload.py      which format the audio of a message has
messages.py     every message of the server
errors.py       which code and close code a failure gets
utterances.py   the pieces of what was said, until an utterance is complete
order.py        in which order they are told, with the signals around them
romanise.py     native scripts in Latin letters
nativise.py     the other way, and from one script of India to another
sessions.py     the sessions of a connection, and its end
adapter.py      one connection: no I/O
realtime/       the realtime socket, with messages of its own
rest/           what it has by REST
speech/         text to speech: its socket, and what it shares with REST
unserved.py     what the vendor has and this server has not
credentials.py  where the key stands in a request
routes.py       where all of it is served
"""
