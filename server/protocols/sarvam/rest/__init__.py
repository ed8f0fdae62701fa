"""What the vendor has by REST: a whole recording to text, text to text, text to speech.

errors.py        status, code and form of an error
answering.py     the key, the body, the session of a request, and what becomes of faults
recordings.py    a whole recording becomes text, in the speaker's language or in English
texts.py         translation, transliteration, which language a text is in
speech.py        a text is spoken
routes.py        where all of it is served
"""
