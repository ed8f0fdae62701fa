"""Translates with the models that Firefox ships, by the `fxtranslate` package, in child processes."""
