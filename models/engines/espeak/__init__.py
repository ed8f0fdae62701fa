"""Speaks a hundred languages as a robot does: espeak-ng, from the `espeakng-loader` package, in child processes."""
