"""Speaks German, English, Spanish, French and Italian: SVOX Pico, from the `py-nanotts` package, in child processes."""
