"""Files that clients upload to have them transcribed when there is room, whichever vendor they speak to.

shelf.py         the folder and its database
files.py         the files in it
store.py         what is to become of them, and what came of it
transcriber.py   the work on it, in the places that live sessions leave
fetching.py      files that the server gets itself, where it may
calls.py         who waits for a transcription is told, where it may be
worker.py        what those three have in common: sleep, and turns
uploads.py       all of it together, for one server
"""
