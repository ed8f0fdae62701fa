"""Text on its way through the engines: what an engine needs of it, and what may be left in it. Pure functions.

canonical.py       one form for each text, however it was typed
written_out.py     contractions.py and abbreviations.py in one call, for translators that know the full words only
numbers.py         numbers in the form of the language that they are said in
number_forms.py    what that form is
money.py           signs of currencies beside the words for millions
tidy.py            a translation without what its engine left in it
finishing.py       all that is done to a translation, in one call
spoken.py          what a voice is given
plain.py           texts without Markdown and pictures
identify.py        which script a text is in, and which language of India

Clients choose these texts and their length, so every function takes time in proportion to the text.
"""
