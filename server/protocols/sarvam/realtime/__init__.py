"""The vendor's realtime socket, `/speech-to-text-realtime/ws`: partial transcripts, and settings that may change.

config.py     what the address asks for, and what is changed later
messages.py   every message of the wire
turns.py      the turns of one session and their places on the client's timeline
adapter.py    one connection: no I/O
"""
