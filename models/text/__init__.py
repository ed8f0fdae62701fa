"""Text on its way through the engines: what an engine needs of it, and what may be left in it. Pure functions.

Clients choose these texts and their length, so every function takes time in proportion to the text.
"""
