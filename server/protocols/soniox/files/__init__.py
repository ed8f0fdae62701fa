"""Soniox files and transcriptions by REST: a file is uploaded, transcribed when there is room, and read.

store.py        what was uploaded and what came of it, on disk, within bounds
rest.py         the calls about files
jobs.py         transcribes what waits, giving way to live sessions
transcript.py   a session's events as tokens, translations behind what they translate
orders.py       the calls about transcriptions
"""
