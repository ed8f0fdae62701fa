"""Translates by rules: the programs and language data of Apertium, as Debian packages them."""
