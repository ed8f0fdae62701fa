"""Dragoman: a self-hosted server for live speech translation.

The four floors of the house (`server`, `pipeline`, `models`, `config`) stand as folders at the repository's root;
here they are linked under one import name, so that an installed Dragoman never shadows somebody's own `server` or
`models` package. `dragoman.cli` is the command line, above all four.
"""

import os

__version__ = "0.1.0"

# ONNX Runtime reports to its maker unless told not to before it is imported; speech servers are run to keep to oneself.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
