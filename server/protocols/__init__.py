"""One folder a vendor; adapters do no I/O and know nothing of each other."""
