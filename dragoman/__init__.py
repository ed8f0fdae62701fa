"""Dragoman: a self-hosted server for live speech translation.

The four floors of the house (`server`, `pipeline`, `models`, `config`) stand as folders at the repository's root;
here they are linked under one import name, so that an installed Dragoman never shadows somebody's own `server` or
`models` package. `dragoman.cli` is the command line, above all four.
"""

__version__ = "0.1.0"
